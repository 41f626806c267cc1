"""Step `ramp`: what it asks an engine for, and what it makes of the answer."""

from pathlib import Path

import pytest
from tests.flows.fake_engine import fresh_engine, lineage, start_state
from tests.flows.steps.step_samples import SEED, held, make, protocol_of, results, simulated, starts

from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.hold import HoldMaker
from tachylite.flows.steps.ramp import RampMaker
from tachylite.schemas import State
from tachylite.schemas.steps.hold import HoldResult

MELT = {"kind": "hold", "name": "melt", "temperature_k": [3000, 2500], "time_ps": 0.1}
QUENCH = {"kind": "ramp", "name": "quench", "temperature_k": 300, "time_ps": 0.2, "hold_ps": 0.1}


def melts(state: State) -> list[HoldResult]:
    """One for each temperature."""
    maker = make(HoldMaker, "melt", protocol_of(MELT), fresh_engine())
    runs = [run for run, _ in simulated(maker, [[state]])]
    return [held(run, kelvin) for run, kelvin in zip(runs, (3000, 2500), strict=True) if run is not None]


def test_it_begins_at_the_temperature_of_each_melt_and_holds_at_the_end() -> None:
    maker = make(RampMaker, "quench", protocol_of(MELT, QUENCH), fresh_engine())
    members = maker.members([melts(start_state(["Ar"] * 4, "argon"))])
    requests = [request for member in members if (request := maker.request(member, SEED)) is not None]
    assert [request.label for request in requests] == ["quench to 300 K"] * 2
    assert [lineage(request.state)[-1] for request in requests] == ["melt at 3000 K", "melt at 2500 K"]
    for request, start_k in zip(requests, (3000, 2500), strict=True):
        ramp, hold = request.segments
        assert (ramp.temperature_k, ramp.end_temperature_k, ramp.steps) == (start_k, 300, 100)
        assert (hold.temperature_k, hold.end_temperature_k, hold.steps) == (300, None, 50)


def test_a_ramp_without_a_hold_is_one_segment() -> None:
    maker = make(RampMaker, "quench", protocol_of(MELT, QUENCH | {"hold_ps": 0}), fresh_engine())
    sources = [melts(start_state(["Ar"] * 4, "argon"))]
    request = maker.request(maker.members(sources)[0], SEED)
    assert request is not None
    assert len(request.segments) == 1
    (run, trajectory), _ = simulated(maker, sources)
    result = maker.result(maker.members(sources)[0], run, trajectory)
    assert result.status == "completed"
    assert result.transition is not None
    assert (result.structure, result.heat_capacity) == (None, None), "there is no state at one temperature"


@pytest.mark.parametrize(("end_k", "rate"), [(300, 2700 / 0.2e-12), (4000, -1000 / 0.2e-12)])
def test_the_rate_is_the_difference_of_temperature_over_the_time(end_k: float, rate: float) -> None:
    maker = make(RampMaker, "quench", protocol_of(MELT, QUENCH | {"temperature_k": end_k}), fresh_engine())
    sources = [melts(start_state(["Ar"] * 4, "argon"))]
    (run, trajectory), _ = simulated(maker, sources)
    result = maker.result(maker.members(sources)[0], run, trajectory)
    assert result.cooling_rate_k_s == pytest.approx(rate), "negative for heating"
    assert (result.start_temperature_k, result.temperature_k) == (3000, end_k)
    assert result.heat_capacity is not None
    assert result.heat_capacity.temperature_k == end_k
    assert result.structure is not None
    assert (result.transition is None) == (end_k > 3000), "a transition is looked for where it cools"


def test_a_failed_member_stands_beside_a_good_one(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: quench"])
    protocol = protocol_of(MELT | {"temperature_k": 3000}, QUENCH)
    maker = make(HoldMaker, "melt", protocol, engine)
    sources = [held(run) for run, _ in simulated(maker, [starts()]) if run is not None]
    failed, completed = results(make(RampMaker, "quench", protocol, engine), Inputs([sources]), tmp_path)
    assert (failed.status, failed.reason, failed.final) == ("failed", "it exploded", None)
    assert failed.cooling_rate_k_s == pytest.approx(2700 / 0.2e-12), "the ramp was done, the hold after it was not"
    assert (failed.transition, failed.structure, failed.heat_capacity) == (None, None, None)
    assert completed.status == "completed"
    assert lineage(completed.final) == ("alloy", "melt at 3000 K", "quench to 300 K")


def test_a_run_that_ends_on_the_ramp_has_no_rate() -> None:
    sources = [melts(start_state(["Ar"] * 4, "argon"))]
    protocol = protocol_of(MELT, QUENCH | {"hold_ps": 0})
    maker = make(RampMaker, "quench", protocol, fresh_engine(fails=["Ar: quench"]))
    (run, trajectory), _ = simulated(maker, sources)
    result = maker.result(maker.members(sources)[0], run, trajectory)
    assert (result.status, result.cooling_rate_k_s, result.transition) == ("failed", None, None)


def test_what_has_nothing_to_continue_is_skipped_with_the_reason() -> None:
    maker = make(RampMaker, "quench", protocol_of(MELT | {"temperature_k": 3000}, QUENCH), fresh_engine())
    (melt, _) = melts(start_state(["Ar"] * 4, "argon"))
    lost = melt.model_copy(update={"status": "failed", "reason": "it exploded"})
    (member,) = maker.members([[lost]])
    assert maker.request(member, SEED) is None
    result = maker.result(member, None, None)
    assert (result.status, result.reason, result.source) == ("skipped", "melt: it exploded", "melt")
    assert (result.start_temperature_k, result.temperature_k, result.formula) == (3000, 300, "Ar")
