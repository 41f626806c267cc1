"""Displacements of atoms: unwrapping, drift, the mean squared displacement with its errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.errors import InputError

type Array = NDArray[np.float64]

_LARGEST_STEP_OF_CELL = 0.4
_ORIGINS_PER_LAG = 20


@dataclass(frozen=True)
class MeanSquaredDisplacement:
    """Mean squared displacement over multiple time origins; every array has shape (n_lags,)."""

    lags: NDArray[np.int64]
    """In frames."""
    msd_a2: Array
    variance_a4: Array
    """Of one squared displacement of one atom."""
    n_independent: Array
    """Independent displacements at each lag."""

    @property
    def error_a2(self) -> Array:
        """Standard errors."""
        return np.sqrt(self.variance_a4 / self.n_independent)


def unwrap(wrapped_positions: ArrayLike, cells: ArrayLike) -> Array:
    """Positions that follow the atoms through the faces of the cell.

    Takes positions of shape (n_frames, n_atoms, 3) in A and the cell, or one cell for each frame, of shape
    (3, 3) or (n_frames, 3, 3), lattice vectors as rows, in A; gives positions of the same shape that start
    at the first frame's.

    Raises InputError where an atom moves too far between two frames to know through which face it went
    (0.4 of the cell; at one half the two ways are equal).
    """
    positions = _trajectory(wrapped_positions)
    cell_of_frame = np.broadcast_to(np.asarray(cells, dtype=np.float64), (len(positions), 3, 3))
    fractional = np.matmul(positions, np.linalg.inv(cell_of_frame))
    steps = np.diff(fractional, axis=0)
    steps -= np.round(steps)
    if steps.size and (largest := float(np.abs(steps).max())) > _LARGEST_STEP_OF_CELL:
        frame, atom, _ = np.unravel_index(int(np.abs(steps).argmax()), steps.shape)
        raise InputError(
            f"atom {atom} moves by {largest:.2f} of the cell between frames {frame} and {frame + 1}, too far "
            "to follow it through the faces; record frames more often or give unwrapped positions"
        )
    steps = np.concatenate([fractional[:1], steps])
    unwrapped: Array = np.matmul(np.cumsum(steps, axis=0), cell_of_frame)
    return unwrapped


def remove_drift(positions: ArrayLike, masses: ArrayLike) -> Array:
    """Positions of shape (n_frames, n_atoms, 3), in A, relative to the centre of mass of all atoms.

    Masses have the shape (n_atoms,), in any unit.
    """
    trajectory = _trajectory(positions)
    weights = np.asarray(masses, dtype=np.float64)
    if weights.shape != trajectory.shape[1:2]:
        raise InputError(f"{weights.size} masses for {trajectory.shape[1]} atoms; give one for each atom")
    centre: Array = np.einsum("fai,a->fi", trajectory, weights / weights.sum())
    return trajectory - centre[:, None]


def mean_squared_displacement(positions: ArrayLike, lags: ArrayLike) -> MeanSquaredDisplacement:
    """Mean squared displacement of all atoms of unwrapped positions, shape (n_frames, n_atoms, 3), in A.

    Lags are in frames, from 1 to n_frames - 1. Origins overlap (20 in every lag). The displacements of
    one atom in windows that do not overlap count as independent (McCluskey et al., DOI
    10.1021/acs.jctc.4c01249); atoms of a liquid move together, so their number is divided by the ratio of
    the variance of the atoms' average to that of as many independent atoms. For 64 Lennard-Jones atoms
    that ratio is about 2.5, and errors without it are too small by its root.

    Raises InputError for lags out of this range.
    """
    trajectory = _trajectory(positions)
    n_frames, n_atoms, _ = trajectory.shape
    chosen = np.asarray(lags, dtype=np.int64)
    if chosen.size == 0 or chosen.min() < 1 or chosen.max() >= n_frames:
        raise InputError(f"lags {chosen.tolist()} do not lie between 1 and {n_frames - 1}, the frames less one")
    rows = []
    for lag in chosen:
        stride = max(1, int(lag) // _ORIGINS_PER_LAG)
        displacements = trajectory[lag::stride] - trajectory[: n_frames - lag : stride]
        squares = np.einsum("fai,fai->fa", displacements, displacements)
        rows.append((squares.mean(), squares.var(), squares.mean(axis=1).var()))
    mean, variance, variance_of_average = np.array(rows).reshape(-1, 3).T
    windows = (n_frames - 1) / chosen
    together = _collective_ratio(windows, variance / n_atoms, variance_of_average)
    return MeanSquaredDisplacement(chosen, mean, variance, np.maximum(n_atoms * windows / together, 1.0))


def _collective_ratio(windows: Array, independent: Array, found: Array) -> float:
    """How many times the variance of an average over atoms exceeds that over as many independent ones."""
    # fewer windows know their variance badly, much shorter lags do not see collective motion yet
    usable = (windows >= 8) & (windows <= 25) & (independent > 0)
    if not usable.any():
        return 1.0
    ratios = found[usable] / independent[usable] * windows[usable] / (windows[usable] - 1)
    return max(1.0, float(ratios.mean()))


def _trajectory(positions: ArrayLike) -> Array:
    trajectory = np.asarray(positions, dtype=np.float64)
    if trajectory.ndim != 3 or trajectory.shape[2] != 3:
        raise InputError(f"positions of shape (n_frames, n_atoms, 3) are needed, these are {trajectory.shape}")
    return trajectory
