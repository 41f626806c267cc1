"""Makers of single stages: which steps of a protocol each of them takes."""

import pytest
from jobflow import Flow
from tests.flows.fake_engine import fresh_engine, start_state

from tachylite.configs import load_protocol
from tachylite.flows import AmorphousLimitMaker, AnnealMaker, MeltMaker, QuenchMaker
from tachylite.flows.stages import held_at, melt_steps
from tachylite.flows.steps.base import EngineMaker
from tachylite.schemas import Protocol

QUICKSTART = load_protocol("quickstart")
HOLDS = Protocol.model_validate(
    {
        "name": "holds",
        "steps": [
            {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 2},
            {"kind": "hold", "name": "anneal", "temperature_k": 1000, "time_ps": 9},
            {"kind": "relax", "name": "cold"},
        ],
    }
)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        (MeltMaker, ["melt-volume", "melt"]),
        (AnnealMaker, ["anneal-volume", "anneal"]),
        (QuenchMaker, ["quench", "glass"]),
        (AmorphousLimitMaker, ["amorphous-limit"]),
    ],
)
def test_a_stage_is_its_steps_and_its_output_that_of_the_last(kind: type[EngineMaker], steps: list[str]) -> None:
    maker = kind(engine=fresh_engine(), protocol=QUICKSTART)
    flow = maker.make([start_state(["Ar"], "argon")])
    assert isinstance(flow, Flow)
    assert [part.name for part in flow.jobs] == steps
    assert list(flow.output["by_step"]) == steps
    assert flow.output["results"] == flow.output["by_step"][steps[-1]]["results"]


@pytest.mark.parametrize("kind", [AnnealMaker, QuenchMaker, AmorphousLimitMaker])
def test_a_stage_that_the_protocol_has_not_is_refused(
    kind: type[EngineMaker],
) -> None:
    only_melt = HOLDS.model_copy(update={"steps": HOLDS.steps[:1]})
    maker = kind(engine=fresh_engine(), protocol=only_melt)
    with pytest.raises(ValueError, match=f"protocol holds has no step for {maker.name}"):
        maker.make([])


def test_the_melt_ends_with_the_first_step_that_is_asked_for_its_own_sake() -> None:
    assert [step.name for step in melt_steps(QUICKSTART)] == ["melt-volume", "melt"]
    assert [step.name for step in melt_steps(HOLDS)] == ["melt"]


def test_a_melt_held_at_another_temperature_goes_on_for_as_long_as_the_longest_hold() -> None:
    protocol = Protocol.model_validate(held_at(HOLDS, 1200).model_dump())
    assert [(branch.name, branch.source, branch.temperature_k) for branch in protocol.branches] == [
        ("melt", None, 3000),
        ("melt-at-1200K", "melt", 1200),
    ]
    assert protocol.step("melt-at-1200K").recorded_ps == 9
    assert held_at(HOLDS, 3000).steps == HOLDS.steps[:1]
    searched = Protocol.model_validate(held_at(QUICKSTART, 1200).model_dump())
    assert [(branch.name, branch.temperature_k) for branch in searched.branches] == [
        ("melt-volume", 3000),
        ("melt", 3000),
        ("melt-volume-at-1200K", 1200),
        ("melt-at-1200K", 1200),
    ]
