"""Commands that compute, in a process of their own, stopped by what stops processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.learning.learning_samples import make_sample

from tachylite.learning.model_file import save_model
from tachylite.learning.training import train

pytestmark = pytest.mark.slow

PROTOCOL = """
timestep_fs: 4.0
record_every: 10
packing: {n_atoms: 32}
steps: [{kind: hold, name: melt, temperature_k: 80, time_ps: %s}]
"""
PROGRAM = (sys.executable, "-c", "import sys; from tachylite.cli import main; sys.exit(main())")


# ASE's own keeps its list of neighbours for many steps, in the order of the step that made it
LISTED_ANEW = """
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT


class ListedAnew(EMT):
    def calculate(self, atoms, properties, changes):
        super().calculate(atoms, properties, all_changes)
"""


def command(folder: Path, time_ps: float, *more: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    protocol = folder / "argon.yaml"
    protocol.write_text(PROTOCOL % time_ps, encoding="utf-8")
    options = ["--engine", "lennard-jones", "--option", "checkpoint_every=1000", "--seed", "4", "--json"]
    return [*PROGRAM, "run", "Ar", "--protocol", str(protocol), "--store", str(folder / "store"), *options, *more]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "SLURM_JOB_END_TIME"}
    return kept | {"OMP_NUM_THREADS": "1"}


def melted(words: list[str]) -> dict[str, Any]:
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment())
    (material,) = json.loads(done.stdout)
    (melt,) = material["results"]
    run: dict[str, Any] = melt["run"]
    return {key: run[key] for key in ("steps", "segments", "final", "trajectory_id")}


def stopped_in_the_melt(words: list[str], number: signal.Signals) -> str:
    """What a command says at its end that gets a signal when it says that the melt has begun."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), bufsize=1
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("melt at "):
            break
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (128 + number, "")
    assert err.endswith("the same command goes on from there\n")
    return err.splitlines()[-1]


def checkpoints(store: Path) -> int:
    return len(list((store / "work").rglob("checkpoint.pt")))


def test_a_signal_saves_what_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    words = command(tmp_path / "stopped", 4)
    assert stopped_in_the_melt(words, signal.SIGTERM).startswith("terminated; ")
    assert checkpoints(tmp_path / "stopped" / "store") == 1, "the run has saved itself before its first interval"
    assert melted(words) == melted(command(tmp_path / "alone", 4))


def test_at_the_end_of_its_walltime_it_stops_by_itself(tmp_path: Path) -> None:
    words = command(tmp_path, 2000, "--walltime", "20s")
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stdout) == (124, "")
    assert done.stderr.splitlines()[-1].startswith("the walltime is used up at step")
    assert done.stderr.endswith("the same command goes on from there\n")


def test_a_prediction_goes_on_too(tmp_path: Path) -> None:
    """Stopped by Ctrl-C."""
    pytest.importorskip("sklearn")
    save_model(train(make_sample(15, names=("LNC", "AAV"), species="Cu"), ["gp"]), tmp_path / "model.npz")
    protocol = tmp_path / "fluid.yaml"
    protocol.write_text((PROTOCOL % 0.8).replace(" 80,", " 2000,").replace("32", "16"), encoding="utf-8")
    (tmp_path / "emt.py").write_text(LISTED_ANEW, encoding="utf-8")
    engine = f"ase:{tmp_path}/emt.py:ListedAnew"
    files = ["--model", str(tmp_path / "model.npz"), "--protocol", str(protocol)]
    words = [*PROGRAM, "predict", "Cu3Au", *files, "-T", "2000", "--engine", engine, "--json", "--store"]

    def predicted(store: str) -> dict[str, Any]:
        done = subprocess.run([*words, store], capture_output=True, text=True, check=True, env=environment())
        (found,) = json.loads(done.stdout)
        return {key: found[key] for key in ("value", "distance", "n_frames", "simulated")}

    stopped = str(tmp_path / "stopped")
    assert stopped_in_the_melt([*words, stopped], signal.SIGINT).startswith("interrupted; ")
    assert checkpoints(tmp_path / "stopped") == 1
    assert predicted(stopped) == predicted(str(tmp_path / "alone"))
