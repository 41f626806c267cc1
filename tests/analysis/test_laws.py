"""Activation energies from what trajectories gave."""

import numpy as np
import pytest

from tachylite.analysis.laws import activation
from tachylite.schemas import Diffusivity, Interval
from tachylite.units import KB_EV


def annealed(temperature_k: float, diffusivity: float | None, species: str = "Li") -> Diffusivity:
    interval = None if diffusivity is None else Interval(low=diffusivity / 1.3, high=diffusivity * 1.3)
    return Diffusivity(
        species=species,
        temperature_k=temperature_k,
        diffusive=diffusivity is not None,
        diffusivity_cm2_s=diffusivity,
        diffusivity_interval_cm2_s=interval,
        n_independent=5.0,
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
