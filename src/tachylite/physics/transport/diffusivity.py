"""Diffusion from unwrapped trajectories: mean squared displacements, diffusivities with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array, FloatList
from tachylite.measured import FrozenModel, Interval
from tachylite.physics.statistics import GAUSSIAN_95, ln_error_of, log_normal_interval
from tachylite.physics.transport.displacement import MeanSquaredDisplacement, mean_squared_displacement, remove_drift
from tachylite.units import CM2_S_PER_A2_FS

_N_LAGS = 60
_FEWEST_FRAMES = 20
_FEWEST_LAGS = 5
_LEFT_SITE_A2 = 3.0
_SMALLEST_NET_DISPLACEMENT_A = 0.5
_LARGEST_LN_ERROR = 0.5
_SURELY_CHANGED = 3.5
_PLATEAU_EXPONENT = 0.3
_SUBDIFFUSIVE_EXPONENT = 0.5
_BALLISTIC_EXPONENT = 1.4


class DiffusivityEstimate(FrozenModel):
    """A diffusivity with its 95 % interval, or why there is none and how large it may be at most."""

    diffusive: bool
    reason: str | None = None
    """Why there is no number, where the motion is not diffusive."""
    diffusivity_cm2_s: float | None = None
    diffusivity_interval_cm2_s: Interval | None = None
    upper_bound_cm2_s: float | None = None
    """Where the motion is not diffusive: what the mean squared displacement still allows (97.5 %)."""
    n_independent: float
    """Independent displacements at the longest lag used."""

    @property
    def ln_error(self) -> float | None:
        """Standard error of ln D; None where there is no diffusivity."""
        interval = self.diffusivity_interval_cm2_s
        return None if interval is None else ln_error_of(interval)


class TracerDiffusivity(DiffusivityEstimate):
    """Tracer diffusivity of one species with the curve it was read from; lists have the shape (n_lags,)."""

    lags_fs: FloatList
    msd_a2: FloatList
    msd_error_a2: FloatList
    fit_start_fs: float | None = None
    """Lag from which on the curve was fitted."""
    intercept_a2: float | None = None
    """Of the fitted line."""


@dataclass(frozen=True)
class _Line:
    """MSD = slope * lag + intercept from a lag on, in A^2 and frames."""

    first: int
    slope: float
    slope_error: float
    intercept: float
    weights: Array
    """Of the points in the fitted slope, (n_lags,)."""
    covariance_a4: Array
    """Covariance of the points if this line were the truth, (n_lags, n_lags)."""


def diffusivity(
    positions: ArrayLike, species_indices: ArrayLike, masses: ArrayLike, timestep_fs: float
) -> TracerDiffusivity:
    r"""Tracer diffusivity of some atoms from unwrapped positions, shape (n_frames, n_atoms, 3), in A.

    The drift of the whole cell (centre of mass by `masses`, shape (n_atoms,)) is removed; `timestep_fs` is
    the time between frames. The mean squared displacement at 60 lags up to half of the trajectory is
    fitted with

        MSD(t) = 6 D t + c    from t0 on

    by generalised least squares with the covariance of McCluskey et al. (DOI 10.1021/acs.jctc.4c01249),

        cov(t_i, t_j) = v(t_i) / n(t_j)    for t_i <= t_j

    where kinisi takes v from the observed scatter, which favours lags whose displacements happen to be
    low; here v follows from the fitted line itself, by iteration, and c adds independent noise. The error of D is
    that of its weights with the covariance of windows that overlap (`MeanSquaredDisplacement.overlap`), the
    interval is that of ln D.

    ======  =========================================================================================
    symbol  meaning
    ======  =========================================================================================
    D       tracer diffusivity
    c       displacement within a site, less what is lost before t0
    t0      lag at which atoms have left their site (3 A^2, half a neighbour distance; a quarter of the
            longest lag at most), or a later one where the slope still changes significantly
    v(t)    variance of one squared displacement, k (6 D t)^2, with k from the observed variances
    n(t)    independent displacements at lag t, less for atoms that move together
    ======  =========================================================================================

    Where the motion is not diffusive, or D is not resolved, the answer says so and gives an upper bound.
    It never raises for short or odd trajectories.

    Raises InputError for arrays of the wrong shape.
    """
    tracks = remove_drift(positions, masses)[:, np.asarray(species_indices, dtype=np.int64)]
    return diffusivity_of_tracks(tracks, timestep_fs)


def diffusivity_of_tracks(
    positions: NDArray[np.floating], timestep_fs: float, earliest_start_fs: float = 0.0
) -> TracerDiffusivity:
    """Diffusivity, as `diffusivity` gives it, of positions that are relative to the centre of mass already.

    Positions have the shape (n_frames, n, 3), in A, float32 or float64. The fit starts at `earliest_start_fs` or later.
    For the sum over all atoms of a species, give the start of the fit of the species: it is known more precisely from
    many atoms than from their one sum.
    """
    if positions.shape[1] == 0:
        return _undetermined("there are no atoms of this species")
    if not np.isfinite(positions).all():
        return _undetermined("the positions are not all finite")
    half = len(positions) // 2
    if half == 0:
        return _undetermined("one frame shows no motion")
    lags = np.unique(np.linspace(half / _N_LAGS, half, _N_LAGS).round().astype(np.int64))
    return diffusivity_of_curve(mean_squared_displacement(positions, lags[lags > 0]), timestep_fs, earliest_start_fs)


def diffusivity_of_curve(
    curve: MeanSquaredDisplacement, timestep_fs: float, earliest_start_fs: float = 0.0, *, dimensions: int = 3
) -> TracerDiffusivity:
    """Diffusivity, as `diffusivity` gives it, from displacements in 1, 2 or 3 dimensions: MSD(t) = 2 d D t + c."""
    if curve.n_frames < _FEWEST_FRAMES:
        reason = f"{curve.n_frames} frames are too few; {_FEWEST_FRAMES} are needed"
        return _from_curve(curve, timestep_fs, None, reason, dimensions)
    if curve.msd_a2.min() <= 1e-12:
        return _from_curve(curve, timestep_fs, None, "the atoms do not move relative to the centre of mass", dimensions)
    line = _fit_diffusive_part(curve, earliest_start_fs / timestep_fs, dimensions)
    return _from_curve(curve, timestep_fs, line, _objection(curve, line, dimensions), dimensions)


def left_site_a2(dimensions: int) -> float:
    """Mean squared displacement in 1, 2 or 3 dimensions from which on atoms have left their site, in A^2."""
    return _LEFT_SITE_A2 * dimensions / 3


def _fit_diffusive_part(curve: MeanSquaredDisplacement, earliest_lag: float, dimensions: int) -> _Line:
    """Fit the curve from the lag on at which atoms have left their site, or later where that changes the slope.

    The first start depends on short lags alone, which are precise: a start chosen by its slope's agreement
    with later ones favours those that agree by chance, and its interval is too narrow. For the same reason only
    a change of 3.5 standard errors counts: up to 66 pairs of starts are compared.
    """
    last = max(min(int(np.searchsorted(curve.lags, curve.lags[-1] / 2)), len(curve.lags) - _FEWEST_LAGS), 0)
    left = np.flatnonzero(curve.msd_a2 >= left_site_a2(dimensions))
    earliest = min(int(left[0]) if left.size else last, last // 2)
    earliest = min(max(earliest, int(np.searchsorted(curve.lags, earliest_lag))), last)
    starts = np.unique(np.geomspace(earliest + 1, last + 1, 12).astype(int)) - 1
    lines = [_fit_line(curve, int(start)) for start in starts]
    for i, line in enumerate(lines[:-1]):
        changes = [(later.slope - line.slope, later.weights - line.weights) for later in lines[i + 1 :]]
        if all(abs(d) <= _SURELY_CHANGED * float(w @ line.covariance_a4 @ w) ** 0.5 for d, w in changes):
            return line
    return lines[-1]


def _fit_line(curve: MeanSquaredDisplacement, first: int) -> _Line:
    t = curve.lags.astype(np.float64)
    used = slice(first, None)
    y, n = curve.msd_a2, curve.n_independent
    spread = max(float(np.average(curve.variance_a4[used] / y[used] ** 2, weights=n[used])), 1e-6)
    design = np.column_stack([t, np.ones_like(t)])[used]
    smallest_slope = 1e-3 * float(y[used].max() / t[-1])
    slope, intercept = max(float(np.average((y / t)[used], weights=n[used])), smallest_slope), 0.0
    for _ in range(8):
        covariance = spread * _covariance(t, n, slope, intercept, np.broadcast_to(curve.kept, t.shape))
        weighted = np.linalg.solve(covariance[used, used], design)
        estimators = np.linalg.solve(design.T @ weighted, weighted.T)
        slope, intercept = (float(value) for value in estimators @ y[used])
        if slope < smallest_slope:
            break
    weights = np.zeros_like(t)
    weights[used] = estimators[0]
    covariance = covariance * curve.overlap
    return _Line(first, slope, float(weights @ covariance @ weights) ** 0.5, intercept, weights, covariance)


def _covariance(t: Array, n: Array, slope: float, intercept: float, kept: Array) -> Array:
    """Covariance of the points, (n_lags, n_lags), if squared displacements had the relative variance 1.

    Where only a share of the displacements is `kept` at longer lags, the shorter of two lags has others beside those.
    """
    later = np.maximum.outer(np.arange(t.size), np.arange(t.size))
    earlier = np.minimum.outer(np.arange(t.size), np.arange(t.size))
    walk = np.maximum(slope * t + min(intercept, 0.0), 0.05 * slope * t)
    site = (walk + max(intercept, 0.0)) ** 2 - walk**2
    covariance: Array = walk[earlier] ** 2 / n[later] * (kept[later] / kept[earlier]) + np.diag(site / n)
    return covariance


def _exponent(curve: MeanSquaredDisplacement, line: _Line) -> float:
    """Exponent d ln MSD / d ln t at the longest lag, from the fitted line."""
    growth = line.slope * float(curve.lags[-1])
    return growth / max(growth + line.intercept, 1e-12)


def _growth(curve: MeanSquaredDisplacement, first: int) -> tuple[float, float]:
    """Exponent of MSD ~ t^n from a lag to the longest one, less and plus two standard errors."""
    uncertainty = 2 * float(curve.error_a2[-1] / curve.msd_a2[-1])
    growth = float(np.log(curve.msd_a2[-1] / curve.msd_a2[first]))
    factor = float(np.log(curve.lags[-1] / curve.lags[first]))
    return (growth - uncertainty) / factor, (growth + uncertainty) / factor


def _objection(curve: MeanSquaredDisplacement, line: _Line, dimensions: int) -> str | None:
    growth = line.slope * float(curve.lags[-1])
    exponent = _exponent(curve, line)
    reached = f"{float(curve.msd_a2[-1]):.3g} A^2"
    if growth <= 0 or exponent < _PLATEAU_EXPONENT:
        return f"a plateau: the mean squared displacement stays near {reached}, as in a solid"
    if growth < _SMALLEST_NET_DISPLACEMENT_A**2 * dimensions / 3:
        return (
            f"too short: the mean squared displacement grows by {growth:.2g} A^2 only, less than a jump between sites"
        )
    at_least, at_most = _growth(curve, line.first)
    if at_least > _BALLISTIC_EXPONENT:
        return f"too short: the mean squared displacement still grows faster than t^{at_least:.1f}, as in free flight"
    if at_most < _SUBDIFFUSIVE_EXPONENT and curve.msd_a2[line.first] >= left_site_a2(dimensions):
        return f"subdiffusive: the mean squared displacement grows slower than t^{at_most:.2f}"
    if exponent < _SUBDIFFUSIVE_EXPONENT:
        return f"subdiffusive: the mean squared displacement grows as t^{exponent:.2f} at the longest lag"
    if line.slope_error > _LARGEST_LN_ERROR * line.slope:
        return f"too short: the slope is uncertain by {100 * line.slope_error / line.slope:.0f} %"
    return None


def _from_curve(
    curve: MeanSquaredDisplacement, timestep_fs: float, line: _Line | None, objection: str | None, dimensions: int
) -> TracerDiffusivity:
    to_cm2_s = CM2_S_PER_A2_FS / (2 * dimensions * timestep_fs)
    value = interval = bound = None
    if objection is None and line is not None:
        value = line.slope * to_cm2_s
        interval = log_normal_interval(value, line.slope_error / line.slope)
    else:
        highest = curve.msd_a2 + GAUSSIAN_95 * curve.error_a2
        bound = float(highest[-1] / curve.lags[-1]) * to_cm2_s
    return TracerDiffusivity(
        diffusive=objection is None,
        reason=objection,
        diffusivity_cm2_s=value,
        diffusivity_interval_cm2_s=interval,
        upper_bound_cm2_s=bound,
        n_independent=float(curve.n_independent[-1]),
        lags_fs=curve.lags.astype(np.float64) * timestep_fs,
        msd_a2=curve.msd_a2,
        msd_error_a2=curve.error_a2,
        fit_start_fs=None if line is None else float(curve.lags[line.first]) * timestep_fs,
        intercept_a2=None if line is None else line.intercept,
    )


def _undetermined(reason: str) -> TracerDiffusivity:
    return TracerDiffusivity(diffusive=False, reason=reason, n_independent=0.0, lags_fs=[], msd_a2=[], msd_error_a2=[])
