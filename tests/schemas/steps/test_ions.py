"""What a dry run says of ions in and out, and how many stages it counts."""

from typing import Any

import pytest

from tachylite.schemas import Protocol
from tachylite.schemas.steps.ions import IonStep

INSERT = {"kind": "insert", "element": "Li"}


def step_of(**settings: Any) -> IonStep:
    (step,) = Protocol.model_validate({"name": "ions", "steps": [INSERT | settings]}).steps
    assert isinstance(step, IonStep)
    return step


@pytest.mark.parametrize(
    ("settings", "stages"),
    [
        ({"final_ions": 6}, 7),
        ({"final_ions": 6, "ions_per_stage": 4}, 3),
        ({"final_ions": 6, "max_stages": 2}, 3),
        ({"final_content": 1.0}, 51),
        ({}, 51),
        ({"kind": "remove", "final_ions": 0}, 51),
    ],
)
def test_there_are_no_more_stages_than_these(settings: dict[str, Any], stages: int) -> None:
    assert step_of(**settings).stages == stages


def test_an_outline_says_what_is_done() -> None:
    step = step_of(final_content=1, host="C6", rule="lowest-energy", hold_ps=0.5, ions_per_stage=2, max_stages=4)
    assert list(step.outline(2.0, None)) == [
        "insert 2 Li at a time by the rule lowest-energy, to 1 to a C6",
        "at most 5 stages: 4 relaxed with the cell, held 0.5 ps at 300 K at 0 GPa, relaxed",
    ]
    assert step.force_calls(2.0) == 5 * (4 * 200 + 250 + 100)


def test_a_protocol_names_the_elements_that_it_brings_in() -> None:
    steps = [{"kind": "relax"}, INSERT, INSERT | {"name": "sodium", "element": "Na"}]
    assert Protocol.model_validate({"name": "ions", "steps": steps}).added_elements == ["Li", "Na"]
