"""Step `hold`: what it asks an engine for, and what it makes of the answer."""

from pathlib import Path

import pytest
from tests.flows.fake_engine import fresh_engine, lineage, start_state
from tests.flows.steps.step_samples import SEED, held, make, origins, protocol_of, results, searched, simulated, starts

from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.hold import HoldMaker
from tachylite.measured import Measured

ALONE = protocol_of({"kind": "hold", "name": "melt", "temperature_k": [3000, 2000], "time_ps": 0.1})
AFTER_SEARCH = protocol_of(
    {"kind": "volume", "name": "search", "temperature_k": 3000}, {"kind": "hold", "name": "melt", "time_ps": 0.1}
)
TWICE = protocol_of(
    {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.1},
    {"kind": "hold", "name": "longer", "time_ps": 0.1},
)


def test_every_temperature_of_every_member_is_one_run() -> None:
    maker = make(HoldMaker, "melt", ALONE, fresh_engine())
    requests = [maker.request(member, SEED) for member in maker.members([starts()])]
    asked = [(request.label, lineage(request.state)[0]) for request in requests if request is not None]
    assert asked == [
        ("melt at 3000 K", "argon"),
        ("melt at 2000 K", "argon"),
        ("melt at 3000 K", "alloy"),
        ("melt at 2000 K", "alloy"),
    ]
    assert requests[1] is not None
    (segment,) = requests[1].segments
    assert (segment.temperature_k, segment.end_temperature_k, segment.thermostat) == (2000, None, "nose-hoover")
    assert (segment.steps, segment.timestep_fs, segment.record_every) == (50, 2.0, 5)


def test_the_error_of_the_density_is_that_of_the_searched_volume() -> None:
    maker = make(HoldMaker, "melt", AFTER_SEARCH, fresh_engine())
    source = searched(start_state(["Ar"] * 4, "argon"))
    ((run, trajectory),) = simulated(maker, [[source]])
    (member,) = maker.members([[source]])
    result = maker.result(member, run, trajectory)
    # four atoms of 39.948 u in 125 A^3, at 1.66054 g/cm^3 of one u in 1 A^3
    assert result.density_g_cm3 is not None
    assert result.density_g_cm3.value == pytest.approx(4 * 39.948 / 125 * 1.660539, rel=1e-5)
    assert result.density_g_cm3.error == pytest.approx(0.01 * result.density_g_cm3.value)
    assert (result.name, result.source, result.temperature_k) == ("melt", "search", 3000)
    assert [diffusivity.species for diffusivity in result.diffusivities] == ["Ar"]
    assert result.structure is not None
    assert lineage(result.final) == ("argon", "melt at 3000 K")


def test_a_given_volume_has_no_error_and_a_later_hold_keeps_that_of_the_search() -> None:
    maker = make(HoldMaker, "longer", TWICE, fresh_engine())
    state = start_state(["Ar"] * 4, "argon")
    ((run, trajectory),) = simulated(maker, [[state]])
    assert run is not None
    for volume in (Measured(value=125, error=0), Measured(value=125, error=12)):
        source = held(run).model_copy(update={"volume_a3": volume})
        result = maker.result(maker.members([[source]])[0], run, trajectory)
        assert result.volume_a3 == volume
        assert result.density_g_cm3 is not None
        assert result.density_g_cm3.error == pytest.approx(result.density_g_cm3.value * volume.error / 125)
    given = maker.result(maker.members([[state]])[0], run, trajectory)
    assert given.volume_a3 is not None
    assert given.volume_a3.value == pytest.approx(125)
    assert given.volume_a3.error == 0


def test_a_failed_member_stands_beside_a_good_one(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: melt at 2000"])
    found = results(make(HoldMaker, "melt", ALONE, engine), Inputs([starts()]), tmp_path)
    assert [(result.formula, result.variant, result.status) for result in found] == [
        ("Ar", "3000K", "completed"),
        ("Ar", "2000K", "failed"),
        ("ZrCu2", "3000K", "completed"),
        ("ZrCu2", "2000K", "completed"),
    ]
    failed = found[1]
    assert (failed.reason, failed.final, failed.density_g_cm3, failed.diffusivities) == ("it exploded", None, None, [])
    assert lineage(failed.shown_state)[0] == "argon", "the last good state is kept"
    assert origins(found)[2:] == [("alloy", "melt at 3000 K"), ("alloy", "melt at 2000 K")]
    assert [request.seed for request in engine.requests] == [SEED, SEED + 1, SEED + 2, SEED + 3]


def test_what_has_nothing_to_continue_is_skipped_with_the_reason(tmp_path: Path) -> None:
    engine = fresh_engine()
    alloy = starts()[1]
    sources = [searched(None), searched(alloy)]
    skipped, completed = results(make(HoldMaker, "melt", AFTER_SEARCH, engine), Inputs([sources]), tmp_path)
    assert (skipped.status, skipped.reason, skipped.run) == ("skipped", "search: a vapour", None)
    assert (skipped.formula, skipped.n_atoms, skipped.source, skipped.temperature_k) == ("Ar", 4, "search", 3000)
    assert completed.status == "completed"
    assert [request.state.formula for request in engine.requests] == [alloy.formula]
    (nothing,) = results(make(HoldMaker, "melt", AFTER_SEARCH, engine), Inputs([[None]]), tmp_path)
    assert (nothing.status, nothing.reason) == ("skipped", "there is no state to continue")


def test_the_first_request_of_a_protocol_is_the_hold_itself() -> None:
    maker = make(HoldMaker, "melt", ALONE, fresh_engine())
    request = maker.first_request(start_state(["Ar"] * 4, "argon"))
    assert request is not None
    assert (request.label, request.seed) == ("melt at 3000 K", SEED)
