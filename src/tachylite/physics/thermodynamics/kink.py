"""A kink in a curve: two straight branches with a rounded corner, fitted with the errors of all parameters."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured

_SIGNIFICANCE = 0.01
_N_KINKS = 201
_N_WIDTHS = 21
_WIDEST = 0.3
_EDGE_POINTS = 3


class Kink(FrozenModel):
    """Two straight branches that meet at a temperature, or why none are seen."""

    reason: str | None = None
    """Why there is no kink."""
    temperature_k: Measured | None = None
    temperature_interval_k: Interval | None = None
    width_k: float | None = None
    """Range of temperatures over which one branch goes over into the other: 0 for a sharp kink."""
    value: float | None = None
    """Of the quantity where the branches meet."""
    glass_slope: Measured | None = None
    """Per K, below the transition."""
    liquid_slope: Measured | None = None
    slope_jump: Measured | None = None
    """Slope of the liquid less that of the glass."""


def find_kink(
    temperatures_k: ArrayLike, values: ArrayLike, errors: ArrayLike | None = None, *, inefficiency: float = 1.0
) -> Kink:
    r"""Fit two straight branches with a rounded kink to points, all of shape (n,).

        y(T) = y_g + a (T - Tg) + b h(T - Tg),   h(x) = (x + sqrt(x^2 + w^2)) / 2

    A hyperbola (Patrone et al., DOI 10.1016/j.polymer.2016.01.074): its asymptotes are the branches and meet at Tg,
    and two lines with a sharp kink are the case w = 0. The rounding is real at the rates of a simulation; two lines
    alone would give a Tg that depends on the range and an interval that is too narrow. y_g, a and b follow by linear
    least squares for every Tg and w on a grid. Every point of the grid has the weight RSS^(-(n/g - 3)/2), that of its
    profile likelihood with an unknown variance; means, standard errors and the 95 % interval are those of the weighted
    grid, so that they contain the uncertainty of Tg and w together.

    ======  ===========================================================================================
    symbol  meaning
    ======  ===========================================================================================
    Tg, w   `temperature_k`, `width_k`
    y_g     `value`
    a, b    `glass_slope`, `slope_jump`; `liquid_slope` is their sum
    RSS     weighted sum of squared residuals; weights from `errors`, else errors proportional to T, as those of
            canonical fluctuations of the energy of a solid are. Their scale is found from the residuals
    n, g    number of points and their statistical inefficiency, `inefficiency`
    ======  ===========================================================================================

    Refused, with the reason, are kinks that an F-test finds no better, at 1 %, than a line or a parabola; whose
    interval comes within three points of the edge of the data; with a smaller slope above than below.

    Raises InputError for arrays that do not fit together and values that are not finite.
    """
    x, y = checked_series(temperatures_k, values)
    weights = _weights(x, errors)
    n = x.size / inefficiency
    grid = _fit_branches(x, y, weights, n)
    reason = _objection(grid, _p_value(x, y, weights, n, float(grid.rss.min())), x)
    return grid.kink() if reason is None else Kink(reason=reason)


def _weights(x: Array, errors: ArrayLike | None) -> Array:
    weights = (1 / x if errors is None else 1 / np.asarray(errors, dtype=np.float64)) ** 2
    return np.asarray(weights / weights.mean())


def fit_curve(temperatures_k: Array, values: Array) -> Callable[[Array], Array]:
    """Fit the branches to independent points, of shape (n,), and give the curve as a function of temperature in K."""
    weights = _weights(temperatures_k, None)
    return _fit_branches(temperatures_k, values, weights, len(values)).curve


def _fit_branches(x: Array, y: Array, weights: Array, n: float) -> "_Grid":
    """Fit the branches to points (n_points,), of which `n` are independent."""
    low, high = np.sort(x)[[1, -2]]
    grid = _weigh(x, y, weights, n, np.linspace(low, high, _N_KINKS), _WIDEST * (high - low))
    # again, where the weight is: the first grid is coarse for a sharp kink
    kink = grid.temperature_k
    ends = np.clip([kink.value - 6 * kink.error, kink.value + 6 * kink.error], low, high)
    widest = float(grid.widths[grid.likely > 1e-5 * grid.likely.max()].max()) or float(grid.widths[1])
    return _weigh(x, y, weights, n, np.linspace(ends[0], ends[1], _N_KINKS), widest)


@dataclass(frozen=True)
class _Grid:
    """Every Tg and width tried, flat (n_kinks * n_widths,), with its weight and its best branches."""

    kinks: Array
    """Tg in K."""
    widths: Array
    likely: Array
    """Weights; their sum is 1."""
    rss: Array
    """Weighted sums of squared residuals."""
    levels: Array
    """Where the branches meet."""
    lows: Array
    """Slopes below the kink."""
    jumps: Array
    """Slopes above the kink less those below."""
    low_variances: Array
    high_variances: Array
    jump_variances: Array

    @property
    def temperature_k(self) -> Measured:
        return self.mixture(self.kinks, float(self.kinks[_N_WIDTHS] - self.kinks[0]) ** 2 / 12)

    @property
    def jump(self) -> Measured:
        return self.mixture(self.jumps, self.jump_variances)

    def mixture(self, means: Array, variances: Array | float) -> Measured:
        """Mean and standard deviation over the weighted grid."""
        mean = float(self.likely @ means)
        return Measured(value=mean, error=float(self.likely @ (variances + (means - mean) ** 2)) ** 0.5)

    def kink(self) -> Kink:
        return Kink(
            temperature_k=self.temperature_k,
            temperature_interval_k=self.interval(),
            width_k=float(self.likely @ self.widths),
            value=float(self.likely @ self.levels),
            glass_slope=self.mixture(self.lows, self.low_variances),
            liquid_slope=self.mixture(self.lows + self.jumps, self.high_variances),
            slope_jump=self.jump,
        )

    def curve(self, temperatures_k: Array) -> Array:
        """The mean curve at temperatures in K."""
        x = temperatures_k - self.temperature_k.value
        bend = _bend(x, float(self.likely @ self.widths))
        return np.asarray(self.likely @ self.levels + self.likely @ self.lows * x + self.jump.value * bend)

    def interval(self) -> Interval:
        """The 95 % interval of Tg."""
        marginal = self.likely.reshape(_N_KINKS, _N_WIDTHS).sum(axis=1)
        # the weight of a grid point lies around it, half of it below
        below = marginal.cumsum() - marginal / 2
        low, high = np.interp([0.025, 0.975], below, self.kinks[::_N_WIDTHS])
        return Interval(low=float(low), high=float(high))


def _weigh(x: Array, y: Array, weights: Array, n: float, kinks: Array, widest: float) -> _Grid:
    """Fit the branches for every Tg in `kinks` and every width up to `widest`; `n` independent points."""
    tg, width = (grid.ravel() for grid in np.meshgrid(kinks, np.linspace(0, widest, _N_WIDTHS), indexing="ij"))
    bends = _bend(x - tg[:, None], width[:, None])
    centre = np.average(x, weights=weights)
    spread = float(weights @ (x - centre) ** 2)
    line_slope = float((weights * (x - centre)) @ y) / spread
    line_rest = y - np.average(y, weights=weights) - line_slope * (x - centre)
    bend_slopes = bends @ (weights * (x - centre)) / spread
    bend_means = bends @ weights / weights.sum()
    bend_rests = bends - bend_means[:, None] - bend_slopes[:, None] * (x - centre)
    # the bend is a straight line where all points lie on one side of it
    norms = np.maximum((bend_rests**2) @ weights, 1e-12 * spread)
    jumps = bend_rests @ (weights * line_rest) / norms
    straight = float(weights @ line_rest**2)
    rss = np.maximum(straight - jumps**2 * norms, 1e-12 * straight + 1e-300)
    freedom = max(n - 3, 1.0)
    likely = np.exp(-freedom / 2 * np.log(rss / rss.min()))
    # of a point, RSS / (N - 3 g), times the inefficiency g = N / n
    variance = rss / freedom
    lows = line_slope - jumps * bend_slopes
    return _Grid(
        kinks=tg,
        widths=width,
        likely=likely / likely.sum(),
        rss=rss,
        levels=np.average(y, weights=weights) - jumps * bend_means + lows * (tg - centre),
        lows=lows,
        jumps=jumps,
        low_variances=variance * (1 / spread + bend_slopes**2 / norms),
        high_variances=variance * (1 / spread + (1 - bend_slopes) ** 2 / norms),
        jump_variances=variance / norms,
    )


def _objection(grid: _Grid, p_value: float, x: Array) -> str | None:
    if p_value > _SIGNIFICANCE:
        return f"no kink: a line or a parabola fits as well (F-test, p = {p_value:.2g})"
    ordered = np.sort(x)
    first, last = ordered[_EDGE_POINTS - 1], ordered[-_EDGE_POINTS]
    interval = grid.interval()
    if interval.low < first or interval.high > last:
        edge = f"{ordered[0]:.0f} to {ordered[-1]:.0f} K"
        kink = f"{interval.low:.0f} to {interval.high:.0f} K"
        return f"the kink, {kink}, is at the edge of the data, {edge}: one branch is not seen"
    if grid.jump.value < 2 * grid.jump.error:
        return "the slope does not grow at the kink, as it does from a glass to its liquid"
    return None


def _bend(x: Array, width: Array | float) -> Array:
    return np.asarray((x + np.sqrt(x**2 + np.square(width))) / 2)


def _p_value(x: Array, y: Array, weights: Array, n: float, rss: float) -> float:
    """Probability of so good a fit of a kink, with five parameters, if a line or a parabola were the truth (F-test)."""
    freedom = n - 5
    if freedom <= 0:
        return 1.0
    scaled = (x - x.mean()) / np.ptp(x)
    worst = 0.0
    for degree in (1, 2):
        residuals = y - np.polyval(np.polyfit(scaled, y, degree, w=np.sqrt(weights)), scaled)
        extra = 4 - degree
        ratio = max(float(weights @ residuals**2) / rss - 1, 0.0) * freedom / extra
        worst = max(worst, float(fdtrc(extra, freedom, ratio)))
    return worst


def checked_series(temperatures_k: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    """Check temperatures in K and values along a ramp, both of shape (n,); InputError where they make none."""
    temperature, value = np.asarray(temperatures_k, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if temperature.ndim != 1 or temperature.shape != value.shape:
        raise InputError(f"temperatures {temperature.shape} and values {value.shape} must be two series of one length")
    if not (np.isfinite(temperature).all() and np.isfinite(value).all()):
        raise InputError("temperatures and values must be finite; leave the other rows out")
    if temperature.size < 4 or np.ptp(temperature) == 0 or temperature.min() <= 0:
        raise InputError(f"{temperature.size} temperatures from {temperature.min(initial=np.inf):g} K; give a ramp")
    return temperature, value
