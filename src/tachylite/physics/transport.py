"""Diffusion from unwrapped trajectories: mean squared displacements, diffusivities with intervals, Arrhenius."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.errors import InputError
from tachylite.physics.displacement import (
    Array,
    MeanSquaredDisplacement,
    mean_squared_displacement,
    remove_drift,
    unwrap,
)
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.units import CM2_S_PER_A2_FS, KB_EV

__all__ = [
    "ArrheniusFit",
    "Diffusivity",
    "MeanSquaredDisplacement",
    "arrhenius",
    "diffusivity",
    "mean_squared_displacement",
    "remove_drift",
    "unwrap",
]

_N_LAGS = 60
_FEWEST_FRAMES = 20
_FEWEST_LAGS = 5
_LEFT_SITE_A2 = 3.0
_SMALLEST_NET_DISPLACEMENT_A = 0.5
_LARGEST_LN_ERROR = 0.5
_PLATEAU_EXPONENT = 0.3
_SUBDIFFUSIVE_EXPONENT = 0.5
_BALLISTIC_EXPONENT = 1.4


@dataclass(frozen=True)
class Diffusivity:
    """Tracer diffusivity of one species, or why there is none, with the curve it was read from."""

    diffusive: bool
    reason: str | None
    diffusivity_cm2_s: float | None
    interval_cm2_s: tuple[float, float] | None
    """95 %."""
    error_cm2_s: float | None
    ln_error: float | None
    """Standard error of ln D."""
    upper_bound_cm2_s: float | None
    """Where the motion is not diffusive: what the mean squared displacement still allows (97.5 %)."""
    n_independent: float
    """Independent displacements at the longest lag."""
    lags_fs: Array
    msd_a2: Array
    msd_error_a2: Array
    fit_start_fs: float | None
    intercept_a2: float | None


@dataclass(frozen=True)
class ArrheniusFit:
    """ln D = ln D0 - Ea / kT with the errors of its parameters (D0 in cm^2/s)."""

    activation_energy_ev: float
    activation_energy_error_ev: float
    ln_d0: float
    ln_d0_error: float
    covariance_ev: float
    """Between ln D0 and Ea."""
    temperatures_k: Array

    def predict(self, temperatures_k: ArrayLike) -> tuple[Array, Array, Array]:
        """Diffusivity and the ends of its 95 % interval, in cm^2/s, at any temperatures in K."""
        x = 1 / (KB_EV * np.asarray(temperatures_k, dtype=np.float64))
        ln_d = self.ln_d0 - self.activation_energy_ev * x
        variance = self.ln_d0_error**2 + (x * self.activation_energy_error_ev) ** 2 - 2 * x * self.covariance_ev
        half_width = GAUSSIAN_95 * np.sqrt(np.maximum(variance, 0.0))
        return np.exp(ln_d), np.exp(ln_d - half_width), np.exp(ln_d + half_width)


@dataclass(frozen=True)
class _Line:
    """MSD = slope * lag + intercept from a lag on, in A^2 and frames."""

    first: int
    slope: float
    slope_error: float
    intercept: float


def diffusivity(positions: ArrayLike, species_indices: ArrayLike, masses: ArrayLike, timestep_fs: float) -> Diffusivity:
    r"""Tracer diffusivity of some atoms from unwrapped positions, shape (n_frames, n_atoms, 3), in A.

    The drift of the whole cell (centre of mass by `masses`, shape (n_atoms,)) is removed; `timestep_fs` is
    the time between frames. The mean squared displacement at 60 lags up to half of the trajectory is
    fitted with

        MSD(t) = 6 D t + c    from t0 on

    by generalised least squares with the covariance of McCluskey et al. (DOI 10.1021/acs.jctc.4c01249),

        cov(t_i, t_j) = v(t_i) / n(t_j)    for t_i <= t_j

    where kinisi takes v from the observed scatter, which favours lags whose displacements happen to be
    low; here v follows from the fitted line itself, by iteration, and c adds independent noise. The
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
    trajectory = remove_drift(positions, masses)[:, np.asarray(species_indices, dtype=np.int64)]
    if trajectory.shape[1] == 0:
        return _undetermined("there are no atoms of this species")
    if not np.isfinite(trajectory).all():
        return _undetermined("the positions are not all finite")
    half = len(trajectory) // 2
    if half == 0:
        return _undetermined("one frame shows no motion")
    lags = np.unique(np.linspace(half / _N_LAGS, half, _N_LAGS).round().astype(np.int64))
    curve = mean_squared_displacement(trajectory, lags[lags > 0])
    if len(trajectory) < _FEWEST_FRAMES:
        return _result(curve, timestep_fs, None, f"{len(trajectory)} frames are too few; {_FEWEST_FRAMES} are needed")
    if curve.msd_a2.min() <= 1e-12:
        return _result(curve, timestep_fs, None, "the atoms do not move relative to the centre of mass")
    line = _fit_diffusive_part(curve)
    return _result(curve, timestep_fs, line, _objection(curve, line))


