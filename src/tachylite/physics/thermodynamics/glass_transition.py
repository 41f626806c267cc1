"""The glass transition in a cooling run: where two branches meet, what their slopes say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import f as f_distribution

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.statistics import correlation_time, estimate_mean

FEWEST_WINDOWS = 12
"""Fewer independent windows do not carry five parameters and their errors."""

_MOST_WINDOWS = 60
_CORRELATION_TIMES_PER_WINDOW = 6.0
_SIGNIFICANCE = 0.01
_N_KINKS = 201
_N_WIDTHS = 21
_WIDEST = 0.3
_EDGE_WINDOWS = 3


@dataclass(frozen=True)
class Windows:
    """Means over consecutive stretches of a ramp, in the order of time."""

    temperatures_k: Array
    values: Array
    errors: Array
    """Standard errors by blocking, the slope within the window taken out."""


@dataclass(frozen=True)
class Kink:
    """Two straight branches that meet at a temperature, or why none are seen; errors are standard errors."""

    reason: str | None
    """Why there is no kink; then the numbers are those of the best one, and mean nothing."""
    temperature_k: float
    error_k: float
    interval_k: tuple[float, float]
    """95 %."""
    width_k: float
    """Of the rounding between the branches: 0 for a sharp kink."""
    value: float
    """Where the branches meet."""
    low_slope: float
    low_slope_error: float
    """Below the kink, in units of the values per K."""
    high_slope: float
    high_slope_error: float
    jump: float
    jump_error: float
    """Of the slope: high less low."""
    p_value: float
    """Probability of so good a fit if a line or a parabola were the truth."""

    def curve(self, temperatures_k: ArrayLike) -> Array:
        """The fitted curve at temperatures in K."""
        x = np.asarray(temperatures_k, dtype=np.float64) - self.temperature_k
        return np.asarray(self.value + self.low_slope * x + self.jump * _bend(x, self.width_k))


def find_transition(temperatures_k: ArrayLike, values: ArrayLike) -> tuple[Windows, Kink]:
    """Find the kink in a quantity along a cooling run: samples in the order of time, both of shape (n,).

    The run is cut into at most 60 windows of equal length, of six correlation times at least; that time is
    taken from what the samples leave of a first fit. What is left of the correlation between windows widens
    the errors (see `find_kink`). The temperatures are those of the thermostat where it is known, else those measured.

    Raises InputError for arrays that do not fit together, values that are not finite and fewer than 12 samples;
    a run that does not cool or is too short, and a kink that is not significant, are said in `reason`.
    """
    temperature, value = _checked(temperatures_k, values)
    n = temperature.size
    if n < FEWEST_WINDOWS:
        raise InputError(f"{n} samples of the cooling run; a transition needs at least {FEWEST_WINDOWS}")
    windows = window_means(temperature, value, min(n, _MOST_WINDOWS))
    first = find_kink(windows.temperatures_k, windows.values)
    tau = correlation_time(value - first.curve(temperature))
    count = min(int(n / (_CORRELATION_TIMES_PER_WINDOW * tau)), _MOST_WINDOWS, n)
    if np.corrcoef(np.arange(n), temperature)[0, 1] > -0.8:
        return windows, _refused(first, "the temperature does not fall along the run")
    if count < FEWEST_WINDOWS:
        reason = f"too short: {count} independent windows of six correlation times, {FEWEST_WINDOWS} are needed"
        return windows, _refused(first, reason)
    windows = window_means(temperature, value, count)
    over = n / count / tau
    # what windows of so many correlation times still know of each other, for an exponential decay
    inefficiency = 1 / (1 - (1 - np.exp(-over)) / over) if tau > 0.5 else 1.0
    return windows, find_kink(windows.temperatures_k, windows.values, inefficiency=inefficiency)


def window_means(temperatures_k: ArrayLike, values: ArrayLike, count: int) -> Windows:
    """Means of samples, shape (n,), over `count` consecutive windows, with errors by blocking."""
    rows = []
    temperature, value = np.asarray(temperatures_k, dtype=np.float64), np.asarray(values, dtype=np.float64)
    for x, y in zip(np.array_split(temperature, count), np.array_split(value, count), strict=True):
        time = np.arange(len(y)) - (len(y) - 1) / 2
        slope = float(time @ y) / max(float(time @ time), 1.0)
        rows.append((x.mean(), y.mean(), estimate_mean(y - slope * time).error))
    return Windows(*np.array(rows).T)


def find_kink(
    temperatures_k: ArrayLike, values: ArrayLike, errors: ArrayLike | None = None, *, inefficiency: float = 1.0
) -> Kink:
    r"""Fit two straight branches with a rounded kink to points, all of shape (n,).

        y(T) = y_g + a (T - Tg) + b h(T - Tg),   h(x) = (x + sqrt(x^2 + w^2)) / 2

    A hyperbola (Patrone et al., DOI 10.1016/j.polymer.2016.01.074): its asymptotes are the branches and meet at Tg,
    and two lines with a sharp kink are the case w = 0. The rounding is real at the rates of a simulation; two lines
    alone would give a Tg that depends on the range and an interval that is too narrow. y_g, a and b follow by linear
    least squares for every Tg and w on a grid. Each has the weight RSS^(-(n/g - 3)/2), that of its profile likelihood
    with an unknown variance; means, standard errors and the 95 % interval are those of the weighted grid, so that
    they know the uncertainty of Tg and w together.

    ======  ===========================================================================================
    symbol  meaning
    ======  ===========================================================================================
    Tg, w   `temperature_k`, `width_k`
    a, b    `low_slope`, `jump`; `high_slope` is their sum
    RSS     weighted sum of squared residuals; weights from `errors`, else errors proportional to T, as those of
            canonical fluctuations of the energy of a solid are. Their scale is found from the residuals
    n, g    number of points and their statistical inefficiency, `inefficiency`
    ======  ===========================================================================================

    Refused, with the reason, are kinks that an F-test finds no better, at 1 %, than a line or a parabola; whose
    interval comes within three points of the edge of the data; with a smaller slope above than below.

    Raises InputError for arrays that do not fit together and values that are not finite.
    """
    x, y = _checked(temperatures_k, values)
    weights = (1 / x if errors is None else 1 / np.asarray(errors, dtype=np.float64)) ** 2
    weights = weights / weights.mean()
    n = x.size / inefficiency
    low, high = np.sort(x)[[1, -2]]
    grid = _weigh(x, y, weights, n, np.linspace(low, high, _N_KINKS), _WIDEST * (high - low))
    # again, where the weight is: the first grid is coarse for a sharp kink
    temperature, error = grid.moments(grid.kinks, grid.step**2 / 12)
    ends = np.clip([temperature - 6 * error, temperature + 6 * error], low, high)
    widest = float(grid.widths[grid.likely > 1e-5 * grid.likely.max()].max()) or float(grid.widths[1])
    grid = _weigh(x, y, weights, n, np.linspace(ends[0], ends[1], _N_KINKS), widest)
    temperature, error = grid.moments(grid.kinks, grid.step**2 / 12)
    low_slope, low_error = grid.moments(grid.lows, grid.low_variances)
    high_slope, high_error = grid.moments(grid.lows + grid.jumps, grid.high_variances)
    jump, jump_error = grid.moments(grid.jumps, grid.jump_variances)
    found = Kink(
        reason=None,
        temperature_k=temperature,
        error_k=error,
        interval_k=grid.interval(),
        width_k=float(grid.likely @ grid.widths),
        value=float(grid.likely @ grid.levels),
        low_slope=low_slope,
        low_slope_error=low_error,
        high_slope=high_slope,
        high_slope_error=high_error,
        jump=jump,
        jump_error=jump_error,
        p_value=_p_value(x, y, weights, n, float(grid.rss.min())),
    )
    return _refused(found, _objection(found, x))


@dataclass(frozen=True)
class _Grid:
    """Every Tg and width tried, flat (n_kinks * n_widths,), with its weight and its best branches."""

    kinks: Array
    widths: Array
    likely: Array
    rss: Array
    levels: Array
    lows: Array
    jumps: Array
    low_variances: Array
    high_variances: Array
    jump_variances: Array

    @property
    def step(self) -> float:
        return float(self.kinks[_N_WIDTHS] - self.kinks[0])

    def moments(self, means: Array, variances: Array | float) -> tuple[float, float]:
        """Mean and standard deviation of the mixture."""
        mean = float(self.likely @ means)
        return mean, float(self.likely @ (variances + (means - mean) ** 2)) ** 0.5

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Tg."""
        marginal = self.likely.reshape(_N_KINKS, _N_WIDTHS).sum(axis=1)
        # the weight of a grid point lies around it, half of it below
        below = marginal.cumsum() - marginal / 2
        low, high = np.interp([0.025, 0.975], below, self.kinks[::_N_WIDTHS])
        return float(low), float(high)


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


