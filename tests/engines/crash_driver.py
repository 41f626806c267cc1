"""Runs and relaxations that are signalled, killed and starved in processes of their own, with a report in JSON.

One interpreter imports everything and forks for each attempt, so that an attempt takes a fraction of a second.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import torch
from ase.build import bulk

from tachylite.engines import get_engine
from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.interruption import use_deadline
from tachylite.engines.torchsim import relaxation
from tachylite.engines.torchsim.batch_relaxation import BatchInRelaxation
from tachylite.schemas import Request, Segment, State

ATOMS = bulk("Ar", "fcc", 5.4, cubic=True).repeat(2)
STATE = State.from_atoms(ATOMS)
SEGMENTS = [
    Segment(steps=330, temperature_k=90, thermostat="langevin"),
    Segment(steps=370, temperature_k=90, end_temperature_k=60, record_every=10),
]
ENGINE = get_engine("lennard-jones", checkpoint_every=100)

type Listener = Callable[[Progress], None]


def run(folder: Path) -> str:
    """Two members, and the bytes that they end with."""
    requests = [Request(label="argon", state=STATE, segments=SEGMENTS, seed=seed) for seed in (1, 2)]
    answers = ENGINE.run(requests, folder)
    return "".join(a.trajectory.sha256 for a in answers if a.trajectory) + answers[1].run.final.model_dump_json()


def relax(folder: Path) -> str:
    """Two crystals that were shaken, and where they end."""
    states = []
    for seed in (1, 2):
        atoms = ATOMS.copy()
        atoms.positions += np.random.default_rng(seed).normal(0, 0.3, atoms.positions.shape)
        states.append(State.from_atoms(atoms))
    # not at the last of its ten steps, after which there is one more anyway
    engine = get_engine("lennard-jones", checkpoint_every=6)
    relaxations = engine.relax(states, folder, relax_cell=True, labels=["first", "second"])
    return json.dumps([relaxation.model_dump() for relaxation in relaxations])


WORK = {"run": run, "relax": relax}


def attempt(
    work: Callable[[Path], str], folder: Path, listener: Listener, prepare: Callable[[], None]
) -> dict[str, Any]:
    """Fork, and say how the child ended: its status, what it raised or answered, and the steps it reported."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        report: dict[str, Any] = {"steps": []}

        def listen(progress: Progress) -> None:
            report["steps"].append(progress.done)
            listener(progress)

        progress_listener.set(listen)
        try:
            prepare()
            with mock.patch.object(relaxation, "_report", report_steps):
                report["answer"] = work(folder)
        except BaseException as error:
            report["raised"] = f"{type(error).__name__}: {error}"
        os.write(send, json.dumps(report).encode())
        os._exit(0)
    os.close(send)
    text = b""
    while piece := os.read(receive, 65536):
        text += piece
    os.close(receive)
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), **(json.loads(text) if text else {})}


def report_steps(label: str, batch: BatchInRelaxation, outcome: str = "") -> None:
    """Report the steps of a batch in relaxation, of which the members are at different ones."""
    listener = progress_listener.get()
    assert listener is not None
    listener(Progress(label, batch.steps_taken, batch.max_steps, len(batch.members), 0.0, outcome=outcome))


def nothing(*_: object) -> None:
    """Do nothing."""


def at(step: int, action: Callable[[], None]) -> Listener:
    """Act once, at the first report of that step or a later one."""
    pending = [action]

    def listen(progress: Progress) -> None:
        if progress.done >= step and pending:
            pending.pop()()

    return listen


def me(number: int) -> Callable[[], None]:
    """Send a signal to this process."""
    return lambda: os.kill(os.getpid(), number)


DEADLINES = ExitStack()


def with_time_left(seconds: float) -> None:
    """Have the work of this process end so many seconds from now."""
    DEADLINES.enter_context(use_deadline(time.time() + seconds))


