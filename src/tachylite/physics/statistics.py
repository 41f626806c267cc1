"""Means of correlated series with their errors, correlation times, detection of equilibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.special import stdtrit

from tachylite.errors import InputError
from tachylite.measured import Interval, Measured

GAUSSIAN_95 = 1.959963984540054
"""Half width of the 95 % interval in standard errors."""

_SMALLEST_N_BLOCKS = 3
_BLOCK_LENGTH_PREFACTOR = 0.5
_WINDOW_OVER_TIME = 5.0
_N_STARTS = 16


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error (both in the unit of the series) and the number of independent samples."""

    mean: float
    error: float
    n_independent: float

    @property
    def measured(self) -> Measured:
        """Mean and standard error as documents hold them."""
        return Measured(value=self.mean, error=self.error)


def log_normal_interval(value: float, ln_error: float) -> Interval:
    """95 % interval of a positive number from the standard error of its logarithm."""
    factor = float(np.exp(GAUSSIAN_95 * ln_error))
    return Interval(low=value / factor, high=value * factor)


def ln_error_of(interval: Interval) -> float:
    """Standard error of the logarithm of a positive number from its 95 % interval."""
    return float(np.log(interval.high / interval.low)) / (2 * GAUSSIAN_95)


def estimate_mean(series: ArrayLike) -> Estimate:
    r"""Mean of a correlated series, shape (n,), and its standard error by blocking.

    The series is cut into blocks, their length doubling from level to level; the variance of the block
    means gives the error once blocks are longer than the correlation (Flyvbjerg and Petersen, DOI
    10.1063/1.457480). The level is the first with B^3 > n g^2 / 2, a balance of what short blocks miss
    against the scatter from having few (the form is that of Lee et al., DOI 10.1063/1.3554378, the
    prefactor was chosen for coverage). Two corrections are made for short series: neighbouring blocks
    still correlate, and the variance of few blocks is uncertain.

        error^2 = (c0 + 2 max(c1, 0)) / m,   times (t(0.975, m - 1) / 1.96)^2

    ======  ==============================================================================
    symbol  meaning
    ======  ==============================================================================
    n, B    length of the series and of a block, in samples
    m       number of blocks, n / B
    c0, c1  variance of the block means; their covariance with the next block
    g       statistical inefficiency: error^2 at this level over that of independent samples
    t       quantile of Student's distribution
    ======  ==============================================================================

    So `mean +- 1.96 error` is a 95 % interval, also with few blocks. A single sample has an infinite error.

    Raises InputError for an empty series or values that are not finite.
    """
    values = _finite(series)
    n = values.size
    if n == 1:
        return Estimate(float(values[0]), float("inf"), 1.0)
    deviations = values - values.mean()
    independent = float(deviations @ deviations) / (n - 1) / n
    if _is_constant(values):
        return Estimate(float(values.mean()), 0.0, float(n))
    variance, n_blocks = independent, n
    for level, blocked in enumerate(_block_levels(deviations)):
        variance, n_blocks = blocked
        inefficiency = max(variance / independent, 1.0)
        if 8.0**level > _BLOCK_LENGTH_PREFACTOR * n * inefficiency**2:
            break
    variance = max(variance, independent)
    student = float(stdtrit(n_blocks - 1, 0.975)) / GAUSSIAN_95
    return Estimate(float(values.mean()), student * variance**0.5, min(max(n * independent / variance, 1.0), float(n)))


def correlation_time(series: ArrayLike) -> float:
    """Integrated correlation time of a series, shape (n,), in samples: 1/2 + the sum of the autocorrelation.

    It is one half for independent samples and tau for an autocorrelation exp(-k / tau); twice this time
    lies between independent samples. The sum ends at five correlation times (Wolff, DOI
    10.1016/S0010-4655(03)00467-3), the bias of the subtracted mean is corrected.

    Raises InputError for an empty series or values that are not finite.
    """
    return _inefficiency(_finite(series)) / 2


def detect_equilibration(series: ArrayLike) -> int:
    """Index from which on a series, shape (n,), is equilibrated: the start that leaves most independent samples.

    Starts are tried from 0 to one half, denser at the beginning (Chodera, DOI 10.1021/acs.jctc.5b00784).

    Raises InputError for an empty series or values that are not finite.
    """
    values = _finite(series)
    n = values.size
    starts = np.unique((np.linspace(0, 1, _N_STARTS) ** 2 * (n // 2)).astype(int))
    independent = [(n - start) / _inefficiency(values[start:]) for start in starts]
    return int(starts[int(np.argmax(independent))])


def _finite(series: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise InputError(f"a series of numbers is needed, this array has the shape {values.shape}")
    if not np.isfinite(values).all():
        count = int(np.count_nonzero(~np.isfinite(values)))
        raise InputError(f"{count} of {values.size} values of the series are not finite; end it before them")
    return values


def _is_constant(values: NDArray[np.float64]) -> bool:
    return bool(np.ptp(values) <= max(1e-14 * np.abs(values).max(), 1e-150))


def _block_levels(deviations: NDArray[np.float64]) -> list[tuple[float, int]]:
    levels: list[tuple[float, int]] = []
    blocks = deviations
    while (m := blocks.size) >= _SMALLEST_N_BLOCKS or not levels:
        centred = blocks - blocks.mean()
        c0 = float(centred @ centred) / (m - 1)
        # subtracting the mean of the blocks lowers every covariance by about c0 / m
        c1 = float(centred[1:] @ centred[:-1]) / (m - 1) + c0 / m
        levels.append(((c0 + 2 * max(c1, 0.0)) / m, m))
        paired = blocks[: m // 2 * 2]
        blocks = (paired[::2] + paired[1::2]) / 2
    return levels


def _inefficiency(values: NDArray[np.float64]) -> float:
    n = values.size
    if n == 1 or _is_constant(values):
        return 1.0
    deviations = values - values.mean()
    spectrum = fft.rfft(deviations, fft.next_fast_len(2 * n, real=True))
    covariance = fft.irfft(spectrum.real**2 + spectrum.imag**2)[:n]
    sums = 2 * np.cumsum(covariance / covariance[0]) - 1
    long_enough = np.arange(n) >= _WINDOW_OVER_TIME * np.maximum(sums, 1.0) / 2
    window = int(np.argmax(long_enough)) if long_enough.any() else n // 2
    unbiased = float(sums[window]) * (1 + (2 * window + 1) / n)
    return min(max(unbiased, 1.0), float(n))


def committee_disagreement(forces: NDArray[np.float64]) -> float:
    """Standard deviation of forces, (members, n_atoms, 3), between members: root mean square over components, eV/A."""
    return float(np.sqrt(forces.var(axis=0, ddof=1).mean()))
