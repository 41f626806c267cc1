"""Trajectories in blocks of frames: the same atoms and a periodic cell in each, positions unwrapped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.transport.displacement import Unwrapper

_BLOCK_BYTES = 4_000_000
_SAME_PLACE_A = 1e-4
_RELATIVE_SPACING_TOLERANCE = 1e-3
_SPACING_RESOLUTION_FS = 1e-6


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame as it is in a file."""

    numbers: NDArray[np.int64]
    """Atomic numbers, (N,)."""
    positions: Array
    """Cartesian, in A, (N, 3)."""
    cell: Array
    """Lattice vectors as rows, in A, (3, 3)."""
    time_fs: float | None = None
    """None where the file does not give it."""
    wrapped: bool = True
    """False where positions were never folded back into the cell."""


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive frames."""

    positions: Array
    """Cartesian, in A, (F, N, 3)."""
    cells: Array
    """Lattice vectors as rows, in A, (F, 3, 3)."""
    times_fs: Array
    """(F,); consecutive numbers where neither the file nor the caller gives times."""


@dataclass(frozen=True, eq=False)
class TrajectoryReader:
    """A trajectory in a file, which every call of `blocks` reads anew, a few megabytes at a time.

    `timestep_fs` is the time between the first two frames; it rescales the times of a file that has them.
    """

    path: Path
    open: Callable[[], Iterator[Frame]]
    """Starts at the first frame at every call."""
    numbers: NDArray[np.int64]
    """Atomic numbers, (N,)."""
    has_times: bool
    """In the file, or given as `timestep_fs`."""
    timestep_fs: float | None = None
    _file_spacing_fs: float | None = None

    @classmethod
    def from_file(
        cls, path: Path, read: Callable[[], Iterator[Frame]], timestep_fs: float | None
    ) -> "TrajectoryReader":
        """Make the reader of a file with the function that reads its frames; InputError where it has none."""
        first_two = list(islice(read(), 2))
        if not first_two:
            raise InputError(f"trajectory {path} has no frames")
        times = [frame.time_fs for frame in first_two if frame.time_fs is not None]
        spacing = times[1] - times[0] if len(times) == 2 else None
        return cls(
            path, read, first_two[0].numbers, timestep_fs is not None or bool(times), timestep_fs, spacing or None
        )

    def blocks(self, *, unwrap: bool = True) -> Iterator[Block]:
        """Give all frames in order, each block at most 4 MB of positions or one frame.

        Positions follow the atoms through the faces of the cell, or are left as the file has them: static
        analysis needs no unwrapping and takes frames that are not close in time. A frame that repeats the
        one before, as at a restart, is left out.

        Raises InputError for a frame without a periodic cell, with other atoms than the first or in another
        order, that is not finite, and, unwrapping, for atoms that move too far to be followed.
        """
        size = max(1, _BLOCK_BYTES // (24 * len(self.numbers)))
        unwrapper = Unwrapper()
        frames = self._distinct()
        count = 0
        while batch := list(islice(frames, size)):
            positions = np.array([frame.positions for frame in batch])
            cells = np.array([frame.cell for frame in batch])
            if unwrap and batch[0].wrapped:
                positions = self._unwrap(unwrapper, positions, cells)
            yield Block(positions, cells, self._times(batch, count))
            count += len(batch)

    def _unwrap(self, unwrapper: Unwrapper, positions: Array, cells: Array) -> Array:
        try:
            return unwrapper(positions, cells)
        except InputError as error:
            raise InputError(f"trajectory {self.path}: {error}") from None

    def _times(self, batch: list[Frame], count: int) -> Array:
        times = [frame.time_fs for frame in batch if frame.time_fs is not None]
        if len(times) == len(batch) and (self.timestep_fs is None or self._file_spacing_fs is not None):
            scale = 1.0 if self.timestep_fs is None else self.timestep_fs / (self._file_spacing_fs or 1.0)
            return np.array([time * scale for time in times])
        return np.arange(count, count + len(batch), dtype=np.float64) * (self.timestep_fs or 1.0)

    def _distinct(self) -> Iterator[Frame]:
        before: Frame | None = None
        for index, frame in enumerate(self.open()):
            self._check(frame, index)
            if before is None or not _repeats(before, frame):
                yield frame
            before = frame

    def _check(self, frame: Frame, index: int) -> None:
        where = f"trajectory {self.path}, frame {index + 1}:"
        if not np.array_equal(frame.numbers, self.numbers):
            raise InputError(f"{where} other atoms than in the first frame, or in another order")
        if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell).all()):
            raise InputError(f"{where} a position or the cell is not finite; cut the trajectory before it")
        if abs(np.linalg.det(frame.cell)) < 1e-6:
            raise InputError(f"{where} without a periodic cell, which this analysis needs")


def spacing_fs(times_fs: Array, path: Path) -> float:
    """Time between frames in fs, times of shape (F,) in fs; InputError where it changes on the way."""
    steps = np.diff(times_fs)
    if steps.size == 0:
        raise InputError(f"trajectory {path} has one frame; diffusion needs many")
    usual = float(np.median(steps))
    odd = np.abs(steps - usual) > _RELATIVE_SPACING_TOLERANCE * abs(usual) + _SPACING_RESOLUTION_FS
    if odd.any() or usual <= 0:
        where = int(np.argmax(odd)) if odd.any() else 0
        raise InputError(
            f"trajectory {path} is not equally spaced in time: {steps[where]:g} fs between frames {where + 1} and "
            f"{where + 2}, {usual:g} fs elsewhere; take the equally spaced part of it"
        )
    return usual


def _repeats(before: Frame, frame: Frame) -> bool:
    """Whether a frame is the one before written twice: at the same time, with every atom in place."""
    if before.time_fs is None or before.time_fs != frame.time_fs:
        return False
    return same_place(before, frame)


def same_place(before: Frame, frame: Frame) -> bool:
    """Whether every atom and the cell are where they were, but for whole lattice vectors."""
    if np.abs(frame.cell - before.cell).max() > _SAME_PLACE_A:
        return False
    shift = np.linalg.solve(frame.cell.T, (frame.positions - before.positions).T).T
    return bool(np.abs((shift - np.round(shift)) @ frame.cell).max() < _SAME_PLACE_A)
