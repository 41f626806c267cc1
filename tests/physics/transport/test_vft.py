"""The VFT law comes back from exact values, with errors of repeated experiments; straight lines are refused."""

import numpy as np
import pytest

from tachylite.errors import InputError
from tachylite.physics.transport.vft import fit_vft

TEMPERATURES = np.array([800.0, 900.0, 1000.0, 1200.0, 1500.0, 2000.0])
LN_D0, B_K, T0_K = -7.5, 1800.0, 450.0
TRUTH = LN_D0 - B_K / (TEMPERATURES - T0_K)
ERRORS = np.full(6, 0.05)


def test_exact_values_give_the_law_back() -> None:
    fit = fit_vft(TEMPERATURES, np.exp(TRUTH), ERRORS)
    assert fit.determined
    assert fit.ln_d0 is not None
    assert fit.b_k is not None
    assert fit.t0_k is not None
    assert (fit.ln_d0.value, fit.b_k.value, fit.t0_k.value) == pytest.approx((LN_D0, B_K, T0_K), rel=1e-4)
    centre, low, high = fit.predict([700.0, 1000.0])
    np.testing.assert_allclose(centre, np.exp(LN_D0 - B_K / (np.array([700.0, 1000.0]) - T0_K)), rtol=1e-3)
    assert (low < centre).all()
    assert (centre < high).all()


def test_errors_are_those_of_repeated_experiments() -> None:
    rng = np.random.default_rng(1)
    fits = [fit_vft(TEMPERATURES, np.exp(TRUTH + rng.normal(0, ERRORS)), ERRORS) for _ in range(300)]
    laws = [fit for fit in fits if fit.determined]
    assert len(laws) > 290
    t0 = [fit.t0_k for fit in laws if fit.t0_k is not None]
    assert np.median([t.error for t in t0]) == pytest.approx(np.std([t.value for t in t0]), rel=0.25)
    ends = np.array([[float(x) for x in fit.predict(1100.0)] for fit in laws])
    truth = np.exp(LN_D0 - B_K / (1100.0 - T0_K))
    assert np.mean((ends[:, 1] < truth) & (truth < ends[:, 2])) > 0.92


@pytest.mark.parametrize("seed", range(5))
def test_an_arrhenius_line_does_not_determine_it(seed: int) -> None:
    line = -6.0 - 5000.0 / TEMPERATURES + np.random.default_rng(seed).normal(0, 0.02, 6)
    fit = fit_vft(TEMPERATURES, np.exp(line), ERRORS)
    assert not fit.determined
    assert "a straight Arrhenius line describes the values as well" in (fit.reason or "")
    with pytest.raises(InputError, match="no VFT law to predict from"):
        fit.predict(1000.0)


def test_the_other_bend_is_refused() -> None:
    bent = -6.0 - 5000.0 / TEMPERATURES - 3e6 / TEMPERATURES**2 * -1
    assert "the other way" in (fit_vft(TEMPERATURES, np.exp(bent), ERRORS).reason or "")


def test_three_temperatures_are_too_few() -> None:
    fit = fit_vft(TEMPERATURES[:3], np.exp(TRUTH[:3]), ERRORS[:3])
    assert fit.reason == "3 temperatures; three parameters with errors need four"


def test_below_t0_there_is_no_diffusivity() -> None:
    with pytest.raises(InputError, match="300 K is not above it"):
        fit_vft(TEMPERATURES, np.exp(TRUTH), ERRORS).predict(300.0)