def interruptions(folder: Path, name: str) -> dict[str, Any]:
    """Every way to be asked to stop, each followed by an attempt that is left alone."""
    work = WORK[name]
    step = 310 if name == "run" else 7  # of 10

    def heed() -> None:
        signal.signal(signal.SIGTERM, lambda *_: (folder / "seen").touch())

    def slurm() -> None:
        os.environ["SLURM_JOB_END_TIME"] = str(int(time.time()) + 20)

    def double() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    def ignore() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    cases: dict[str, tuple[Listener, Callable[[], None]]] = {
        "SIGTERM": (at(step, me(signal.SIGTERM)), nothing),
        "SIGINT": (at(step, me(signal.SIGINT)), nothing),
        "twice": (at(step, double), nothing),
        "walltime": (at(step, lambda: time.sleep(5)), lambda: with_time_left(6)),
        "slurm": (nothing, slurm),
        "heeded": (at(step, me(signal.SIGTERM)), heed),
        "ignored": (at(step, me(signal.SIGTERM)), ignore),
    }
    report: dict[str, Any] = {"alone": attempt(work, folder / "alone", nothing, nothing)}
    for case, (listener, prepare) in cases.items():
        first = attempt(work, folder / case, listener, prepare)
        report[case] = {"first": first, "then": attempt(work, folder / case, nothing, nothing)}
    report["heeded"]["seen"] = (folder / "seen").exists()
    return report


def crashes(folder: Path, name: str) -> dict[str, Any]:
    """Killed while it writes to the disk, at another write each time, before the end of it is on the disk."""
    work = WORK[name]
    fsync = os.fsync

    def dying(write: int) -> Callable[[], None]:
        left = [write]

        def half(descriptor: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - 100)
                os.kill(os.getpid(), signal.SIGKILL)
            fsync(descriptor)

        def prepare() -> None:
            mock.patch.object(os, "fsync", half).start()

        return prepare

    writes = (1, 1, 2, 3, 4, 5, 6, 2, 1, 1000)
    attempts = [attempt(work, folder / "killed", nothing, dying(write)) for write in writes]
    return {"alone": attempt(work, folder / "alone", nothing, nothing), "attempts": attempts}


def starvation(folder: Path, name: str) -> dict[str, Any]:
    """A disk that fills up on the way, or at the end, and then has room again; `folder` lies on a small one."""
    work, filler = WORK[name], folder / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file:
            for size in (65536, 1024, 1):
                with suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass

    def fill_at_the_end() -> None:
        """Once the last checkpoint is written, and before the answers are."""
        replace = os.replace

        def watching(source: Any, target: Any, **options: Any) -> None:
            replace(source, target, **options)
            if Path(target).name == "checkpoint.pt" and reached:
                fill()

        mock.patch.object(os, "replace", watching).start()

    reached: list[int] = []
    report: dict[str, Any] = {"alone": attempt(work, folder / "alone", nothing, nothing)}
    last = report["alone"]["steps"][-1]
    cases: dict[str, tuple[Listener, Callable[[], None]]] = {
        "on the way": (at(250 if name == "run" else 7, fill), nothing),
        "at the end": (at(last, lambda: reached.append(1)), fill_at_the_end),
    }
    for case, (listener, prepare) in cases.items():
        place = folder / case.replace(" ", "-")
        first = attempt(work, place, listener, prepare)
        files = sorted(path.name for path in place.glob("*/*"))
        again = attempt(work, place, nothing, nothing)
        filler.unlink()
        report[case] = {"first": first, "files": files, "again": again, "then": attempt(work, place, nothing, nothing)}
    return report


def limits(folder: Path, name: str) -> dict[str, Any]:
    """Files that may not grow further, as with a quota."""
    work = WORK[name]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

    report: dict[str, Any] = {"alone": attempt(work, folder / "alone", nothing, nothing)}
    first = attempt(work, folder / "work", at(250, limit), nothing)
    return report | {"first": first, "then": attempt(work, folder / "work", nothing, nothing)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    with TemporaryDirectory() as aside:  # every module is imported before the first fork
        relax(Path(aside))
        run(Path(aside))
    scenario, name, where = sys.argv[1:]
    Path(where).mkdir(parents=True, exist_ok=True)
    scenarios = {"interruptions": interruptions, "crashes": crashes, "starvation": starvation, "limits": limits}
    print(json.dumps(scenarios[scenario](Path(where), name)))  # noqa: T201 - it is read by who started the program
