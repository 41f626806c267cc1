"""Displacements of atoms: unwrapping, drift, the mean squared displacement with its errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError

_LARGEST_STEP_OF_CELL = 0.4
_LARGEST_STRAIN = 0.2
_ORIGINS_PER_LAG = 20
_SLAB_VALUES = 300_000
_SCATTER_OF_RATIO = 0.3


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
    n_frames: int
    kept: Array | float = 1.0
    """Share of the displacements at the shortest lag that still count at each lag; it falls where atoms drop out."""

    @property
    def overlap(self) -> Array:
        r"""Covariance of the points with overlapping windows over that without, shape (n_lags, n_lags).

        For a random walk, relative to windows that do not overlap,

            (t^2 (t' - t/3) - t^4 / (6 W') + t/3) / W    over    t^2 t' / T    for t <= t'

        the integral of the squared overlap of two windows over all their origins: 2/3 for the variance at short
        lags (Qian et al., DOI 10.1016/S0006-3495(91)82125-7), 1 at half of the trajectory.

        ======  ==========================================
        symbol  meaning
        ======  ==========================================
        t, t'   the shorter and the longer of two lags
        T       length of the trajectory
        W, W'   origins that lags t and t' have, T - t, T - t'
        ======  ==========================================
        """
        lags = self.lags.astype(np.float64)
        short, long = np.minimum.outer(lags, lags), np.maximum.outer(lags, lags)
        length = float(self.n_frames)
        overlapping = short**2 * (long - short / 3) - short**4 / (6 * (length - long)) + short / 3
        relative: Array = overlapping / (length - short) / (short**2 * long / length)
        return relative

    @property
    def error_a2(self) -> Array:
        """Standard errors."""
        return np.sqrt(self.variance_a4 / self.n_independent)


def unwrap(wrapped_positions: ArrayLike, cells: ArrayLike) -> Array:
    """Unwrap positions: follow the atoms through the faces of the periodic cell.

    Takes positions of shape (n_frames, n_atoms, 3) in A and the cell, or one cell for each frame, of shape
    (3, 3) or (n_frames, 3, 3), lattice vectors as rows, in A; gives positions of the same shape that start
    at the first frame's.

    Raises InputError where an atom moves too far between two frames to know through which face it went
    (0.4 of the cell; at one half the two ways are equal), and where the cell itself jumps.
    """
    return Unwrapper()(wrapped_positions, cells)


class Unwrapper:
    """Unwrap a trajectory block by block, as `unwrap` does for a whole one.

    Every block has the shape (n_frames, n_atoms, 3), with its cells; what is kept between blocks is one frame.
    """

    def __init__(self) -> None:
        self._last: Array | None = None
        self._whole: Array | None = None
        self._last_cell: Array | None = None
        self._n_frames = 0

    def __call__(self, wrapped_positions: ArrayLike, cells: ArrayLike) -> Array:
        """Unwrap the next block; InputError as `unwrap`."""
        positions = _trajectory(wrapped_positions)
        cell_of_frame = np.broadcast_to(np.asarray(cells, dtype=np.float64), (len(positions), 3, 3))
        fractional = np.matmul(positions, np.linalg.inv(cell_of_frame))
        last = fractional[0] if self._last is None else self._last
        whole = fractional[0] if self._whole is None else self._whole
        steps = np.diff(fractional, axis=0, prepend=last[None])
        steps -= np.round(steps)
        self._refuse_jumps(steps, cell_of_frame)
        followed = whole + np.cumsum(steps, axis=0)
        self._last, self._whole, self._last_cell = fractional[-1], followed[-1], cell_of_frame[-1]
        self._n_frames += len(positions)
        unwrapped: Array = np.matmul(followed, cell_of_frame)
        return unwrapped

    def _refuse_jumps(self, steps: Array, cells: Array) -> None:
        before = cells[0] if self._last_cell is None else self._last_cell
        strain = np.matmul(np.linalg.inv(np.concatenate([before[None], cells[:-1]])), cells) - np.eye(3)
        if (largest := float(np.abs(strain).max())) > _LARGEST_STRAIN:
            frame = int(np.abs(strain).max(axis=(1, 2)).argmax()) + self._n_frames
            raise InputError(
                f"the cell changes by {100 * largest:.0f} % between frames {frame - 1} and {frame}, so atoms cannot be "
                "followed through its faces; give unwrapped positions"
            )
        if steps.size and (largest := float(np.abs(steps).max())) > _LARGEST_STEP_OF_CELL:
            frame, atom, _ = (int(i) for i in np.unravel_index(int(np.abs(steps).argmax()), steps.shape))
            frame += self._n_frames
            raise InputError(
                f"atom {atom} moves by {largest:.2f} of the cell between frames {frame - 1} and {frame}, too far "
                "to follow it through the faces; record frames more often or give unwrapped positions"
            )


def remove_drift(positions: ArrayLike, masses: ArrayLike) -> Array:
    """Remove the motion of the centre of mass from positions of shape (n_frames, n_atoms, 3), in A.

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

    Positions may be float32, to hold twice as many; sums are float64 either way, over slabs of origins, so that
    no copy of the trajectory is made.

    Raises InputError for lags out of this range.
    """
    trajectory = np.asarray(positions)
    if trajectory.dtype != np.float32:
        trajectory = _trajectory(positions)
    n_frames, n_atoms, _ = trajectory.shape
    chosen = np.asarray(lags, dtype=np.int64)
    if chosen.size == 0 or chosen.min() < 1 or chosen.max() >= n_frames:
        raise InputError(f"lags {chosen.tolist()} do not lie between 1 and {n_frames - 1}, the frames less one")
    rows = [_squared_displacements(trajectory, int(lag)) for lag in chosen]
    mean, variance, variance_of_average = np.array(rows).reshape(-1, 3).T
    windows = (n_frames - 1) / chosen
    ratio = collective_ratio(windows, variance / n_atoms, variance_of_average)
    return MeanSquaredDisplacement(chosen, mean, variance, np.maximum(n_atoms * windows / ratio, 1.0), n_frames)


def _squared_displacements(trajectory: NDArray[np.floating], lag: int) -> tuple[float, float, float]:
    """Mean and variance over origins and atoms at one lag, and the variance of the average over atoms."""
    n_atoms = trajectory.shape[1]
    origins = origins_of(len(trajectory), lag)
    averages, squares = np.empty(origins.size), 0.0
    size = max(1, _SLAB_VALUES // (3 * n_atoms))
    for start in range(0, origins.size, size):
        part = origins[start : start + size]
        moved = np.subtract(trajectory[part + lag], trajectory[part], dtype=np.float64)
        squared = np.einsum("fai,fai->fa", moved, moved)
        averages[start : start + size] = squared.mean(axis=1)
        squares += float(np.vdot(squared, squared))
    mean = float(averages.mean())
    return mean, max(squares / (origins.size * n_atoms) - mean**2, 0.0), float(averages.var())


def origins_of(n_frames: int, lag: int) -> NDArray[np.int64]:
    """Frames at which windows of a lag begin: 20 in every lag, or every frame."""
    return np.arange(0, n_frames - lag, max(1, lag // _ORIGINS_PER_LAG))


def collective_ratio(windows: Array, independent: Array, observed: Array) -> float:
    """Variance of an average over atoms, over that of an average over as many independent atoms; 1 or more.

    Both variances are given for every lag, as is the number of windows that do not overlap, (n_lags,).
    """
    # fewer windows know their variance badly, much shorter lags do not see collective motion yet
    usable = (windows >= 8) & (windows <= 25) & (independent > 0)
    if not usable.any():
        return 1.0
    ratios = observed[usable] / independent[usable] * windows[usable] / (windows[usable] - 1)
    # the mean of few ratios scatters about 1 for atoms that do not move together: what may be that is shrunk away
    excess = max(float(ratios.mean()) - 1, 0.0)
    return 1 + excess**3 / (excess**2 + _SCATTER_OF_RATIO**2)


def _trajectory(positions: ArrayLike) -> Array:
    trajectory = np.asarray(positions, dtype=np.float64)
    if trajectory.ndim != 3 or trajectory.shape[2] != 3:
        raise InputError(f"positions of shape (n_frames, n_atoms, 3) are needed, these are {trajectory.shape}")
    return trajectory
