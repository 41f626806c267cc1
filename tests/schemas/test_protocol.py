"""What a list of steps means: its results, temperatures, seeds, and what it refuses."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tachylite.configs import load_protocol
from tachylite.schemas import Protocol, Step
from tachylite.schemas.protocol import Branch

type Fields = dict[str, Any]

MELT: Fields = {"kind": "hold", "name": "melt", "temperature_k": 3000}
FAST: Fields = {"kind": "ramp", "name": "fast", "from": "melt", "temperature_k": 300, "time_ps": 5}
SLOW: Fields = {"kind": "ramp", "name": "slow", "from": "melt", "temperature_k": 400, "time_ps": 50}


def protocol(*steps: Fields) -> Protocol:
    return Protocol.model_validate({"name": "test", "steps": steps})


def branches(*steps: Fields) -> list[Branch]:
    """Results of the last step."""
    return protocol(*steps).branches_of(str(steps[-1].get("name", steps[-1]["kind"])))


def test_names_and_sources_have_defaults() -> None:
    steps = protocol({"kind": "volume", "temperature_k": 3000}, {"kind": "hold"}, {"kind": "relax", "name": "glass"})
    assert [(step.name, step.sources) for step in steps.steps] == [
        ("volume", []),
        ("hold", ["volume"]),
        ("glass", ["hold"]),
    ]


def test_a_step_alone_has_one_result_of_its_name() -> None:
    (branch,) = branches(MELT)
    assert (branch.name, branch.variant, branch.source, branch.origin) == ("melt", "", None, 0)
    assert (branch.start_temperature_k, branch.temperature_k) == (None, 3000)


def test_several_temperatures_are_so_many_results_of_the_same_source() -> None:
    found = branches(MELT, {"kind": "hold", "name": "anneal", "temperature_k": [1500, 987.5]})
    assert [branch.name for branch in found] == ["anneal-1500K", "anneal-987.5K"]
    assert [branch.variant for branch in found] == ["1500K", "987.5K"]
    assert [(branch.source, branch.origin, branch.start_temperature_k) for branch in found] == [("melt", 0, 3000)] * 2
    assert [branch.temperature_k for branch in found] == [1500, 987.5]


def test_a_step_after_several_results_continues_each() -> None:
    found = branches({"kind": "volume", "temperature_k": [1000, 2000]}, {"kind": "hold"})
    assert [(branch.name, branch.source, branch.origin) for branch in found] == [
        ("hold-1000K", "volume-1000K", 0),
        ("hold-2000K", "volume-2000K", 1),
    ]
    assert [(branch.start_temperature_k, branch.temperature_k) for branch in found] == [(1000, 1000), (2000, 2000)]


def test_several_sources_are_told_apart_by_their_names() -> None:
    found = branches(MELT, FAST, SLOW, {"kind": "relax", "name": "glass", "from": ["fast", "slow"]})
    assert [(branch.name, branch.variant, branch.source, branch.origin) for branch in found] == [
        ("glass-fast", "fast", "fast", 0),
        ("glass-slow", "slow", "slow", 1),
    ]
    assert [branch.temperature_k for branch in found] == [300, 400], "a relaxed structure keeps that of its source"


def test_sources_times_temperatures() -> None:
    anneal = {"kind": "hold", "name": "anneal", "from": ["slow", "fast"], "temperature_k": [500, 600]}
    found = branches(MELT, FAST, SLOW, anneal)
    assert [(branch.name, branch.variant, branch.origin) for branch in found] == [
        ("anneal-slow-500K", "slow, 500K", 0),
        ("anneal-slow-600K", "slow, 600K", 0),
        ("anneal-fast-500K", "fast, 500K", 1),
        ("anneal-fast-600K", "fast, 600K", 1),
    ]
    assert [branch.start_temperature_k for branch in found] == [400, 400, 300, 300]
    (first, *_) = branches(MELT, FAST, SLOW, anneal, {"kind": "relax"})
    assert (first.name, first.variant) == ("relax-slow-500K", "slow, 500K"), "files are named after it"


def test_sources_with_several_results_each_are_counted_through() -> None:
    anneal = {"kind": "hold", "name": "anneal", "temperature_k": [1000, 2000]}
    found = branches(MELT, anneal, {"kind": "snapshots", "from": ["anneal", "melt"]})
    assert [(branch.name, branch.source, branch.origin) for branch in found] == [
        ("snapshots-anneal-1000K", "anneal-1000K", 0),
        ("snapshots-anneal-2000K", "anneal-2000K", 1),
        ("snapshots-melt", "melt", 2),
    ]
    steps = protocol(MELT, anneal, {"kind": "snapshots", "from": ["anneal", "melt"]})
    assert steps.counts_of_sources(steps.step("snapshots")) == [2, 1]


def test_a_ramp_begins_at_the_temperature_of_what_it_continues() -> None:
    down_and_up = [MELT, FAST, {"kind": "relax"}, {"kind": "ramp", "name": "up", "temperature_k": 900}]
    (up,) = branches(*down_and_up)
    assert (up.start_temperature_k, up.temperature_k) == (300, 900)


def test_a_step_may_begin_again_at_the_start() -> None:
    """A crystal that is melted, and annealed as it is beside that."""
    steps = [MELT, {"kind": "hold", "name": "crystal", "from": "start", "temperature_k": 800}]
    (crystal,) = branches(*steps)
    assert (crystal.name, crystal.source, crystal.start_temperature_k) == ("crystal", None, None)
    both = {"kind": "relax", "from": ["melt", "start"]}
    assert [(branch.name, branch.source, branch.origin) for branch in branches(*steps, both)] == [
        ("relax-melt", "melt", 0),
        ("relax-start", None, 1),
    ]
    whole = protocol(*steps, both)
    assert whole.counts_of_sources(whole.step("relax")) == [1, 1]
    assert protocol({**MELT, "from": "start"}).branches[0].source is None


def test_seeds_of_steps_are_apart_and_a_hold_shares_that_of_its_search() -> None:
    steps = load_protocol("quickstart")
    offsets = {step.name: steps.seed_offset(step.name) for step in steps.steps if step.draws_random_numbers}
    assert offsets == {"melt-volume": 0, "melt": 0, "anneal-volume": 100_000, "anneal": 100_000, "quench": 200_000}


def test_only_the_hold_that_continues_the_search_shares_its_seed() -> None:
    steps = protocol(
        {"kind": "volume", "temperature_k": 3000},
        {"kind": "hold", "name": "first"},
        {"kind": "relax"},
        {"kind": "hold", "name": "second", "from": "volume"},
        {"kind": "hold", "name": "third", "from": "relax"},
    )
    offsets = [steps.seed_offset(name) for name in ("volume", "first", "second", "third")]
    assert offsets == [0, 0, 100_000, 200_000]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "at least 1 item"),
        ([{"kind": "hold"}], r"step 1 \(hold\): needs a temperature_k: nothing before it has one"),
        ([MELT, {"kind": "hold", "name": "start"}], "step 2: the name 'start' stands for the first state"),
        ([{**MELT, "time_ps": 0.015}], r"step 1 \(melt\): takes 0.015 ps, and a frame is kept every 20 fs"),
        ([{"kind": "relax"}, {"kind": "hold"}], r"step 2 \(hold\): needs a temperature_k"),
        ([{"kind": "ramp"}], r"step 1 \(ramp\): needs a temperature to begin at, .*; put a hold before it"),
        ([{"kind": "strain"}, {"kind": "ramp"}], r"step 2 \(ramp\): needs a temperature to begin at"),
        (
            [MELT, {"kind": "relax", "from": "glass"}],
            r"step 2 \(relax\): from = 'glass' is no earlier step; earlier st",
        ),
        ([MELT, {"kind": "relax", "from": "metl"}], r"did you mean 'melt'\? earlier steps: melt"),
        (
            [{**MELT, "from": "packing"}],
            r"step 1 \(melt\): from = 'packing', and it is the first: .*, so leave 'from' out",
        ),
        ([MELT, {**FAST, "from": "slow"}, SLOW], r"step 2 \(fast\): from = 'slow' comes after it; earlier steps: melt"),
        ([MELT, {**FAST, "from": "fast"}], r"step 2 \(fast\): from = 'fast' is no earlier step; earlier steps: melt"),
        ([MELT, {"kind": "relax", "from": ["melt", "melt"]}], r"step 2 \(relax\): from names 'melt' twice"),
        ([MELT, {"kind": "relax"}, {"kind": "relax"}], r"step 3 \(relax\): an earlier step is named 'relax' too"),
        ([{**MELT, "temperature_k": [900, 900]}], r"step 1 \(melt\): two of its results would be named 'melt-900K'"),
        (
            [
                {"kind": "relax", "name": "first"},
                {**MELT, "temperature_k": [900, 950]},
                {"kind": "hold", "name": "melt-950K", "from": "first", "temperature_k": 300},
            ],
            r"step 3 \(melt-950K\): its result and one of step 'melt' would both be named 'melt-950K'; rename a step",
        ),
        # the second of them is looked at before the first is checked against what it continues
        (
            [MELT, {"kind": "hold", "name": "melt", "from": "x"}],
            r"step 2 \(melt\): an earlier step is named 'melt' too",
        ),
        (
            [MELT, {"kind": "relax"}, {"kind": "snapshots"}],
            "takes snapshots of a trajectory, and relax, of kind relax,",
        ),
        ([{"kind": "snapshots"}], "takes snapshots of a trajectory, and there is no step before it"),
        (
            [{**MELT, "time_ps": 3}, {"kind": "snapshots"}],
            r"count x interval_ps = 20 ps must fit into the 3 ps of melt",
        ),
        (
            [MELT, FAST, {"kind": "snapshots", "from": ["melt", "fast"]}],
            "count x interval_ps = 20 ps must fit into the 8 ps of fast",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(steps: list[Fields], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        protocol(*steps)


@pytest.mark.parametrize("kind", ["relax", "strain"])
def test_what_needs_no_temperature_may_come_first(kind: str) -> None:
    (branch,) = branches({"kind": kind})
    assert (branch.source, branch.temperature_k) == (None, None)


def test_from_is_one_name_or_several() -> None:
    text = """
    - {kind: hold, name: melt, temperature_k: 3000}
    - {kind: relax, name: cold, from: %s}
    """
    alone, several = (protocol(*yaml.safe_load(text % written)) for written in ("melt", "[melt]"))
    assert alone == several
    assert alone.step("cold").sources == ["melt"]


@pytest.mark.parametrize("name", ["aykol2023", "quickstart", "zheng2024"])
def test_a_protocol_survives_json_and_yaml(name: str) -> None:
    before = load_protocol(name)
    assert Protocol.model_validate_json(before.model_dump_json()) == before
    assert '"from":' in before.model_dump_json(), "as it is written in YAML"
    assert Protocol.model_validate(yaml.safe_load(yaml.safe_dump(before.model_dump(mode="json")))) == before
    assert Protocol.model_validate(before.model_dump()) == before


@st.composite
def valid_steps(draw: st.DrawFn) -> list[Fields]:
    """Lists of one to five steps, each after one, two or three of those before it."""
    steps: list[Fields] = []
    known: dict[str, Step] = {}
    for number in range(draw(st.integers(1, 5))):
        name = f"s{number}"
        sources = draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3, unique=True)) if known else []
        before = [branch for source in sources for branch in protocol(*steps).branches_of(source)]
        hot = bool(before) and all(branch.temperature_k is not None for branch in before)
        recorded = [known[source].recorded_ps for source in sources]
        kinds = ["relax", "strain", "volume", "hold"] + ["ramp"] * hot + ["snapshots"] * (min(recorded, default=0) > 0)
        fields: Fields = {"kind": draw(st.sampled_from(kinds)), "name": name} | ({"from": sources} if sources else {})
        if fields["kind"] in {"volume", "hold"}:
            fewest = 0 if hot and fields["kind"] == "hold" else 1
            fields["temperature_k"] = draw(st.lists(st.integers(1, 20_000), min_size=fewest, max_size=3, unique=True))
        if fields["kind"] == "snapshots":
            fields |= {"count": 2, "interval_ps": min(recorded) / 2}
        steps.append(fields)
        known[name] = protocol(*steps).step(name)
    return steps


@settings(max_examples=60, deadline=None)
@given(steps=valid_steps())
def test_any_valid_list_of_steps_multiplies_sources_and_temperatures(steps: list[Fields]) -> None:
    made = protocol(*steps)
    counts: dict[str, int] = {}
    for fields in steps:
        name, sources = fields["name"], fields.get("from", [])
        incoming = sum(counts[source] for source in sources) if sources else 1
        counts[name] = incoming * max(1, len(fields.get("temperature_k", [])))
        before = [branch for source in sources for branch in made.branches_of(source)]
        for branch in made.branches_of(name):
            assert branch.source == (before[branch.origin].name if before else None)
            assert branch.start_temperature_k == (before[branch.origin].temperature_k if before else None)
    assert {name: len(made.branches_of(name)) for name in counts} == counts
    names = [branch.name for branch in made.branches]
    assert len(names) == len(set(names)) == sum(counts.values())
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name) for name in names)
    assert Protocol.model_validate_json(made.model_dump_json()) == made
