"""A chunk of molecular dynamics: the steps of one call of VASP, and the state from which the next one continues."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.vasp.inputs import order_of
from tachylite.engines.vasp.output import Output, Step, read_contcar, read_vasprun
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
    """The steps of one call of VASP, which began at step `begin` of a segment."""

    segment: int
    begin: int
    final: State
    """State with velocities from which the next call of VASP starts."""
    energy_ev: Array
    kinetic_ev: Array
    virial_gpa: Array
    volume_a3: Array
    frame_steps: Array
    """Steps of the segment, counting from 1, at which frames were taken."""
    frames: Array
    """Unwrapped positions in A, (F, N, 3)."""
    frame_cells: Array
    frame_forces: Array
    """In eV/A, (F, N, 3)."""
    frame_stresses: Array
    """In eV/A^3, (F, 3, 3), tension positive."""
    repeats: bool = False
    """Whether `final` is the last step itself, so that the next call repeats it."""
    problem: str | None = None
    """Why the run cannot continue, in one line."""
    version: str = ""
    potcars: list[str] = field(default_factory=list)
    wall_time_s: float = 0.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.energy_ev)

    def save(self, folder: Path) -> None:
        """Write the chunk to its folder; one with a problem without its steps, which cannot be continued."""
        stored = self if self.problem is None else self._without_steps()
        arrays = {name: getattr(stored, name) for name in _ARRAYS}
        fields = {name: getattr(stored, name) for name in _FIELDS} | {"final": stored.final.model_dump()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, words=np.array(json.dumps(fields)), **arrays)
        write_atomically(folder / RECORD, buffer.getbuffer())

    @classmethod
    def load(cls, folder: Path) -> "Chunk | None":
        """Read the chunk from its folder; None if it was not written."""
        if not (folder / RECORD).exists():
            return None
        with np.load(folder / RECORD) as saved:
            fields: dict[str, Any] = json.loads(str(saved["words"]))
            arrays = {name: saved[name] for name in _ARRAYS}
        return cls(**(fields | arrays | {"final": State.model_validate(fields["final"])}))

    def _without_steps(self) -> "Chunk":
        empty = np.empty(0)
        return replace(
            self,
            energy_ev=empty,
            kinetic_ev=empty,
            virial_gpa=empty,
            volume_a3=empty,
            frame_steps=empty,
            frames=np.empty((0, len(self.final.numbers), 3)),
            frame_cells=np.empty((0, 3, 3)),
            frame_forces=np.empty((0, len(self.final.numbers), 3)),
            frame_stresses=np.empty((0, 3, 3)),
        )


_ARRAYS = (
    *("energy_ev", "kinetic_ev", "virial_gpa", "volume_a3"),
    *("frame_steps", "frames", "frame_cells", "frame_forces", "frame_stresses"),
)
_FIELDS = ("segment", "begin", "repeats", "problem", "version", "potcars", "wall_time_s")


def read_chunk(
    folder: Path, segment: Segment, place: tuple[int, int], start: State, *, repeated: bool, error: str | None
) -> Chunk:
    """Read the steps of a call of VASP that started from state `start` at a `place`, segment and step.

    `repeated` says that the first step is the last one of the chunk before; `error` is the error of the call, if
    any. Steps are read up to the first that is not finite or not converged. A call that was cut off, even in the
    middle of a file, is continued from its last step if CONTCAR belongs to that step.
    """
    output = read_vasprun(folder / "vasprun.xml")
    steps = output.steps[1:] if repeated else output.steps
    nelm = _nelm(folder)
    bad = next((i for i, step in enumerate(steps) if not step.finite or step.electronic_steps >= nelm), None)
    good = steps[:bad]
    problem = _step_problem(steps[bad].finite, nelm) if bad is not None else None
    unwrap = _PositionUnwrapper(start)
    try:
        positions = unwrap(_stacked([step.scaled for step in good], unwrap.shape), _cells(good))
        final, repeats = start, repeated
        if problem is None:
            final, repeats = _final_state(folder, good[-1] if good else None, start, segment, unwrap)
    except (InputError, ValueError) as unreadable:
        positions, good, final, repeats, problem = np.empty((0, *unwrap.shape)), [], start, repeated, str(unreadable)
    except _CannotContinueError:
        final, repeats, problem = start, repeated, _end_problem(output, len(steps), error)
    every = segment.record_every
    counts = np.arange(place[1] + 1, place[1] + len(good) + 1)
    is_frame = counts % every == 0 if every else np.zeros(len(good), dtype=bool)
    return Chunk(
        segment=place[0],
        begin=place[1],
        final=final,
        energy_ev=np.array([step.energy_ev for step in good]),
        kinetic_ev=np.array([step.kinetic_ev for step in good]),
        virial_gpa=np.array([step.virial_gpa for step in good]),
        volume_a3=np.abs(np.linalg.det(_cells(good))),
        frame_steps=counts[is_frame].astype(np.float64),
        frames=positions[is_frame],
        frame_cells=_cells(good)[is_frame],
        frame_forces=unwrap.reorder(_stacked([step.forces for step in good], unwrap.shape))[is_frame],
        frame_stresses=_stacked([step.stress_ev_a3 for step in good], (3, 3))[is_frame],
        repeats=repeats,
        problem=problem,
        version=output.version,
        potcars=output.potcars,
    )


class _CannotContinueError(Exception):
    """CONTCAR is missing, incomplete, or of another step than the last."""


class _PositionUnwrapper:
    """Converts scaled positions in the order of the POSCAR to unwrapped ones in A in the order of the state."""

    def __init__(self, start: State) -> None:
        self.order = order_of(start)
        self.shape = (len(start.numbers), 3)
        self._unwrap = Unwrapper()
        self._unwrap(np.asarray(start.positions)[self.order][None], np.asarray(start.cell))

    def __call__(self, scaled: Array, cells: Array) -> Array:
        if not len(scaled):
            return np.empty((0, *self.shape))
        return self.reorder(self._unwrap(scaled @ cells, cells))

    def reorder(self, vectors: Array) -> Array:
        """Vectors in the order of the state, from those in the order of the POSCAR."""
        reordered = np.empty_like(vectors)
        reordered[..., self.order, :] = vectors
        return reordered


def _final_state(
    folder: Path, last: Step | None, start: State, segment: Segment, unwrap: _PositionUnwrapper
) -> tuple[State, bool]:
    """The state in CONTCAR, and whether it is the last step itself; normally VASP writes one step further."""
    contcar = read_contcar(folder / "CONTCAR", len(start.numbers))
    if contcar is None or last is None:
        raise _CannotContinueError
    scaled, velocities, cell = contcar
    shift = scaled - last.scaled
    moved = (shift - np.round(shift)) @ cell
    expected = velocities * segment.timestep_fs
    repeats = float(np.abs(moved).max()) < _SAME_PLACE_A
    if not repeats and _rms(moved - expected) > _rms(expected) / 2:
        raise _CannotContinueError
    state = State(
        numbers=start.numbers,
        positions=unwrap(scaled[None], cell[None])[0].tolist(),
        # CONTCAR rounds a cell that did not change
        cell=start.cell if segment.pressure_gpa is None else cell.tolist(),
        velocities=unwrap.reorder(velocities).tolist(),
    )
    return state, repeats


def _cells(steps: Sequence[Step]) -> Array:
    return _stacked([step.cell for step in steps], (3, 3))


def _stacked(arrays: Sequence[Array], shape: tuple[int, int]) -> Array:
    return np.array(arrays).reshape(-1, *shape)


def _rms(vectors: Array) -> float:
    return float(np.sqrt(np.square(vectors).sum(axis=-1).mean()))


def _step_problem(finite: bool, nelm: int) -> str:
    if not finite:
        return "diverged: an energy, force or stress is not a number (NaN)"
    return f"the electronic steps did not converge in NELM = {nelm}"


def _end_problem(output: Output, steps: int, error: str | None) -> str:
    if error is not None:
        return error
    if output.truncated and steps:
        return f"vasprun.xml is cut off after {steps} steps, and CONTCAR is of another step"
    return "VASP ended without a step" if not steps else "CONTCAR is not whole or of another step than vasprun.xml"


def _nelm(folder: Path) -> int:
    try:
        match = _NELM.search((folder / "INCAR").read_text(encoding="utf-8"))
    except OSError:
        match = None
    return int(match.group(1)) if match else _DEFAULT_NELM
