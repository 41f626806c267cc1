"""What the benchmarks share: the machine, the melts, the peer's process, tables."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ase import Atoms
from ase.io import iread
from pydantic import BaseModel

from tachylite.engines import Engine, get_engine
from tachylite.engines.base import Answer
from tachylite.engines.packmol import pack
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.schemas import Request, Segment, State

HERE = Path(__file__).parent
RESULTS = HERE / "results"
MELTS = HERE / "build"
PEER_PYTHON = HERE / ".venv/bin/python"

TEMPERATURE_K = 3000.0
TIMESTEP_FS = 2.0
RECORD_EVERY = 10
VOLUME_A3_PER_ATOM = 16.0


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    import torch

    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "memory": f"{memory_gb:.0f} GB",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "torch-sim-atomistic", "chgnet", "ase")},
    }


def own_engine(device: str = "cpu") -> Engine:
    """The engine under test, without a limit on the batch that would cut it in two."""
    return get_engine("chgnet", device=device, batch_atoms=10_000)


def melt(
    n_atoms: int,
    seed: int = 1,
    *,
    formula: str = "Li3PO4",
    volume_a3_per_atom: float = VOLUME_A3_PER_ATOM,
    temperature_k: float = TEMPERATURE_K,
) -> State:
    """A melt with velocities: packed at random, then some steps at a temperature; kept on disk."""
    path = MELTS / f"{formula}-{n_atoms}-{volume_a3_per_atom:g}-{temperature_k:g}-{seed}.json"
    if not path.exists():
        start = pack(atom_counts(parse_formula(formula), n_atoms), n_atoms * volume_a3_per_atom, seed)
        melting = Segment(steps=200 if n_atoms <= 304 else 60, temperature_k=temperature_k, thermostat="langevin")
        run = simulate(own_engine(), [Request(label="melt", state=start, segments=[melting], seed=seed)])[0].run
        if run.status == "failed":
            raise RuntimeError(f"the melt of {n_atoms} atoms failed: {run.reason}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(run.final.model_dump_json())
    return State.model_validate_json(path.read_text())


def simulate(engine: Engine, requests: Sequence[Request]) -> list[Answer]:
    """Run requests in a work folder of their own, so that no answer is found instead of computed."""
    with TemporaryDirectory() as folder:
        return engine.run(requests, Path(folder))


def read_atoms(path: Path) -> Atoms:
    """The structure of a file that holds one."""
    (atoms,) = iread(path)
    return atoms


class Peer:
    """A process in the peer's environment, that answers one task at a time and sleeps in between."""

    def __init__(self, threads: int | None = None) -> None:
        if not PEER_PYTHON.exists():
            raise SystemExit("the peer's environment is missing; make it with: benchmarks/peer_environment")
        environment = os.environ | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
        self._process = subprocess.Popen(
            [PEER_PYTHON, HERE / "peer_worker.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Answer of the peer; raises RuntimeError where its process has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"task": task, **arguments}) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"the peer's process ended in task {task!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@dataclass(frozen=True)
class Rate:
    """Seconds per step of several repeats: their median, the smallest and the largest."""

    median: float
    low: float
    high: float
    repeats: int

    def __str__(self) -> str:
        return f"{self.median:.4f} ({self.low:.4f}-{self.high:.4f})"


@dataclass(frozen=True)
class Contender:
    """A code to measure: what makes it take a number of steps, and the two run lengths that are compared."""

    name: str
    run: Callable[[int], object]
    short: int
    long: int


def interleaved(contenders: Sequence[Contender], repeats: int) -> dict[str, Rate]:
    """Seconds per step of every contender, in turns, so that a slow minute of the machine hits all of them.

    A step costs what the long run takes beyond the short one: loading, first neighbour lists, documents and
    files written once cancel.
    """
    seconds: dict[str, list[float]] = {c.name: [] for c in contenders}
    for contender in contenders:
        contender.run(contender.short)
    for _ in range(repeats):
        for contender in contenders:
            short, long = (_time(contender.run, steps) for steps in (contender.short, contender.long))
            seconds[contender.name].append((long - short) / (contender.long - contender.short))
    return {name: Rate(statistics.median(s), min(s), max(s), len(s)) for name, s in seconds.items()}


def _time(run: Callable[[int], object], steps: int) -> float:
    started = time.perf_counter()
    run(steps)
    return time.perf_counter() - started


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def publish(name: str, sections: dict[str, str], numbers: dict[str, Any]) -> None:
    """Print the tables, and write them and the numbers behind them to `results/`.

    A part measured on its own replaces that part of an earlier result and leaves the others.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    for title, text in sections.items():
        known[title] = {"machine": machine(), "table": text, "numbers": numbers[title]}
        print(f"\n## {title}\n\n{text}\n")
    path.write_text(json.dumps(known, indent=1, default=_as_json) + "\n")
    pages = [f"## {title}\n\n{part['table']}\n\n{_machine_line(part['machine'])}\n" for title, part in known.items()]
    path.with_suffix(".md").write_text("\n".join(pages))


def _as_json(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else asdict(value)


def _machine_line(parts: dict[str, str]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in parts.items() if k not in ("cpu", "cores", "threads", "memory", "gpu"))
    return (
        f"{parts['cpu']}, {parts['cores']} cores, {parts['threads']} threads, {parts['memory']}, "
        f"GPU: {parts['gpu']}; {versions}"
    )
