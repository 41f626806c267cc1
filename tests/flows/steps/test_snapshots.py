"""Step `snapshots`: which frames are relaxed, and the amorphous limit against numbers by hand."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from tests.flows.fake_engine import FakeEngine, fresh_engine, lineage, start_state
from tests.flows.steps.step_samples import held, make, protocol_of, references, results, simulated, starts

from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousLimitMaker
from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.hold import HoldMaker
from tachylite.flows.steps.snapshots import SnapshotsMaker
from tachylite.schemas.relaxation import References
from tachylite.schemas.steps.snapshots import SnapshotsResult

MELT = {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.1}
LIMIT = {"kind": "snapshots", "name": "limit", "count": 3, "interval_ps": 0.03}


def limits(engine: FakeEngine, folder: Path, above: References | None = None, **changes: Any) -> list[SnapshotsResult]:
    """Snapshots of the melts of two members."""
    protocol = protocol_of(MELT, LIMIT | changes)
    answers = simulated(make(HoldMaker, "melt", protocol, engine), [starts()])
    melts = [held(run) for run, _ in answers if run is not None]
    trajectories = [trajectory for _, trajectory in answers]
    maker = make(SnapshotsMaker, "limit", protocol, engine)
    found: list[SnapshotsResult] = results(maker, Inputs([melts], [trajectories], above), folder)
    return found


@pytest.mark.parametrize("batches", [True, False])
def test_frames_are_evenly_spaced_up_to_the_end_of_each_run(tmp_path: Path, batches: bool) -> None:
    engine = fresh_engine(batches=batches)
    argon, alloy = limits(engine, tmp_path)
    for result, start in ((argon, "argon"), (alloy, "alloy")):
        assert [snapshot.time_fs for snapshot in result.snapshots] == [40, 70, 100]
        for place, snapshot in enumerate(result.snapshots):
            state = snapshot.relaxation.state
            assert lineage(state) == (start, "melt at 3000 K", f"snapshot {place + 1}")
            assert 1000 * state.positions[0][1] == pytest.approx(snapshot.time_fs), "of the frame at that time"
    assert [relax_cell for _, _, relax_cell in engine.relaxed] == [True] * 6


def test_the_lowest_is_the_limit_and_the_mean_has_an_error(tmp_path: Path) -> None:
    above = references(argon=None, alloy=-5.9)
    argon, alloy = limits(fresh_engine(), tmp_path, above)
    assert [snapshot.formation_energy_ev_per_atom for snapshot in alloy.snapshots] == pytest.approx([0.10, 0.11, 0.12])
    assert alloy.formation_energy_ev_per_atom == pytest.approx(0.10)
    assert alloy.mean_formation_energy_ev_per_atom is not None
    assert alloy.mean_formation_energy_ev_per_atom.value == pytest.approx(0.11)
    assert alloy.mean_formation_energy_ev_per_atom.error == pytest.approx(0.01 / 3**0.5)
    assert alloy.above_crystal_ev_per_atom == pytest.approx(-5.3 + 0.10 + 5.9)
    assert argon.above_crystal_ev_per_atom is None, "no crystal was given for it"
    assert alloy.reference_energies_ev_per_atom == {"Ar": -0.08, "Cu": -3.7, "Zr": -8.5}
    assert alloy.final == alloy.snapshots[0].relaxation.state
    assert (alloy.source, alloy.temperature_k) == ("melt", 3000)


def test_one_snapshot_has_a_mean_without_error_and_so_none(tmp_path: Path) -> None:
    argon, _ = limits(fresh_engine(), tmp_path, references(argon=None, alloy=None), count=1)
    assert argon.formation_energy_ev_per_atom == pytest.approx(0.10)
    assert argon.mean_formation_energy_ev_per_atom is None


def test_a_snapshot_that_does_not_settle_is_named_and_the_others_count(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: snapshot 1"])
    argon, alloy = limits(engine, tmp_path, references(argon=None, alloy=None))
    assert argon.status == "completed"
    assert argon.formation_energy_ev_per_atom == pytest.approx(0.11)
    assert list(argon.partial_failures()) == [("snapshot at 0.04 ps", "it never settled")]
    assert list(alloy.partial_failures()) == []


def test_where_none_settles_it_has_failed(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: snapshot"])
    argon, alloy = limits(engine, tmp_path, references(argon=None, alloy=None))
    assert (argon.status, argon.final, argon.formation_energy_ev_per_atom) == ("failed", None, None)
    assert argon.reason == "no snapshot has both converged and references to compare with"
    assert len(argon.snapshots) == 3, "what was reached is kept"
    assert alloy.status == "completed"


def test_a_melt_that_failed_is_skipped_and_one_without_frames_has_failed(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: melt"])
    protocol = protocol_of(MELT, LIMIT)
    (bad, frames), (good, _) = simulated(make(HoldMaker, "melt", protocol, engine), [starts()])
    assert bad is not None
    assert good is not None
    inputs = Inputs([[held(bad), held(good)]], [[frames, None]])
    skipped, failed = results(make(SnapshotsMaker, "limit", protocol, engine), inputs, tmp_path)
    assert (skipped.status, skipped.reason) == ("skipped", "melt: it exploded")
    assert failed.status == "failed"
    assert failed.reason == "the run that it continues has recorded no frame after its start"
    assert engine.relaxed == []


def test_runs_of_any_origin_have_a_limit(tmp_path: Path) -> None:
    """The Maker of the stage alone takes trajectories."""
    engine = fresh_engine()
    protocol = protocol_of(MELT, LIMIT)
    ((_, trajectory),) = simulated(make(HoldMaker, "melt", protocol, engine), [[start_state(["Ar"] * 4, "argon")]])
    flow = AmorphousLimitMaker(engine=engine, protocol=protocol).make([trajectory, None], references(a=None, b=None))
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    with use_workdir(tmp_path):
        run_locally(flow, store=store, log=False, raise_immediately=True)
    completed, skipped = flow.output["results"].resolve(store)
    assert completed.formation_energy_ev_per_atom == pytest.approx(0.10)
    assert (completed.formula, completed.n_atoms, completed.name) == ("Ar", 4, "limit")
    assert (skipped.status, skipped.reason) == ("skipped", "there is no state to continue")
