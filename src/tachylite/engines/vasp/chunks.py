"""A chunk: the steps of one call of VASP, and the state from which the next one goes on."""

import io
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.vasp.inputs import order_of
from tachylite.engines.vasp.output import Output, read_contcar, read_vasprun
from tachylite.engines.workdir import write_atomically
from tachylite.errors import InputError
from tachylite.physics.transport.displacement import Unwrapper
from tachylite.schemas import Segment, State

RECORD = "chunk.npz"

_SAME_PLACE_A = 1e-4
_NELM = re.compile(r"^\s*NELM\s*=\s*(\d+)", re.MULTILINE)
_DEFAULT_NELM = 60


@dataclass(frozen=True)
class Chunk:
    """Steps from `begin` on of a segment, read from a folder."""

    segment: int
    begin: int
    final: State
    """With velocities: where the next call of VASP starts."""
    energy_ev: Array
    kinetic_ev: Array
    virial_gpa: Array
    frame_steps: Array
    """Steps of the segment, counting from 1, at which frames were taken."""
    frames: Array
    """Unwrapped positions in A, (F, N, 3)."""
    repeats: bool = False
    """Whether `final` is the last step itself, so that the next call repeats it."""
    problem: str | None = None
    """Why there is no going on, in one line."""
    version: str = ""
    potcars: list[str] = field(default_factory=list)
    wall_time_s: float = 0.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.energy_ev)

    def save(self, folder: Path) -> None:
        """Write it down, one with a problem as an attempt without steps: its steps cannot be continued."""
        kept = self if self.problem is None else self._without_steps()
        arrays = {name: getattr(kept, name) for name in _ARRAYS}
        words = {name: getattr(kept, name) for name in _WORDS} | {"final": kept.final.model_dump()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, words=np.array(json.dumps(words)), **arrays)
        write_atomically(folder / RECORD, buffer.getbuffer())

    @classmethod
    def load(cls, folder: Path) -> "Chunk | None":
        """Read what was written down, None where nothing was."""
        if not (folder / RECORD).exists():
            return None
        with np.load(folder / RECORD) as saved:
            words: dict[str, Any] = json.loads(str(saved["words"]))
            arrays = {name: saved[name] for name in _ARRAYS}
        return cls(**(words | arrays | {"final": State.model_validate(words["final"])}))

    def _without_steps(self) -> "Chunk":
        nothing = np.empty(0)
        return replace(
            self,
            energy_ev=nothing,
            kinetic_ev=nothing,
            virial_gpa=nothing,
            frame_steps=nothing,
            frames=np.empty((0, len(self.final.numbers), 3)),
        )


_ARRAYS = ("energy_ev", "kinetic_ev", "virial_gpa", "frame_steps", "frames")
_WORDS = ("segment", "begin", "repeats", "problem", "version", "potcars", "wall_time_s")


def read_chunk(
    folder: Path, segment: Segment, place: tuple[int, int], start: State, *, repeated: bool, complaint: str | None
) -> Chunk:
    """Read the steps of a call of VASP that started from a state at a `place`, segment and step.

    `repeated` says that the first step is the last one of the chunk before; `complaint` is what was said of the
    call. Steps count up to the first that is not finite or not converged. A call that was cut off, even in the
    middle of a file, is continued from its last step where CONTCAR belongs to it.
    """
    output = read_vasprun(folder / "vasprun.xml")
    steps = output.steps[1:] if repeated else output.steps
    bad = next((i for i, one in enumerate(steps) if not one.finite or one.electronic_steps >= _nelm(folder)), None)
    good = steps[:bad]
    problem = _said_of(steps[bad].finite, _nelm(folder)) if bad is not None else None
    follow = _Follower(start)
    try:
        positions = follow(np.array([one.scaled for one in good]))
        final, repeats = start, repeated
        if problem is None:
            final, repeats = _end(folder, good[-1].scaled if good else None, start, segment, follow)
    except (InputError, ValueError) as error:
        positions, good, final, repeats, problem = np.empty((0, *follow.shape)), [], start, repeated, str(error)
    except _CannotGoOnError:
        final, repeats, problem = start, repeated, _without_end(output, len(steps), complaint)
    every = segment.record_every
    counts = np.arange(place[1] + 1, place[1] + len(good) + 1)
    taken = counts % every == 0 if every else np.zeros(len(good), dtype=bool)
    return Chunk(
        segment=place[0],
        begin=place[1],
        final=final,
        energy_ev=np.array([one.energy_ev for one in good]),
        kinetic_ev=np.array([one.kinetic_ev for one in good]),
        virial_gpa=np.array([one.virial_gpa for one in good]),
        frame_steps=counts[taken].astype(np.float64),
        frames=positions[taken],
        repeats=repeats,
        problem=problem,
        version=output.version,
        potcars=output.potcars,
    )


class _CannotGoOnError(Exception):
    """CONTCAR is not there, not whole, or of another step than the last."""


class _Follower:
    """Unwraps scaled positions in the order of the POSCAR, to positions in A in the order of the state."""

    def __init__(self, start: State) -> None:
        self.order, self.cell = order_of(start), np.asarray(start.cell)
        self.shape = (len(start.numbers), 3)
        self._unwrap = Unwrapper()
        self._unwrap(np.asarray(start.positions)[self.order][None], self.cell)

    def __call__(self, scaled: Array) -> Array:
        if not len(scaled):
            return np.empty((0, *self.shape))
        return self.in_order(self._unwrap(scaled @ self.cell, self.cell))

    def in_order(self, vectors: Array) -> Array:
        found = np.empty_like(vectors)
        found[..., self.order, :] = vectors
        return found


def _end(folder: Path, last: Array | None, start: State, segment: Segment, follow: _Follower) -> tuple[State, bool]:
    """The state in CONTCAR, and whether it is the last step itself; one step further is what VASP writes."""
    found = read_contcar(folder / "CONTCAR", len(start.numbers))
    if found is None or last is None:
        raise _CannotGoOnError
    scaled, velocities = found
    shift = scaled - last
    moved = (shift - np.round(shift)) @ follow.cell
    expected = velocities * segment.timestep_fs
    repeats = float(np.abs(moved).max()) < _SAME_PLACE_A
    if not repeats and _rms(moved - expected) > _rms(expected) / 2:
        raise _CannotGoOnError
    state = State(
        numbers=start.numbers,
        positions=follow(scaled[None])[0].tolist(),
        cell=start.cell,
        velocities=follow.in_order(velocities).tolist(),
    )
    return state, repeats


def _rms(vectors: Array) -> float:
    return float(np.sqrt(np.square(vectors).sum(axis=-1).mean()))


def _said_of(finite: bool, nelm: int) -> str:
    if not finite:
        return "diverged: an energy, force or stress is not a number (NaN)"
    return f"the electronic steps did not converge in NELM = {nelm}"


def _without_end(output: Output, steps: int, complaint: str | None) -> str:
    if complaint is not None:
        return complaint
    if output.truncated and steps:
        return f"vasprun.xml is cut off after {steps} steps, and CONTCAR is of another step"
    return "VASP ended without a step" if not steps else "CONTCAR is not whole or of another step than vasprun.xml"


def _nelm(folder: Path) -> int:
    try:
        found = _NELM.search((folder / "INCAR").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return int(found.group(1)) if found else _DEFAULT_NELM
