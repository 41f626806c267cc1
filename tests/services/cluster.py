"""What the tests of launchers do by hand: configuration files, commands, workers, a runner."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tachylite.cli import main
from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.stores import find_materials, open_store

MONGO = os.environ.get("TACHYLITE_TEST_MONGO", "")
SLURM = os.environ.get("TACHYLITE_TEST_SLURM", "")
BIN = Path(sys.executable).parent

NEEDS_SERVICES = [
    pytest.mark.slow,
    pytest.mark.services,
    pytest.mark.skipif(not (MONGO and SLURM), reason="MongoDB and Slurm are not there: `make services` starts them"),
    # of FireWorks and jobflow-remote, which run inside the tests
    pytest.mark.filterwarnings("ignore"),
]
"""Marks of every module of tests here."""

SEARCH = {
    "kind": "volume",
    "temperature_k": 600,
    "fractions": [0.6, 1.2],
    "equilibrate_ps": 0.04,
    "sample_ps": 0.2,
    "pressure_tolerance_gpa": 100,
    "volume_tolerance": 10.0,
    "energy_drift_tolerance": 10.0,
    "max_attempts": 3,
}
PROTOCOL: dict[str, Any] = {
    "timestep_fs": 4.0,
    "record_every": 10,
    "packing": {"n_atoms": 8},
    "steps": [{"kind": "hold", "name": "melt", "temperature_k": 600, "time_ps": 0.8}],
}
WITH_SEARCH = PROTOCOL | {"name": "with a search", "steps": [SEARCH, *PROTOCOL["steps"]]}
CHECKPOINT = 10
"""Steps between checkpoints."""


@dataclass(frozen=True)
class Calculator:
    """The calculator in counting.py, and how it is told to be slow."""

    folder: Path

    @property
    def name(self) -> str:
        return f"ase:{self.folder}/counting.py:Counting"

    @property
    def calls(self) -> int:
        """How often it was asked so far."""
        path = self.folder / "calls"
        return path.stat().st_size if path.exists() else 0

    def pace(self, seconds: float) -> None:
        # a job that reads it at this moment finds the old one or the new one
        new = self.folder / "pace.new"
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self.folder / "pace")


@dataclass
class Cluster:
    """Files in a folder, a database, and the processes that were started for a test."""

    folder: Path
    calculator: Calculator
    mongo: str
    database: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = {"uri": self.mongo, "database": self.database}
        stores = {
            "docs_store": {"type": "MongoStore", "collection_name": "outputs", **place},
            "additional_stores": {"data": {"type": "GridFSStore", "collection_name": "blobs", **place}},
        }
        launchpad = {"host": self.mongo, "name": self.database, "uri_mode": True, "strm_lvl": "WARNING"}
        rocket = f"rlaunch -l {self.folder}/my_launchpad.yaml -w {self.folder}/my_fworker.yaml singleshot"
        queue = {"_fw_name": "CommonAdapter", "_fw_q_type": "SLURM", "queue": SLURM, "ntasks": 1}
        shared = {"workdir": str(self.folder / "work")}
        self.write("protocol.yaml", PROTOCOL)
        self.write("store.yaml", stores)
        self.write("my_launchpad.yaml", launchpad)
        self.write("my_fworker.yaml", {"name": "here", "category": "", "query": "{}"})
        self.write("my_qadapter.yaml", {**queue, "rocket_launch": rocket, "pre_rocket": self.exports})
        self.write("project/tests.yaml", self._project(stores))
        self.write("fireworks.yaml", {"launcher": "fireworks", "launchpad": "my_launchpad.yaml", **shared})
        self.write("remote.yaml", {"launcher": "jobflow-remote", "project": "tests", **shared})

    @property
    def exports(self) -> str:
        return f"export OMP_NUM_THREADS=1 PATH={BIN}:$PATH"

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
        return path

    def _project(self, stores: Mapping[str, Any]) -> dict[str, Any]:
        worker = {
            "type": "local",
            "scheduler_type": "slurm",
            "work_dir": str(self.folder / "runs"),
            "pre_run": self.exports,
            "resources": {"partition": SLURM, "ntasks": 1, "time": "00:10:00"},
            "max_jobs": 2,
        }
        intervals = dict.fromkeys(("delay_checkout", "delay_check_run_status", "delay_advance_status"), 1)
        return {
            "name": "tests",
            "base_dir": str(self.folder / "remote"),
            "runner": {**intervals, "delay_refresh_limited": 1},
            "workers": {"slurm": worker},
            "queue": {"store": stores["docs_store"] | {"collection_name": "jobs"}},
            "jobstore": dict(stores),
        }

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Work in the folder, as the commands of a user would."""
        monkeypatch.chdir(self.folder)
        monkeypatch.setenv("TACHYLITE_STORE", str(self.folder / "store.yaml"))
        monkeypatch.setenv("JFREMOTE_PROJECTS_FOLDER", str(self.folder / "project"))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
        with contextlib.suppress(ImportError):
            import jobflow_remote

            # read from the environment when it is imported
            monkeypatch.setattr(jobflow_remote.SETTINGS, "projects_folder", str(self.folder / "project"))

    def tachylite(self, *words: str, code: int = 0) -> str:
        """Run a command of ours; its output, or what it complains of."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = main(words)
        assert found == code, f"{words}: {found}\n{out.getvalue()}\n{err.getvalue()}"
        return err.getvalue() if code else out.getvalue()

    def submit(self, launcher: str, *formulas: str) -> str:
        """Submit; the id of the campaign."""
        words = ("submit", *formulas, "--to", f"{launcher}.yaml", "--json", *self.simulation)
        return str(json.loads(self.tachylite(*words))["campaign_id"])

    @property
    def simulation(self) -> tuple[str, ...]:
        checkpoints = f"checkpoint_every={CHECKPOINT}"
        return ("--engine", self.calculator.name, "--protocol", "protocol.yaml", "--option", checkpoints)

    def jobs(self) -> list[dict[str, str]]:
        """The jobs of the campaign, as `tachylite status` says them."""
        found: list[dict[str, str]] = json.loads(self.tachylite("status", "newest", "--json"))["jobs"]
        return found

    def states(self) -> set[str]:
        return {job["state"] for job in self.jobs()}

    def materials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.tachylite("query", "--json"))
        return sorted(found, key=lambda material: str(material["material_id"]))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own; `end` ends it."""
        log = (self.folder / f"{words[0]}.log").open("a")
        process = subprocess.Popen(words, stdout=log, stderr=log, text=True, start_new_session=True)
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
        os.killpg(process.pid, number)
        process.wait(timeout=30)

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come in {seconds} s: {self.logs()}"
            time.sleep(0.5)

    def at_work(self) -> bool:
        """Whether the production run has left a checkpoint, and is not done."""
        return bool(list((self.folder / "work").glob("*/run-*/checkpoint.pt")))

    def logs(self) -> str:
        """What commands, runners and jobs on Slurm have said last."""
        paths = [path for pattern in ("*.log", "launcher_*/FW_job-*") for path in self.folder.glob(pattern)]
        return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in paths)


def local_run(
    calculator: Calculator, formulas: Sequence[str], folder: Path, **options: Any
) -> tuple[list[dict[str, Any]], int]:
    """The documents of a local run of the protocol with a search, and how often forces were computed for them."""
    calculator.pace(0)
    before = calculator.calls
    path = folder / "protocol.yaml"
    path.write_text(yaml.safe_dump(WITH_SEARCH), encoding="utf-8")
    store = open_store(folder / "store")
    engine = get_engine(calculator.name, **options)
    run_amorphous(formulas, protocol=load_protocol(path), engine=engine, store=store, workdir=folder / "work")
    found = [material.model_dump(mode="json") for material in find_materials(store)]
    return sorted(found, key=lambda material: str(material["material_id"])), calculator.calls - before


def same(material: Mapping[str, Any]) -> Any:
    """A document without what two runs of the same thing may differ in."""
    passing = {"created_at", "wall_time_s", "versions"}

    def without(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: without(inside) for name, inside in value.items() if name not in passing}
        return [without(inside) for inside in value] if isinstance(value, list) else value

    return without(material)
