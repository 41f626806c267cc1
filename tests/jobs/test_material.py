"""The last document: activation energies and failures from what the stages left."""

import numpy as np
import pytest

from tachylite.jobs.material import _activation
from tachylite.schemas import Diffusivity, Equilibrium, Interval, Melt
from tachylite.units import KB_EV

NOWHERE = Equilibrium(
    status="failed", formula="Li", n_atoms=1, temperature_k=1.0, pressure_convention="total", samples=[]
)


def annealed(temperature_k: float, diffusivity: float | None, species: str = "Li") -> Melt:
    interval = None if diffusivity is None else Interval(low=diffusivity / 1.3, high=diffusivity * 1.3)
    found = Diffusivity(
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
    return Melt(temperature_k=temperature_k, equilibrium=NOWHERE, diffusivities=[found])


def test_arrhenius_over_the_temperatures_at_which_a_species_diffuses() -> None:
    energy, ln_d0 = 0.4, -6.0
    temperatures = [1000.0, 1500.0, 2000.0, 2500.0]
    anneals = [annealed(t, float(np.exp(ln_d0 - energy / (KB_EV * t)))) for t in temperatures[1:]]
    found = _activation("Li", [annealed(1000.0, None), *anneals])
    assert found.temperatures_k == temperatures[1:]
    assert found.activation_energy_ev is not None
    assert found.activation_energy_ev.value == pytest.approx(energy, rel=1e-6)
    assert found.activation_energy_ev.error > 0
    room, interval = found.extrapolated_300k_cm2_s, found.extrapolated_300k_interval_cm2_s
    assert room == pytest.approx(np.exp(ln_d0 - energy / (KB_EV * 300)), rel=1e-5)
    assert interval is not None
    assert interval.low < np.exp(ln_d0 - energy / (KB_EV * 300)) < interval.high


def test_one_temperature_gives_a_reason_instead() -> None:
    found = _activation("Li", [annealed(1000.0, None), annealed(2000.0, 1e-5)])
    assert found.activation_energy_ev is None
    assert found.reason == "Li diffuses measurably at 1 of 2 temperatures; two are needed"
