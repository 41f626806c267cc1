"""Errors of correlated means cover the truth; correlation times and equilibration are those put in."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.signal import lfilter

from tachylite.errors import InputError
from tachylite.physics.statistics import GAUSSIAN_95, correlation_time, detect_equilibration, estimate_mean

type Series = NDArray[np.float64]


def ar1(n: int, tau: float, count: int, seed: int = 0) -> Series:
    """`count` series of zero mean and unit variance with autocorrelation exp(-k / tau)."""
    a = np.exp(-1 / tau)
    noise = np.random.default_rng(seed).standard_normal((count, n + int(20 * tau)))
    return np.asarray(lfilter([np.sqrt(1 - a**2)], [1, -a], noise, axis=1)[:, -n:])


def exact_error(n: int, tau: float) -> float:
    k = np.arange(1, n)
    return float(np.sqrt((1 + 2 * np.sum((1 - k / n) * np.exp(-k / tau))) / n))


def coverage(series: Series) -> tuple[float, float]:
    estimates = [estimate_mean(values) for values in series]
    z = np.array([abs(e.mean) / e.error for e in estimates])
    return float((z < 1).mean()), float((z < GAUSSIAN_95).mean())


@pytest.mark.parametrize("length_over_tau", [20, 30, 50, 200])
@pytest.mark.parametrize("tau", [3, 20])
def test_intervals_cover_the_truth_of_correlated_series(tau: int, length_over_tau: int) -> None:
    inner, outer = coverage(ar1(length_over_tau * tau, tau, count=1000))
    assert 0.66 < inner < 0.88
    assert 0.92 < outer < 0.99


def test_very_short_series_are_not_grossly_optimistic() -> None:
    inner, outer = coverage(ar1(100, 20, count=1000))
    assert inner > 0.66
    assert outer > 0.85


def test_independent_samples_have_the_textbook_error() -> None:
    series = np.random.default_rng(1).normal(3.0, 2.0, 20000)
    estimate = estimate_mean(series)
    assert estimate.error == pytest.approx(2 / np.sqrt(20000), rel=0.15)
    assert abs(estimate.mean - 3.0) < 4 * estimate.error
    assert estimate.n_independent > 15000


def test_error_of_a_long_series_is_the_exact_one() -> None:
    errors = [estimate_mean(values).error for values in ar1(20000, 10, count=40)]
    assert np.median(errors) == pytest.approx(exact_error(20000, 10), rel=0.1)


def test_oscillations_do_not_blow_up_the_error() -> None:
    # a thermostat rings: windowed sums of the autocorrelation overestimate such an error several times
    r, period = np.exp(-1 / 100), 30
    noise = np.random.default_rng(2).standard_normal((300, 6000))
    series = lfilter([1.0], [1, -2 * r * np.cos(2 * np.pi / period), r**2], noise, axis=1)[:, -2000:]
    truth = series.mean(axis=1).std()
    errors = np.array([estimate_mean(values).error for values in series])
    assert 1.0 < np.median(errors) / truth < 1.5


def test_a_single_sample_knows_no_error_and_a_constant_has_none() -> None:
    assert estimate_mean([2.5]).error == np.inf
    constant = estimate_mean(np.full(100, 2.5))
    assert (constant.mean, constant.error, constant.n_independent) == (2.5, 0.0, 100.0)


@given(
    arrays(np.float64, st.integers(2, 60), elements=st.floats(-1e6, 1e6)),
    st.floats(-100, 100),
    st.floats(1e-3, 1e3),
)
def test_shift_and_scale_pass_through(series: Series, shift: float, scale: float) -> None:
    before, after = estimate_mean(series), estimate_mean(scale * series + shift)
    tolerance = 1e-6 * (1 + abs(shift) + scale * float(np.abs(series).max()))
    assert after.mean == pytest.approx(scale * before.mean + shift, abs=tolerance)
    assert after.error == pytest.approx(scale * before.error, rel=1e-3, abs=tolerance)
    assert 1 <= after.n_independent <= series.size


@pytest.mark.parametrize("tau", [2, 10, 50])
def test_correlation_time_is_the_one_put_in(tau: int) -> None:
    times = [correlation_time(values) for values in ar1(400 * tau, tau, count=100)]
    exact = 0.5 / np.tanh(0.5 / tau)
    assert np.mean(times) == pytest.approx(exact, rel=0.05)


def test_white_noise_has_half_a_sample() -> None:
    assert correlation_time(np.random.default_rng(0).standard_normal(5000)) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(("amplitude", "decay", "tau"), [(10, 100, 1), (10, 100, 10), (10, 300, 10), (3, 50, 10)])
def test_a_decaying_start_is_cut_off(amplitude: float, decay: float, tau: float) -> None:
    transient = amplitude * np.exp(-np.arange(4000) / decay)
    series = ar1(4000, tau, count=30) + transient
    starts = np.array([detect_equilibration(values) for values in series])
    equilibrated = np.array([transient[start:].mean() for start in starts])
    assert np.median(starts) >= decay * np.log(amplitude)
    assert np.median(starts) < 8 * decay
    assert equilibrated.mean() < 0.1 * transient.mean() + 0.02


def test_a_stationary_series_is_kept() -> None:
    starts = [detect_equilibration(values) for values in ar1(4000, 5, count=50)]
    assert np.median(starts) < 100


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(-1e3, 1e3)))
def test_never_more_than_half_is_discarded(series: Series) -> None:
    assert 0 <= detect_equilibration(series) <= series.size // 2


def test_a_drifting_series_loses_half_at_most() -> None:
    assert detect_equilibration(np.linspace(0, 1, 1001)) <= 500


@pytest.mark.parametrize("function", [estimate_mean, correlation_time, detect_equilibration])
def test_bad_series_are_refused(function: Callable[[object], object]) -> None:
    with pytest.raises(InputError, match="shape"):
        function([])
    with pytest.raises(InputError, match="1 of 3"):
        function([1.0, np.nan, 2.0])


@pytest.mark.parametrize("function", [estimate_mean, detect_equilibration])
def test_time_grows_no_faster_than_n_log_n(function: Callable[[Series], object]) -> None:
    """Eight times the samples take less than 16 times as long, where the square would take 64."""

    def best(n: int) -> float:
        series = ar1(n, 30, count=1)[0]
        times = []
        for _ in range(10):
            start = time.perf_counter()
            function(series)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(80_000) < 16 * best(10_000)
