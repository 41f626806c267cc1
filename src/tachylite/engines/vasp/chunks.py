"""The chunk that a call of VASP leaves: its steps up to the first bad one, and the state to continue from."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.chunks import Chunk, recorded_steps
from tachylite.engines.vasp.inputs import order_of
from tachylite.engines.vasp.output import Output, Step, read_contcar, read_vasprun
from tachylite.errors import InputError
from tachylite.physics.transport.displacement import Unwrapper
from tachylite.schemas import Segment, State

_SAME_PLACE_A = 1e-4
_NELM = re.compile(r"^\s*NELM\s*=\s*(\d+)", re.MULTILINE)
_DEFAULT_NELM = 60


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
    frame_steps = recorded_steps(segment, place[1], len(good))
    chosen = frame_steps - place[1] - 1
    return Chunk(
        segment=place[0],
        begin=place[1],
        final=final,
        energy_ev=np.array([step.energy_ev for step in good]),
        kinetic_ev=np.array([step.kinetic_ev for step in good]),
        virial_gpa=np.array([step.virial_gpa for step in good]),
        volume_a3=np.abs(np.linalg.det(_cells(good))),
        frame_steps=frame_steps.astype(np.float64),
        frames=positions[chosen],
        frame_cells=_cells(good)[chosen],
        frame_forces=unwrap.reorder(_stacked([step.forces for step in good], unwrap.shape))[chosen],
        frame_stresses=_stacked([step.stress_ev_a3 for step in good], (3, 3))[chosen],
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
