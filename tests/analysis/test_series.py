"""Laws over several temperatures: activation energies and thermal expansion from numbers that follow one exactly."""

from typing import Any

import numpy as np
import pytest

from tachylite.analysis.series import activations_of, expansions_of
from tachylite.schemas import Diffusivity, Interval, Measured
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.units import KB_EV

ENERGY_EV, D0 = 0.3, 1e-3


def hold(step: str, kelvin: float, species: str = "Li", variant: str = "", d0: float = D0) -> HoldResult:
    value = d0 * np.exp(-ENERGY_EV / KB_EV / kelvin)
    diffusivity = Diffusivity(
        species=species,
        temperature_k=kelvin,
        diffusive=True,
        diffusivity_cm2_s=value,
        diffusivity_interval_cm2_s=Interval(low=0.9 * value, high=1.1 * value),
        n_independent=50,
        lags_fs=[],
        msd_a2=[],
        msd_error_a2=[],
    )
    return HoldResult(
        name=f"{step}-{kelvin:g}K",
        step=step,
        variant=variant,
        status="completed",
        formula="Li",
        n_atoms=2,
        temperature_k=kelvin,
        diffusivities=[diffusivity],
    )


def search(step: str, kelvin: float, error: float = 0.01, **changes: Any) -> VolumeResult:
    """Two atoms of 10 A^3 at 1000 K, growing by 1e-4 of it a kelvin."""
    volume = 2 * 10 * (1 + 1e-4 * (kelvin - 1000))
    fields: dict[str, Any] = {
        "name": f"{step}-{kelvin:g}K",
        "step": step,
        "status": "completed",
        "formula": "Li",
        "n_atoms": 2,
        "temperature_k": kelvin,
        "pressure_convention": "total",
        "volume_a3": Measured(value=volume, error=error),
    }
    return VolumeResult(**fields | changes)


def test_a_step_at_several_temperatures_has_an_activation_energy() -> None:
    states = [hold("melt", 3000), *(hold("anneal", kelvin) for kelvin in (1000, 1500, 2000, 2500))]
    (law,) = activations_of(states, ["Li"])
    assert (law.step, law.species) == ("anneal", "Li")
    assert law.activation_energy_ev is not None
    assert law.activation_energy_ev.value == pytest.approx(ENERGY_EV, rel=1e-6)
    assert law.ln_d0 is not None
    assert law.ln_d0.value == pytest.approx(np.log(D0), rel=1e-6)
    assert law.temperatures_k == [1000, 1500, 2000, 2500], "the melt is a step of its own"


def test_every_series_and_every_element_has_its_own() -> None:
    states = [hold(step, kelvin, "O") for step in ("first", "second") for kelvin in (1000, 1500, 2000)]
    laws = activations_of(states, ["Li", "O"])
    assert [(law.step, law.species) for law in laws] == [
        ("first", "Li"),
        ("first", "O"),
        ("second", "Li"),
        ("second", "O"),
    ]
    assert [law.activation_energy_ev is None for law in laws] == [True, False, True, False]
    assert laws[0].reason


def test_two_glasses_annealed_in_one_step_have_a_law_each() -> None:
    """The slowly cooled one diffuses ten times less: one law through both would have neither prefactor."""
    states = [
        hold("anneal", kelvin, variant=f"{glass}, {kelvin:g}K", d0=d0)
        for glass, d0 in (("fast", D0), ("slow", 0.1 * D0))
        for kelvin in (500, 600, 700)
    ]
    fast, slow = activations_of(states, ["Li"])
    assert [(law.step, law.variant, law.name) for law in (fast, slow)] == [
        ("anneal", "fast", "anneal-fast"),
        ("anneal", "slow", "anneal-slow"),
    ]
    assert fast.ln_d0 is not None
    assert slow.ln_d0 is not None
    assert fast.ln_d0.value == pytest.approx(np.log(D0), rel=1e-6)
    assert slow.ln_d0.value == pytest.approx(np.log(0.1 * D0), rel=1e-6)
    one_temperature = [hold("anneal", 600, variant="1500K"), hold("anneal", 600, variant="2000K")]
    assert activations_of(one_temperature, ["Li"]) == []


def test_where_no_step_has_several_temperatures_all_are_taken_together() -> None:
    (law,) = activations_of([hold("hot", 2000), hold("warm", 1500), hold("cold", 1000)], ["Li"])
    assert law.step == ""
    assert law.activation_energy_ev is not None
    assert law.activation_energy_ev.value == pytest.approx(ENERGY_EV, rel=1e-6)
    assert activations_of([hold("hot", 2000), hold("again", 2000)], ["Li"]) == []
    assert activations_of([], ["Li"]) == []


def test_volumes_at_several_temperatures_give_the_expansion_per_atom() -> None:
    (expansion,) = expansions_of([search("melt", 3000), *(search("anneal", kelvin) for kelvin in (500, 1000, 1500))])
    assert expansion.step == "anneal"
    assert expansion.coefficient_per_k.value == pytest.approx(1e-4)
    assert expansion.temperature_k == pytest.approx(1000)
    assert expansion.volume_a3_per_atom == pytest.approx(10)
    assert expansion.temperatures_k == [500, 1000, 1500]
    # three volumes per atom with an error of 0.005 A^3, 500 K apart
    assert expansion.coefficient_per_k.error == pytest.approx(0.005 / (500 * 2**0.5) / 10, rel=1e-2)


def test_volumes_without_a_known_error_do_not_count() -> None:
    unknown = [search("anneal", 500), search("anneal", 1000, error=float("inf")), search("anneal", 1500, error=0)]
    assert expansions_of(unknown) == []
    failed = search("anneal", 1500, status="failed", reason="a vapour", volume_a3=None)
    assert expansions_of([search("anneal", 500), failed]) == []
    assert len(expansions_of([search("anneal", 500), search("anneal", 700), failed])) == 1
