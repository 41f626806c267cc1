"""Every result comes from the right state: members of a cohort, branches of a step, sources of a step."""

from pathlib import Path

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from tests.flows.fake_engine import FakeEngine, fresh_engine, lineage, start_state

from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker
from tachylite.schemas import Material, Protocol
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult

PROTOCOL = Protocol.model_validate(
    {
        "name": "branching",
        "record_every": 5,
        "steps": [
            {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.1},
            {"kind": "ramp", "name": "fast", "from": "melt", "temperature_k": 300, "time_ps": 0.1, "hold_ps": 0.1},
            {"kind": "ramp", "name": "slow", "from": "melt", "temperature_k": 300, "time_ps": 0.2, "hold_ps": 0.1},
            {"kind": "hold", "name": "anneal", "from": ["slow", "fast"], "temperature_k": [500, 600], "time_ps": 0.1},
            {"kind": "relax", "name": "glass"},
            {"kind": "snapshots", "from": ["fast", "anneal"], "count": 2, "interval_ps": 0.05},
        ],
    }
)
ANNEALS = ["slow-500K", "slow-600K", "fast-500K", "fast-600K"]


def run(protocol: Protocol, engine: FakeEngine, folder: Path) -> list[Material]:
    """Two members of different formulas through a protocol."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    store.connect()
    starts = [start_state(["Ar"] * 4, "argon"), start_state(["Cu", "Cu", "Zr"], "alloy")]
    flow = AmorphousMaker(engine=engine, protocol=protocol).make(starts)
    with use_workdir(folder):
        responses = run_locally(flow, store=store, log=False, raise_immediately=True)
    return [responses[reference.uuid][1].output for reference in flow.output]


def expected_lineage(start: str, name: str) -> tuple[str, ...]:
    """What must have been done for a result, from the protocol above read by hand."""
    step, _, variant = name.partition("-")
    melt = (start, "melt at 3000 K")
    quenched = {rate: (*melt, f"{rate} to 300 K") for rate in ("fast", "slow")}
    if step in quenched:
        return quenched[step]
    if step == "melt":
        return melt
    rate, _, temperature = variant.removeprefix("anneal-").partition("-")
    annealed = (*quenched[rate], *([f"anneal at {temperature.removesuffix('K')} K"] if temperature else []))
    return annealed if step == "anneal" else (*annealed, {"glass": "glass", "snapshots": "snapshot 1"}[step])


def check_seeds(engine: FakeEngine) -> None:
    """Every run has its own, those of a step beside each other."""
    seeds = [request.seed for request in engine.requests]
    assert len(set(seeds)) == len(seeds) == 2 * (1 + 1 + 1 + 4)
    steps = {(request.label.split()[0], request.seed // 100_000) for request in engine.requests}
    assert steps == {("melt", 0), ("fast", 1), ("slow", 2), ("anneal", 3)}


@pytest.mark.parametrize("batches", [True, False])
def test_every_result_continues_the_state_that_it_names(tmp_path: Path, batches: bool) -> None:
    engine = fresh_engine(batches=batches)
    materials = run(PROTOCOL, engine, tmp_path)
    check_seeds(engine)
    names = ["melt", "fast", "slow"]
    names += [f"{step}-{branch}" for step in ("anneal", "glass") for branch in ANNEALS]
    names += ["snapshots-fast", *(f"snapshots-anneal-{branch}" for branch in ANNEALS)]
    for material, start in zip(materials, ("argon", "alloy"), strict=True):
        assert material.status == "completed", material.failures
        assert [result.name for result in material.results] == names
        assert {name: lineage(material.result(name).final) for name in names} == {
            name: expected_lineage(start, name) for name in names
        }
        assert {result.formula for result in material.results} == {material.formula}
        assert [result.source for result in material.results_of("glass")] == [f"anneal-{name}" for name in ANNEALS]
        for result in material.of_kind(SnapshotsResult):
            times = [snapshot.time_fs for snapshot in result.snapshots]
            assert times == ([150, 200] if result.name == "snapshots-fast" else [50, 100]), "up to the end of each run"


def test_one_failure_takes_along_what_continues_it_and_nothing_else(tmp_path: Path) -> None:
    argon, alloy = run(PROTOCOL, fresh_engine(fails=["Ar: slow"]), tmp_path)
    assert alloy.status == "completed"
    assert argon.status == "partial"
    assert [(failure.stage, failure.reason) for failure in argon.failures] == [("slow", "it exploded")]
    skipped = {result.name: result.reason for result in argon.results if result.status == "skipped"}
    lost = ("anneal-slow-500K", "anneal-slow-600K", "glass-slow-500K", "glass-slow-600K")
    assert set(skipped) == {*lost, "snapshots-anneal-slow-500K", "snapshots-anneal-slow-600K"}
    assert set(skipped.values()) == {"slow: it exploded"}
    for name in ("anneal-fast-500K", "glass-fast-600K", "snapshots-anneal-fast-600K"):
        assert lineage(argon.result(name).final) == expected_lineage("argon", name)


def test_volumes_are_those_of_their_temperatures(tmp_path: Path) -> None:
    steps = [
        {"kind": "volume", "name": "search", "temperature_k": [2000, 4000], "volume_tolerance": 0.02},
        {"kind": "hold", "name": "held", "time_ps": 0.1},
    ]
    protocol = Protocol.model_validate({"name": "volumes", "steps": steps})
    for material, start in zip(run(protocol, fresh_engine(), tmp_path), ("argon", "alloy"), strict=True):
        assert material.status == "completed", material.failures
        for search in material.of_kind(VolumeResult):
            truth = material.n_atoms * 20.0 * (1 + 4e-5 * search.temperature_k)
            assert search.volume_a3 is not None
            assert search.volume_a3.value == pytest.approx(truth, abs=4 * search.volume_a3.error)
            held = material.result(search.name.replace("search", "held"))
            assert lineage(held.final)[0] == start
            assert lineage(held.final)[-1] == f"held at {search.temperature_k:g} K"
