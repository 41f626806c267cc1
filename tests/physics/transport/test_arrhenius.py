"""Activation energies with errors that repeated experiments would show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.physics.transport.arrhenius import arrhenius, arrhenius_law
from tachylite.units import KB_EV


@given(st.floats(0.05, 2.0), st.floats(-12, -2))
def test_two_temperatures_give_the_exact_line(energy: float, ln_d0: float) -> None:
    temperatures = np.array([1000.0, 2500.0])
    d = np.exp(ln_d0 - energy / (KB_EV * temperatures))
    fit = arrhenius(temperatures, d, [0.1, 0.2])
    assert fit.activation_energy_ev.value == pytest.approx(energy, rel=1e-6)
    assert fit.ln_d0.value == pytest.approx(ln_d0, abs=1e-6)
    x = 1 / (KB_EV * temperatures)
    assert fit.activation_energy_ev.error == pytest.approx(np.hypot(0.1, 0.2) / (x[0] - x[1]))
    centre, low, high = fit.predict(temperatures)
    np.testing.assert_allclose(centre, d, rtol=1e-6)
    np.testing.assert_allclose(np.log(high / low) / 2 / 1.959964, [0.1, 0.2], rtol=1e-5)


def test_arrhenius_errors_are_those_of_repeated_experiments() -> None:
    rng = np.random.default_rng(0)
    temperatures = np.array([1000.0, 1500.0, 2000.0, 2500.0])
    errors = np.array([0.3, 0.2, 0.1, 0.1])
    truth = -7.0 - 0.45 / (KB_EV * temperatures)
    fits = [arrhenius(temperatures, np.exp(truth + rng.normal(0, errors)), errors) for _ in range(2000)]
    energies = np.array([f.activation_energy_ev.value for f in fits])
    prefactors = np.array([f.ln_d0.value for f in fits])
    smallest = min(fits, key=lambda f: f.activation_energy_ev.error)
    assert energies.mean() == pytest.approx(0.45, abs=0.005)
    assert smallest.activation_energy_ev.error == pytest.approx(energies.std(), rel=0.05)
    assert smallest.ln_d0.error == pytest.approx(prefactors.std(), rel=0.05)
    assert smallest.covariance_ev == pytest.approx(np.cov(energies, prefactors)[0, 1], rel=0.1)
    room = np.array([[float(value) for value in f.predict(300.0)] for f in fits])
    expected = np.exp(-7.0 - 0.45 / (KB_EV * 300))
    assert np.mean((room[:, 1] < expected) & (expected < room[:, 2])) > 0.94


def test_the_band_reaches_from_room_temperature_to_the_hottest_measurement() -> None:
    temperatures = [1000.0, 2000.0, 1500.0]
    law = arrhenius_law(temperatures, np.exp(-7.0 - 0.45 / (KB_EV * np.array(temperatures))), [0.1] * 3)
    assert (law.band_temperatures_k[0], law.band_temperatures_k[-1]) == pytest.approx((300.0, 2000.0))
    assert law.extrapolated_300k_cm2_s == pytest.approx(np.exp(-7.0 - 0.45 / (KB_EV * 300)))
    assert law.extrapolated_300k_interval_cm2_s == law.band_interval_cm2_s[0]
    assert all(
        interval.low < centre < interval.high
        for centre, interval in zip(law.band_cm2_s, law.band_interval_cm2_s, strict=True)
    )


def arrhenius_values(temperatures: list[float], energy: float = 0.45) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.exp(-7.0 - energy / (KB_EV * np.array(temperatures)))
    return values


@pytest.mark.parametrize(
    ("temperatures", "error", "reach", "words"),
    [
        ([400.0, 600.0, 1200.0], 0.1, 0.5, None),
        ([600.0, 900.0, 1200.0], 0.1, 2.0, "far extrapolation: 300 K is 2.0 times the measured range of 1/T away"),
        ([250.0, 500.0], 0.1, 0.0, None),
        ([400.0, 800.0], 0.1, 2 / 3, None),
    ],
)
def test_how_far_an_extrapolation_reaches(
    temperatures: list[float], error: float, reach: float, words: str | None
) -> None:
    law = arrhenius_law(temperatures, arrhenius_values(temperatures), [error] * len(temperatures))
    assert law.reach_300k == pytest.approx(reach)
    assert law.extrapolated_300k_cm2_s == pytest.approx(arrhenius_values([300.0])[0])
    assert (law.extrapolation_remark or "").startswith(words or "")
    assert (law.extrapolation_remark is None) == (words is None)


@pytest.mark.parametrize(
    ("temperatures", "error", "words"),
    [
        ([600.0, 1200.0], 0.1, "two temperatures do not show whether the line is straight"),
        ([900.0, 1000.0, 1100.0], 0.5, "more than six powers of ten apart"),
    ],
)
def test_an_extrapolation_that_the_fit_cannot_carry_is_refused(
    temperatures: list[float], error: float, words: str
) -> None:
    law = arrhenius_law(temperatures, arrhenius_values(temperatures), [error] * len(temperatures))
    assert (law.extrapolated_300k_cm2_s, law.extrapolated_300k_interval_cm2_s) == (None, None)
    assert words in (law.extrapolation_remark or "")
    assert law.activation_energy_ev.value == pytest.approx(0.45), "what was measured stays"


def test_a_misfit_widens_the_errors() -> None:
    temperatures = [1000.0, 1500.0, 2000.0]
    straight = np.exp(-7.0 - 0.45 / (KB_EV * np.array(temperatures)))
    good = arrhenius(temperatures, straight, [0.1] * 3)
    bad = arrhenius(temperatures, straight * np.array([1, 3, 1]), [0.1] * 3)
    assert bad.activation_energy_ev.error > 3 * good.activation_energy_ev.error


@pytest.mark.parametrize(
    ("temperatures", "values", "errors", "words"),
    [
        ([1000.0], [1e-5], [0.1], "two temperatures"),
        ([1000.0, 1000.0], [1e-5, 2e-5], [0.1, 0.1], "two temperatures"),
        ([1000.0, 2000.0], [1e-5, -1e-5], [0.1, 0.1], "diffusivities"),
        ([1000.0, 2000.0], [1e-5, 1e-5], [0.1, 0.0], "errors of ln D"),
        ([1000.0, 2000.0], [1e-5], [0.1, 0.1], "diffusivities"),
    ],
)
def test_arrhenius_refuses_what_gives_no_line(
    temperatures: list[float], values: list[float], errors: list[float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        arrhenius(temperatures, values, errors)