def _fit_diffusive_part(curve: MeanSquaredDisplacement) -> _Line:
    """Fit from where atoms have left their site on, or from later where a later start changes the slope.

    The first start depends on short lags alone, which are precise: a start chosen by its slope's agreement
    with later ones favours those that agree by chance, and its interval is too narrow.
    """
    last = max(min(int(np.searchsorted(curve.lags, curve.lags[-1] / 2)), len(curve.lags) - _FEWEST_LAGS), 0)
    left = np.flatnonzero(curve.msd_a2 >= _LEFT_SITE_A2)
    earliest = min(int(left[0]) if left.size else last, last // 2)
    starts = np.unique(np.geomspace(earliest + 1, last + 1, 12).astype(int)) - 1
    lines = [_fit_line(curve, int(start)) for start in starts]
    for i, line in enumerate(lines[:-1]):
        later = lines[i + 1 :]
        # what a fit loses by a later start is independent of it (Hausman, DOI 10.2307/1913827)
        lost = [max(other.slope_error**2 - line.slope_error**2, 0.0) ** 0.5 for other in later]
        if all(abs(o.slope - line.slope) <= GAUSSIAN_95 * e for o, e in zip(later, lost, strict=True)):
            return line
    return lines[-1]


def _fit_line(curve: MeanSquaredDisplacement, first: int) -> _Line:
    t = curve.lags[first:].astype(np.float64)
    y = curve.msd_a2[first:]
    n = curve.n_independent[first:]
    spread = max(float(np.average(curve.variance_a4[first:] / y**2, weights=n)), 1e-6)
    design = np.column_stack([t, np.ones_like(t)])
    later = np.maximum.outer(np.arange(t.size), np.arange(t.size))
    earlier = np.minimum.outer(np.arange(t.size), np.arange(t.size))
    smallest_slope = 1e-3 * float(y.max() / t[-1])
    slope, intercept = max(float(np.average(y / t, weights=n)), smallest_slope), 0.0
    for _ in range(8):
        walk = np.maximum(slope * t + min(intercept, 0.0), 0.05 * slope * t)
        site = (walk + max(intercept, 0.0)) ** 2 - walk**2
        covariance = spread * (walk[earlier] ** 2 / n[later] + np.diag(site / n))
        weighted = np.linalg.solve(covariance, design)
        solution_covariance = np.linalg.inv(design.T @ weighted)
        slope, intercept = solution_covariance @ (weighted.T @ y)
        error = float(solution_covariance[0, 0]) ** 0.5
        if slope < smallest_slope:
            return _Line(first, float(slope), error, float(intercept))
    return _Line(first, float(slope), error, float(intercept))


def _exponent(curve: MeanSquaredDisplacement, line: _Line) -> float:
    """Return d ln MSD / d ln t at the longest lag."""
    growth = line.slope * float(curve.lags[-1])
    return growth / max(growth + line.intercept, 1e-12)


def _surely_at_least(curve: MeanSquaredDisplacement, first: int) -> float:
    """Return the exponent from a lag to the longest one, less two standard errors."""
    uncertainty = 2 * float(curve.error_a2[-1] / curve.msd_a2[-1])
    growth = float(np.log(curve.msd_a2[-1] / curve.msd_a2[first]))
    return (growth - uncertainty) / float(np.log(curve.lags[-1] / curve.lags[first]))


def _objection(curve: MeanSquaredDisplacement, line: _Line) -> str | None:
    growth = line.slope * float(curve.lags[-1])
    exponent = _exponent(curve, line)
    reached = f"{float(curve.msd_a2[-1]):.3g} A^2"
    if growth <= 0 or exponent < _PLATEAU_EXPONENT:
        return f"a plateau: the mean squared displacement stays near {reached}, as in a solid"
    if growth < _SMALLEST_NET_DISPLACEMENT_A**2:
        return (
            f"too short: the mean squared displacement grows by {growth:.2g} A^2 only, less than a jump between sites"
        )
    if (steep := _surely_at_least(curve, line.first)) > _BALLISTIC_EXPONENT:
        return f"too short: the mean squared displacement still grows faster than t^{steep:.1f}, as in free flight"
    if exponent < _SUBDIFFUSIVE_EXPONENT:
        return f"subdiffusive: the mean squared displacement grows as t^{exponent:.2f} at the longest lag"
    if line.slope_error > _LARGEST_LN_ERROR * line.slope:
        return f"too short: the slope is uncertain by {100 * line.slope_error / line.slope:.0f} %"
    return None


def _result(
    curve: MeanSquaredDisplacement, timestep_fs: float, line: _Line | None, objection: str | None
) -> Diffusivity:
    to_cm2_s = CM2_S_PER_A2_FS / (6 * timestep_fs)
    value = interval = error = ln_error = bound = None
    if objection is None and line is not None:
        value, error = line.slope * to_cm2_s, line.slope_error * to_cm2_s
        ln_error = line.slope_error / line.slope
        factor = float(np.exp(GAUSSIAN_95 * ln_error))
        interval = (value / factor, value * factor)
    else:
        highest = curve.msd_a2 + GAUSSIAN_95 * curve.error_a2
        bound = float(highest[-1] / curve.lags[-1]) * to_cm2_s
    return Diffusivity(
        diffusive=objection is None,
        reason=objection,
        diffusivity_cm2_s=value,
        interval_cm2_s=interval,
        error_cm2_s=error,
        ln_error=ln_error,
        upper_bound_cm2_s=bound,
        n_independent=float(curve.n_independent[-1]),
        lags_fs=curve.lags.astype(np.float64) * timestep_fs,
        msd_a2=curve.msd_a2,
        msd_error_a2=curve.error_a2,
        fit_start_fs=None if line is None else float(curve.lags[line.first]) * timestep_fs,
        intercept_a2=None if line is None else line.intercept,
    )


def _undetermined(reason: str) -> Diffusivity:
    nothing = np.empty(0)
    return Diffusivity(False, reason, None, None, None, None, None, 0.0, nothing, nothing, nothing, None, None)


def arrhenius(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> ArrheniusFit:
    """Weighted fit of ln D = ln D0 - Ea / kT; all arrays have the shape (n_temperatures,).

    `ln_errors` are standard errors of ln D. Two temperatures give the exact line with their errors
    propagated; with more, errors grow by the root of chi^2 per degree of freedom where that exceeds 1.

    Raises InputError for fewer than two different temperatures and for values that are not positive.
    """
    temperatures, values, errors = (
        np.asarray(array, dtype=np.float64) for array in (temperatures_k, diffusivities_cm2_s, ln_errors)
    )
    for name, array in (("temperatures", temperatures), ("diffusivities", values), ("errors of ln D", errors)):
        if array.shape != temperatures.shape or not (np.isfinite(array) & (array > 0)).all():
            raise InputError(f"{name} are {array.tolist()}; one positive number for each temperature is needed")
    if np.unique(temperatures).size < 2:
        raise InputError(f"diffusivities at {temperatures.tolist()} K; an activation energy needs two temperatures")
    x = 1 / (KB_EV * temperatures)
    weights = errors**-2
    centre = float(np.average(x, weights=weights))
    ln_d = np.log(values)
    ea_variance = 1 / float(weights @ (x - centre) ** 2)
    energy = -ea_variance * float(weights @ ((x - centre) * ln_d))
    ln_d0 = float(np.average(ln_d, weights=weights)) + energy * centre
    degrees = x.size - 2
    misfit = float(weights @ (ln_d - ln_d0 + energy * x) ** 2)
    scale = max(1.0, misfit / degrees) if degrees else 1.0
    return ArrheniusFit(
        activation_energy_ev=energy,
        activation_energy_error_ev=(scale * ea_variance) ** 0.5,
        ln_d0=ln_d0,
        ln_d0_error=(scale * (1 / float(weights.sum()) + centre**2 * ea_variance)) ** 0.5,
        covariance_ev=scale * centre * ea_variance,
        temperatures_k=temperatures,
    )