def _objection(found: Kink, x: Array) -> str | None:
    if found.p_value > _SIGNIFICANCE:
        return f"no kink: a line or a parabola fits as well (F-test, p = {found.p_value:.2g})"
    ordered = np.sort(x)
    first, last = ordered[_EDGE_WINDOWS - 1], ordered[-_EDGE_WINDOWS]
    low, high = found.interval_k
    if low < first or high > last:
        edge = f"{ordered[0]:.0f} to {ordered[-1]:.0f} K"
        return f"the kink, {low:.0f} to {high:.0f} K, is at the edge of the data, {edge}: one branch is not seen"
    if found.jump < 2 * found.jump_error:
        return "the slope does not grow at the kink, as it does from a glass to its liquid"
    return None


def _refused(found: Kink, reason: str | None) -> Kink:
    return found if reason is None else Kink(**(vars(found) | {"reason": reason}))


def _bend(x: Array, width: Array | float) -> Array:
    return np.asarray((x + np.sqrt(x**2 + np.square(width))) / 2)


def _p_value(x: Array, y: Array, weights: Array, n: float, rss: float) -> float:
    """Of the F-test of the five parameters of a kink against the better of a line and a parabola."""
    freedom = n - 5
    if freedom <= 0:
        return 1.0
    scaled = (x - x.mean()) / np.ptp(x)
    worst = 0.0
    for degree in (1, 2):
        rest = y - np.polyval(np.polyfit(scaled, y, degree, w=np.sqrt(weights)), scaled)
        extra = 4 - degree
        ratio = max(float(weights @ rest**2) / rss - 1, 0.0) * freedom / extra
        worst = max(worst, float(f_distribution.sf(ratio, extra, freedom)))
    return worst


def _checked(temperatures_k: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    temperature, value = np.asarray(temperatures_k, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if temperature.ndim != 1 or temperature.shape != value.shape:
        raise InputError(f"temperatures {temperature.shape} and values {value.shape} must be two series of one length")
    if not (np.isfinite(temperature).all() and np.isfinite(value).all()):
        raise InputError("temperatures and values must be finite; leave the other rows out")
    if temperature.size < 4 or np.ptp(temperature) == 0 or temperature.min() <= 0:
        raise InputError(f"{temperature.size} temperatures from {temperature.min(initial=np.inf):g} K; give a ramp")
    return temperature, value
