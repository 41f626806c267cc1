"""Frames of a trajectory, block by block, and means over groups of frames with their errors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.statistics import estimate_mean

FEWEST_GROUPS = 4
"""Smallest number of groups of frames that an error over frames is taken from."""

_MOST_GROUPS = 200


@dataclass(frozen=True)
class Frames:
    """A periodic trajectory; iterating gives positions (n_atoms, 3) and cell (3, 3) of one frame after another.

    Every analysis goes through the blocks once from the start and keeps none of them, so that a trajectory may
    be larger than the memory.
    """

    numbers: NDArray[np.int64]
    """Atomic numbers, shape (n_atoms,)."""
    blocks: Iterable[tuple[Array, Array]]
    """Positions, wrapped or not, (n, n_atoms, 3), and cells, lattice vectors as rows, (n, 3, 3), in A."""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        empty = True
        for positions, cells in self.blocks:
            if not np.isfinite(positions).all():
                raise InputError("the positions are not all finite; leave those frames out")
            empty = empty and len(positions) == 0
            yield from zip(positions, cells, strict=True)
        if empty:
            raise InputError("there are no frames to analyse")

    @property
    def symbols(self) -> list[str]:
        """The elements, in alphabetical order."""
        return sorted({chemical_symbols[z] for z in self.numbers})

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Index in `symbols` of every atom's element, shape (n_atoms,)."""
        symbols = self.symbols
        return np.array([symbols.index(chemical_symbols[z]) for z in self.numbers])


def take_frames(positions: ArrayLike, cells: ArrayLike, numbers: ArrayLike) -> Frames:
    """Check the arrays of a periodic trajectory and take them as one block.

    Takes Cartesian positions, wrapped or not, of shape (n_frames, n_atoms, 3) in A; the cell, or one for each
    frame, shape (3, 3) or (n_frames, 3, 3), lattice vectors as rows, any shape of cell; and atomic numbers,
    shape (n_atoms,).

    Raises InputError for arrays that do not fit together, for cells without volume and for no frames.
    """
    trajectory = np.asarray(positions, dtype=np.float64)
    lattices = np.asarray(cells, dtype=np.float64)
    kinds = np.asarray(numbers, dtype=np.int64)
    if trajectory.ndim != 3 or trajectory.shape[2] != 3 or len(trajectory) == 0:
        raise InputError(f"positions of shape (n_frames, n_atoms, 3) are needed, these are {trajectory.shape}")
    if kinds.shape != trajectory.shape[1:2] or kinds.size == 0:
        raise InputError(f"{kinds.size} atomic numbers for {trajectory.shape[1]} atoms; give one for each atom")
    if lattices.shape not in {(3, 3), (1, 3, 3), (len(trajectory), 3, 3)}:
        raise InputError(f"cells of shape {lattices.shape} for {len(trajectory)} frames; give one, or one for each")
    if not (np.abs(np.linalg.det(lattices)) > 1e-6).all():
        raise InputError("a cell has no volume; a periodic cell with three lattice vectors is needed")
    return Frames(kinds, [(trajectory, np.broadcast_to(lattices, (len(trajectory), 3, 3)))])


class GroupSums:
    """Sums of arrays over groups of consecutive frames: at most 200 groups, whatever the number of frames."""

    def __init__(self, *shape: int) -> None:
        self._sums = np.zeros((_MOST_GROUPS, *shape))
        self._frames = np.zeros(_MOST_GROUPS, dtype=np.int64)
        self._frames_per_group = 1
        self._group = 0

    def next_frame(self) -> Array:
        """Return the array of sums, of the shape given at the start, to which to add the next frame's values."""
        if self._frames[self._group] == self._frames_per_group:
            self._group += 1
        if self._group == _MOST_GROUPS:
            self._merge()
        self._frames[self._group] += 1
        sums: Array = self._sums[self._group]
        return sums

    def _merge(self) -> None:
        half = _MOST_GROUPS // 2
        for array in (self._sums, self._frames):
            array[:half] = array[::2] + array[1::2]
            array[half:] = 0
        self._frames_per_group *= 2
        self._group = half

    @property
    def frames(self) -> Array:
        """Number of frames in every group, shape (n_groups,); the last one may hold fewer than the others."""
        return self._frames[self._frames > 0].astype(np.float64)

    @property
    def sums(self) -> Array:
        """Sums over every group, shape (n_groups, ...)."""
        summed: Array = self._sums[self._frames > 0]
        return summed


def ratio_of_sums(numerators: Array, denominators: Array) -> tuple[Array, Array]:
    """Ratio of two sums over groups of frames and its standard error by blocking, both of shape (n,).

    Takes numerators of shape (n_groups, n) and denominators of shape (n_groups,), such as angles in bins and
    all angles. The error is that of the mean of N - ratio D, over the mean of D.
    """
    total = float(denominators.sum())
    ratio: Array = numerators.sum(axis=0) / total
    residuals = (numerators - ratio * denominators[:, None]) * len(denominators) / total
    return ratio, np.array([estimate_mean(series).error for series in residuals.T])
