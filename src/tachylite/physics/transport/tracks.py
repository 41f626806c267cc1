"""Trajectories of the atoms of one species, collected from blocks of frames in bounded memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array

MEMORY_BYTES = 500_000_000
"""Limit of the memory for stored positions: 12 bytes for each atom and frame."""

_FEWEST_STORED = 5000


@dataclass(frozen=True, eq=False)
class Tracks:
    """Unwrapped positions relative to the centre of mass of all atoms, every `stride`-th frame."""

    positions: NDArray[np.float32]
    """Of the species, in A, (F, n, 3)."""
    sums: Array
    """Weighted sums over all atoms, in A, (F, n_sums, 3)."""
    stride: int
    n_frames: int
    """Frames of the trajectory, including those that were left out."""
    cell: Array
    """Mean lattice vectors as rows, in A, (3, 3)."""
    volume_a3: float
    """Mean volume."""
    length_a: float
    """Cube root of the mean volume."""
    volume_change: float
    """Largest over smallest volume, less 1."""


class Tracker:
    """Collect the tracks of chosen atoms block by block, in bounded memory.

    Stored are float32 positions of the chosen atoms, 12 bytes an atom and frame. Where they would take more
    than `MEMORY_BYTES`, every second frame is left out, again and again; at least 5000 stay, which is more than
    60 lags up to half of the trajectory with 20 origins each ask for.

    In a changing cell, displacements are those of the fractional coordinates times the mean cell: the breathing of
    the cell does not count as motion, which it would, ever more, for atoms that are many cells away from
    where they started (von Buelow et al., DOI 10.1063/5.0008316).
    """

    def __init__(self, masses: ArrayLike, indices: ArrayLike, weights: ArrayLike) -> None:
        """Masses (N,), indices of the atoms to keep (n,), weights of the sums (n_sums, N)."""
        mass = np.asarray(masses, dtype=np.float64)
        self._fractions = mass / mass.sum()
        self._indices = np.asarray(indices, dtype=np.int64)
        self._weights = np.asarray(weights, dtype=np.float64).reshape(-1, mass.size)
        self._limit = max(2 * _FEWEST_STORED, MEMORY_BYTES // (12 * max(self._indices.size, 1)))
        self._positions: list[NDArray[np.float32]] = []
        self._sums: list[Array] = []
        self._stride, self._n_frames, self._n_stored = 1, 0, 0
        self._reference: Array | None = None
        self._cell_sum = np.zeros((3, 3))
        self._volumes = (np.inf, 0.0, 0.0)
        self._changes = False

    def add(self, positions: Array, cells: Array) -> None:
        """Take the next block: unwrapped positions (F, N, 3) and cells (F, 3, 3), in A."""
        if self._reference is None:
            self._reference = cells[0]
        self._cell_sum += cells.sum(axis=0)
        volumes = np.abs(np.linalg.det(cells))
        low, high, total = self._volumes
        self._volumes = min(low, float(volumes.min())), max(high, float(volumes.max())), total + float(volumes.sum())
        chosen = np.arange(-self._n_frames % self._stride, len(positions), self._stride)
        self._n_frames += len(positions)
        part = positions[chosen]
        part = part - np.einsum("fai,a->fi", part, self._fractions)[:, None]
        if not (cells == self._reference).all():
            self._changes = True
        if self._changes:
            part = np.matmul(part, np.linalg.inv(cells[chosen]) @ self._reference)
        self._positions.append(part[:, self._indices].astype(np.float32))
        self._sums.append(np.einsum("fai,wa->fwi", part, self._weights))
        self._n_stored += len(chosen)
        while self._n_stored > self._limit:
            self._halve()

    def _halve(self) -> None:
        self._positions, self._sums = (
            [np.concatenate(self._positions)[::2].copy()],
            [np.concatenate(self._sums)[::2].copy()],
        )
        self._stride *= 2
        self._n_stored = len(self._positions[0])

    def tracks(self) -> Tracks:
        """The tracks so far, after one block at least."""
        positions, sums = np.concatenate(self._positions), np.concatenate(self._sums)
        self._positions, self._sums = [positions], [sums]
        low, high, total = self._volumes
        volume = total / self._n_frames
        cell = self._cell_sum / self._n_frames
        if self._changes and self._reference is not None:
            to_mean = np.linalg.inv(self._reference) @ cell
            positions, sums = (positions @ to_mean).astype(np.float32), sums @ to_mean
        return Tracks(positions, sums, self._stride, self._n_frames, cell, volume, volume ** (1 / 3), high / low - 1)
