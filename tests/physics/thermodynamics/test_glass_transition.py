"""The glass transition in synthetic cooling runs with a known one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import Interval, Measured
from tachylite.physics.thermodynamics.glass_transition import find_transition, window_means
from tachylite.physics.thermodynamics.kink import Kink, find_kink

TG, GLASS, JUMP = 800.0, 1.3e-4, 1.5e-4


def cooling(seed: int, *, noise: float, n: int = 5000, tau: float = 20.0, width: float = 0.0) -> tuple[Array, Array]:
    """A run from 2000 to 300 K with noise of a correlation time, in samples, that is larger where it is hot."""
    temperature = np.linspace(2000, 300, n)
    x = temperature - TG
    energy = GLASS * x + JUMP * (x + np.sqrt(x**2 + width**2)) / 2
    decay = np.exp(-1 / tau)
    walk = lfilter([(1 - decay**2) ** 0.5], [1, -decay], np.random.default_rng(seed).normal(size=n + 1000))[1000:]
    return temperature, energy + noise * temperature / 1000 * walk


def transition(seed: int, **options: Any) -> Kink:
    return find_transition(*cooling(seed, **options))


@dataclass(frozen=True)
class Seen:
    """The numbers of a kink that is there."""

    temperature_k: Measured
    interval: Interval
    width_k: float
    glass_slope: Measured
    liquid_slope: Measured
    jump: Measured


def seen(kink: Kink) -> Seen:
    assert kink.reason is None
    assert kink.temperature_k is not None
    assert kink.temperature_interval_k is not None
    assert kink.width_k is not None
    assert kink.glass_slope is not None
    assert kink.liquid_slope is not None
    assert kink.slope_jump is not None
    return Seen(
        kink.temperature_k,
        kink.temperature_interval_k,
        kink.width_k,
        kink.glass_slope,
        kink.liquid_slope,
        kink.slope_jump,
    )


def test_two_lines_give_back_what_they_are_made_of() -> None:
    kink = seen(transition(0, noise=1e-4))
    assert kink.temperature_k.value == pytest.approx(TG, abs=2)
    assert kink.glass_slope.value == pytest.approx(GLASS, rel=0.01)
    assert kink.liquid_slope.value == pytest.approx(GLASS + JUMP, rel=0.01)
    assert kink.width_k < 20


def test_a_rounded_transition_is_where_its_asymptotes_meet() -> None:
    temperature, energy = cooling(0, noise=1e-4, width=150.0)
    points = window_means(temperature, energy, 60)
    kink = seen(find_kink(points.temperatures_k, points.values))
    assert kink.temperature_k.value == pytest.approx(TG, abs=10)
    assert kink.width_k == pytest.approx(150, abs=30)
    assert kink.jump.value == pytest.approx(JUMP, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "width", "tau"), [(0.01, 0.0, 20.0), (0.005, 150.0, 20.0), (0.01, 0.0, 0.5)])
def test_the_interval_covers_the_truth(noise: float, width: float, tau: float) -> None:
    """Of 120 runs 114 are expected; fewer than 107 or all but none outside would be odd at 1 in 500."""
    transitions = [transition(seed, noise=noise, width=width, tau=tau) for seed in range(120)]
    kinks = [seen(kink) for kink in transitions if kink.reason is None]
    assert len(kinks) > 100
    inside = sum(k.interval.low <= TG <= k.interval.high for k in kinks)
    assert inside / len(kinks) > 107 / 120
    slopes = sum(abs(k.glass_slope.value - GLASS) < 1.96 * k.glass_slope.error for k in kinks)
    assert slopes / len(kinks) > 107 / 120
    scatter = np.std([k.temperature_k.value for k in kinks])
    assert np.mean([k.temperature_k.error for k in kinks]) < 2 * scatter, "an interval that is never wrong says nothing"


@pytest.mark.slow
def test_a_parabola_shows_no_transition() -> None:
    """Also with a curvature that one would like to take for a kink: at 1 % few of 60 may be seen."""
    temperature, noise = (
        cooling(0, noise=0.0)[0],
        [cooling(s, noise=0.01)[1] - cooling(s, noise=0.0)[1] for s in range(60)],
    )
    for curvature in (0.0, 4e-8):
        kinks = [find_transition(temperature, curvature * temperature**2 + walk) for walk in noise]
        assert sum(k.reason is None for k in kinks) <= 2


@pytest.mark.parametrize(
    ("temperatures", "values", "reason"),
    [
        (np.linspace(2000, 300, 400), 1e-4 * np.linspace(2000, 300, 400), "no kink: a line or a parabola"),
        (np.linspace(825, 300, 400), None, "at the edge of the data"),
        (np.linspace(300, 2000, 400), None, "does not fall along the run"),
    ],
)
def test_what_shows_no_transition_is_refused(temperatures: Array, values: Array | None, reason: str) -> None:
    noise = np.random.default_rng(3).normal(0, 1e-3, 400)
    x = temperatures - TG
    truth = GLASS * x + JUMP * np.maximum(x, 0) if values is None else values
    kink = find_transition(temperatures, truth + noise)
    assert reason in (kink.reason or "")


def test_a_slope_that_shrinks_is_no_glass_transition() -> None:
    temperature, energy = cooling(0, noise=1e-3)
    assert "does not grow" in (find_transition(temperature, -energy).reason or "")


def test_a_run_of_few_correlation_times_is_too_short() -> None:
    assert "too short" in (transition(1, noise=0.02, n=600, tau=50.0).reason or "")


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), slope=st.floats(-1e-3, 1e-3))
def test_units_and_zeros_of_the_energy_do_not_matter(scale: float, shift: float, slope: float) -> None:
    temperature, energy = cooling(4, noise=0.005)
    points = window_means(temperature, energy, 40)
    x, y = points.temperatures_k, points.values
    kink, changed = seen(find_kink(x, y)), seen(find_kink(x, scale * y + shift + slope * x))
    assert changed.temperature_k.value == pytest.approx(kink.temperature_k.value, abs=0.1)
    assert changed.jump.value == pytest.approx(scale * kink.jump.value, rel=1e-3)


def test_windows_have_the_means_and_errors_of_their_samples() -> None:
    rng = np.random.default_rng(5)
    temperature = np.linspace(1000, 500, 4000)
    windows = window_means(temperature, 1e-3 * temperature + rng.normal(0, 0.1, 4000), 20)
    np.testing.assert_allclose(windows.temperatures_k, np.linspace(1000, 500, 4000).reshape(20, 200).mean(axis=1))
    assert windows.errors.mean() == pytest.approx(0.1 / 200**0.5, rel=0.25)


@pytest.mark.parametrize(
    ("temperatures", "values", "message"),
    [
        ([1000.0, 900.0], [1.0, 2.0], "give a ramp"),
        (np.full(40, 300.0), np.zeros(40), "give a ramp"),
        (np.linspace(1000, 300, 8), np.zeros(8), "8 samples of the cooling run"),
        (np.linspace(1000, 300, 40), np.full(40, np.nan), "must be finite"),
        (np.linspace(1000, 300, 40), np.zeros(41), "two series of one length"),
    ],
)
def test_bad_series_are_refused(temperatures: Array, values: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_transition(temperatures, values)
