"""Step `volume`: the search as jobs, on a liquid whose equation of state is known."""

from pathlib import Path
from typing import Any

import pytest
from tests.flows.fake_engine import BULK_MODULUS_GPA, fresh_engine, lineage, start_state, zero_pressure_volume
from tests.flows.steps.step_samples import SEED, held, make, protocol_of, results, simulated, starts

from tachylite.flows import EquilibriumVolumeMaker
from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.hold import HoldMaker
from tachylite.flows.steps.volume import VolumeMaker
from tachylite.schemas import Protocol
from tachylite.units import GPA_PER_EV_A3, KB_EV

SEARCH = {
    "kind": "volume",
    "name": "search",
    "temperature_k": [3000, 1500],
    "equilibrate_ps": 0.02,
    "sample_ps": 0.2,
    "volume_tolerance": 0.01,
    "energy_drift_tolerance": 0.1,
}


def denser(volume_a3: float) -> list[Any]:
    """Two members, not at the volume that is looked for."""
    return [state.scaled_to(volume_a3) for state in starts()]


def test_the_volume_of_zero_pressure_of_every_member_at_every_temperature(tmp_path: Path) -> None:
    engine = fresh_engine()
    maker = make(VolumeMaker, "search", protocol_of(SEARCH), engine)
    found = results(maker, Inputs([denser(80.0)]), tmp_path)
    assert [(result.name, result.formula) for result in found] == [
        ("search-3000K", "Ar"),
        ("search-1500K", "Ar"),
        ("search-3000K", "ZrCu2"),
        ("search-1500K", "ZrCu2"),
    ]
    for result in found:
        assert result.status == "completed", result.reason
        truth = zero_pressure_volume(result.n_atoms, result.temperature_k)
        assert 0 < result.volume_a3.error < 0.01 * truth
        assert result.volume_a3.value == pytest.approx(truth, abs=4 * result.volume_a3.error)
        assert result.pressure_gpa.value == pytest.approx(0, abs=0.5)
        assert result.equation_of_state.bulk_modulus_gpa.value == pytest.approx(BULK_MODULUS_GPA, rel=0.15)
        assert result.final.volume_a3 == pytest.approx(result.volume_a3.value)
        assert lineage(result.final)[0] == {"Ar": "argon", "ZrCu2": "alloy"}[result.formula]
        assert f"volume at {result.temperature_k:g} K" in lineage(result.final)[-1], "of the search at this temperature"


def test_a_scan_asks_for_three_volumes_with_two_thermostats(tmp_path: Path) -> None:
    engine = fresh_engine()
    maker = make(VolumeMaker, "search", protocol_of(SEARCH), engine)
    results(maker, Inputs([denser(80.0)]), tmp_path)
    scan = engine.requests[:12]
    assert {request.label for request in scan} == {"volume at 3000 K: scan", "volume at 1500 K: scan"}
    assert [request.state.volume_a3 for request in scan] == pytest.approx([64, 80, 96] * 4)
    assert [request.seed for request in scan] == [SEED + place for place in range(12)]
    for request in scan:
        equilibration, sampling = request.segments
        assert (equilibration.thermostat, equilibration.steps) == ("langevin", 10)
        assert (sampling.thermostat, sampling.steps) == ("nose-hoover", 100)
        assert {segment.record_every for segment in request.segments} == {0}, "no frames are kept"
    second = engine.requests[12]
    assert second.label.endswith(" 1")
    assert second.seed == SEED + 1000
    assert maker.first_request(denser(80.0)[0]) is not None


def test_the_virial_convention_leaves_the_kinetic_pressure_out(tmp_path: Path) -> None:
    protocol = protocol_of(SEARCH | {"temperature_k": 3000}).model_copy(update={"pressure": "virial"})
    (result,) = results(make(VolumeMaker, "search", protocol, fresh_engine()), Inputs([denser(70.0)[:1]]), tmp_path)
    assert result.pressure_convention == "virial"
    kinetic = 4 * KB_EV * 3000 / result.volume_a3.value * GPA_PER_EV_A3
    assert kinetic > 1
    assert result.volume_a3.value < zero_pressure_volume(4, 3000) * (1 - 0.5 * kinetic / BULK_MODULUS_GPA)


def test_each_search_fails_for_itself_with_its_reason(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: volume at 3000"])
    found = results(make(VolumeMaker, "search", protocol_of(SEARCH), engine), Inputs([denser(80.0)]), tmp_path)
    assert [result.status for result in found] == ["failed", "completed", "completed", "completed"]
    assert (found[0].reason, found[0].final, found[0].volume_a3) == ("it exploded", None, None)


def test_a_search_that_finds_nothing_in_time_says_so(tmp_path: Path) -> None:
    hasty = SEARCH | {"temperature_k": 3000, "max_attempts": 1}
    (result,) = results(
        make(VolumeMaker, "search", protocol_of(hasty), fresh_engine()), Inputs([denser(20.0)[:1]]), tmp_path
    )
    assert result.status == "failed"
    assert result.reason
    assert len(result.samples) >= 3, "what was reached is kept"


def test_what_has_nothing_to_continue_is_skipped_with_the_reason(tmp_path: Path) -> None:
    melt = {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.1}
    protocol = protocol_of(melt, SEARCH | {"temperature_k": 1500})
    engine = fresh_engine(fails=["Ar: melt"])
    answers = simulated(make(HoldMaker, "melt", protocol, engine), [denser(80.0)])
    sources = [held(run) for run, _ in answers if run is not None]
    skipped, completed = results(make(VolumeMaker, "search", protocol, engine), Inputs([sources]), tmp_path)
    assert (skipped.status, skipped.reason, skipped.samples) == ("skipped", "melt: it exploded", [])
    assert (skipped.formula, skipped.n_atoms, skipped.source) == ("Ar", 4, "melt")
    assert completed.status == "completed", completed.reason
    assert {request.state.formula for request in engine.requests[2:]} == {"ZrCu2"}


def test_the_maker_of_the_stage_takes_other_temperatures() -> None:
    melting = protocol_of({"kind": "hold", "name": "melt", "temperature_k": 3000}, SEARCH)
    maker = EquilibriumVolumeMaker(engine=fresh_engine(), protocol=melting)
    assert maker.make([start_state(["Ar"], "argon")], [1000]).name == "equilibrium volume"
    without = Protocol.model_validate({"name": "plain", "steps": [{"kind": "relax"}]})
    with pytest.raises(ValueError, match="protocol plain has no step of kind volume"):
        EquilibriumVolumeMaker(engine=fresh_engine(), protocol=without).make([start_state(["Ar"], "argon")])
