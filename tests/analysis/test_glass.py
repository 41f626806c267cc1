"""Documents of cooling runs, holds and series of volumes."""

from pathlib import Path

import pytest
from ase.build import bulk
from tests.analysis.glass_samples import ATOMS, TG, log, quenched

from tachylite.analysis.glass import measure_hold, measure_quench, measure_transition, ramp_of
from tachylite.engines import get_engine
from tachylite.errors import InputError
from tachylite.schemas import Request, Segment, State
from tachylite.schemas.glass import GlassTransition
from tachylite.units import KB_EV


def test_a_run_at_constant_volume_gives_the_transition_and_both_heat_capacities() -> None:
    glass_transition = measure_transition(log(volume=False), ATOMS)
    assert (glass_transition.constant, glass_transition.volume) == ("volume", None)
    assert glass_transition.energy.temperature_k is not None
    assert abs(glass_transition.energy.temperature_k.value - TG) < 4 * glass_transition.energy.temperature_k.error
    assert glass_transition.cooling_rate_k_s == pytest.approx(1300 / 40e-12, rel=1e-3)
    assert glass_transition.glass_heat_capacity is not None
    assert glass_transition.liquid_heat_capacity is not None
    glass, liquid = glass_transition.glass_heat_capacity, glass_transition.liquid_heat_capacity
    assert glass.k_b_per_atom.value == pytest.approx(3, abs=4 * glass.k_b_per_atom.error), "1.5 of them kinetic"
    assert liquid.k_b_per_atom.value == pytest.approx(4, abs=4 * liquid.k_b_per_atom.error)
    assert glass.j_mol_k.value == pytest.approx(8.314462618 * glass.k_b_per_atom.value)


def test_a_volume_that_changes_gives_the_expansion_of_glass_and_liquid() -> None:
    glass_transition = measure_transition(log(volume=True), ATOMS)
    assert glass_transition.constant == "pressure"
    assert glass_transition.volume is not None
    assert glass_transition.volume.temperature_k is not None
    for branch, truth in ((glass_transition.glass_expansion, 4e-5), (glass_transition.liquid_expansion, 1e-4)):
        assert branch is not None
        assert branch.coefficient_per_k.value == pytest.approx(truth, abs=4 * branch.coefficient_per_k.error)
        assert branch.volume_a3_per_atom == pytest.approx(12, abs=0.02)


def test_a_part_of_the_run_without_the_transition_shows_none() -> None:
    glass_transition = measure_transition(log(volume=False), ATOMS, low_k=900)
    assert glass_transition.energy.reason is not None
    assert glass_transition.energy.temperature_k is None
    assert glass_transition.glass_heat_capacity is None
    assert min(glass_transition.energy.window_temperatures_k) > 900
    with pytest.raises(InputError, match="no temperature lies in 1600 to inf K; the run has"):
        measure_transition(log(volume=False), ATOMS, low_k=1600)


def test_the_ramp_of_a_quench_is_found_between_its_holds() -> None:
    trajectory = quenched()
    ramp = ramp_of(trajectory)
    assert ramp is not None
    assert (ramp.temperatures_k[0], ramp.temperatures_k[-1], len(ramp.temperatures_k)) == (1500, 200, 600)
    glass_transition = measure_quench(trajectory)
    assert glass_transition is not None
    assert glass_transition.energy.temperature_k is not None
    assert glass_transition.energy.temperature_k.value == pytest.approx(TG, abs=40)
    assert measure_quench(quenched(steps=8)) is None, "a ramp of eight steps says nothing"
    short = measure_quench(quenched(steps=30))
    assert short is not None
    assert short.energy.window_errors[0] is None, "one sample has no error"
    assert GlassTransition.model_validate_json(short.model_dump_json()) == short


def test_the_hold_alone_gives_the_heat_capacity_of_fluctuations() -> None:
    heat_capacity = measure_hold(quenched(), 200.0)
    assert heat_capacity is not None
    assert (heat_capacity.constant, heat_capacity.source, heat_capacity.temperature_k) == (
        "volume",
        "fluctuations",
        200.0,
    )
    expected = 1.5 + 0.01**2 / ATOMS / (KB_EV * 200) ** 2
    assert heat_capacity.k_b_per_atom.value == pytest.approx(expected, abs=4 * heat_capacity.k_b_per_atom.error)


@pytest.mark.slow
def test_a_cold_crystal_has_the_heat_capacity_of_equipartition(tmp_path: Path) -> None:
    """Argon at 2 K is harmonic: 3/2 k for its momenta, 3/2 k (1 - 1/N) for positions around a fixed centre of mass."""
    request = Request(
        label="cold",
        state=State.from_atoms(bulk("Ar", "fcc", 5.26, cubic=True).repeat(2)),
        segments=[
            Segment(steps=1000, temperature_k=2, thermostat="langevin", timestep_fs=10),
            Segment(steps=4000, temperature_k=2, thermostat="langevin", timestep_fs=10, record_every=1000),
        ],
        seed=0,
    )
    (answer,) = get_engine("lennard-jones").run([request], tmp_path)
    assert answer.trajectory is not None
    heat_capacity = measure_hold(answer.trajectory, 2.0)
    assert heat_capacity is not None
    assert heat_capacity.k_b_per_atom.error < 0.4
    assert heat_capacity.k_b_per_atom.value == pytest.approx(
        1.5 + 1.5 * 31 / 32, abs=2.5 * heat_capacity.k_b_per_atom.error
    )
