"""Activation energies from what trajectories gave."""

import numpy as np
import pytest

from tachylite.analysis.laws import activation
from tachylite.schemas import Diffusivity, Interval
from tachylite.schemas.transport import Conductivity
from tachylite.units import KB_EV


def conducting(temperature_k: float, diffusivity: float, haven: float = 0.5) -> Conductivity:
    """One singly charged ion in 50 A^3."""
    sigma = 1.602176634e5 * diffusivity / 50 / (KB_EV * temperature_k)
    return Conductivity(
        charge=1,
        nernst_einstein_s_cm=sigma,
        nernst_einstein_interval_s_cm=Interval(low=sigma / 1.3, high=sigma * 1.3),
        collective_s_cm=sigma / haven,
        collective_interval_s_cm=Interval(low=sigma / haven / 2, high=sigma / haven * 2),
    )


def annealed(temperature_k: float, diffusivity: float | None, species: str = "Li") -> Diffusivity:
    interval = None if diffusivity is None else Interval(low=diffusivity / 1.3, high=diffusivity * 1.3)
    return Diffusivity(
        species=species,
        temperature_k=temperature_k,
        diffusive=diffusivity is not None,
        diffusivity_cm2_s=diffusivity,
        diffusivity_interval_cm2_s=interval,
        n_independent=5.0,
        conductivity=None if diffusivity is None else conducting(temperature_k, diffusivity),
        lags_fs=[],
        msd_a2=[],
        msd_error_a2=[],
    )


def test_arrhenius_over_the_temperatures_at_which_a_species_diffuses() -> None:
    energy, ln_d0 = 0.4, -6.0
    temperatures = [1000.0, 1500.0, 2000.0, 2500.0]
    anneals = [annealed(t, float(np.exp(ln_d0 - energy / (KB_EV * t)))) for t in temperatures[1:]]
    fit = activation("Li", [annealed(1000.0, None), *anneals])
    assert fit.temperatures_k == temperatures[1:]
    assert fit.activation_energy_ev is not None
    assert fit.activation_energy_ev.value == pytest.approx(energy, rel=1e-6)
    assert fit.activation_energy_ev.error > 0
    room, interval = fit.extrapolated_300k_cm2_s, fit.extrapolated_300k_interval_cm2_s
    assert room == pytest.approx(np.exp(ln_d0 - energy / (KB_EV * 300)), rel=1e-5)
    assert interval is not None
    assert interval.low < np.exp(ln_d0 - energy / (KB_EV * 300)) < interval.high


def test_one_temperature_gives_a_reason_instead() -> None:
    fit = activation("Li", [annealed(1000.0, None), annealed(2000.0, 1e-5)])
    assert fit.activation_energy_ev is None
    assert fit.reason == "Li diffuses measurably at 1 of 2 temperatures; two are needed"


def test_conductivities_follow_the_law_of_sigma_t_down_to_300_k() -> None:
    energy, ln_d0 = 0.3, -7.0
    law = activation("Li", [annealed(t, float(np.exp(ln_d0 - energy / (KB_EV * t)))) for t in (450.0, 600.0, 1200.0)])
    alone, together = law.conductivity, law.collective_conductivity
    assert alone is not None
    assert together is not None
    assert alone.activation_energy_ev.value == pytest.approx(energy)
    expected = conducting(300.0, float(np.exp(ln_d0 - energy / (KB_EV * 300)))).nernst_einstein_s_cm
    assert alone.extrapolated_300k_s_cm == pytest.approx(expected)
    assert together.extrapolated_300k_s_cm == pytest.approx(2 * (expected or 0))
    narrow, wide = alone.extrapolated_300k_interval_s_cm, together.extrapolated_300k_interval_s_cm
    assert narrow is not None
    assert wide is not None
    assert wide.low < 2 * narrow.low < 2 * narrow.high < wide.high
    assert alone.reach_300k == pytest.approx(0.8)


def test_a_line_that_bends_is_not_extrapolated() -> None:
    temperatures = [500.0, 550.0, 600.0, 700.0, 900.0, 1200.0]
    law = activation("Li", [annealed(t, float(np.exp(-7.0 - 2000.0 / (t - 250.0)))) for t in temperatures])
    assert law.vft is not None
    assert law.vft.determined
    assert law.extrapolated_300k_cm2_s is None
    assert law.conductivity is not None
    assert law.conductivity.extrapolated_300k_s_cm is None
    assert "T0 = 250 K" in (law.extrapolation_remark or "")
    assert law.vft.extrapolated_300k_cm2_s == pytest.approx(np.exp(-7.0 - 40.0), rel=0.01)
