"""Learning while exploring: copper by the effective medium theory, through jobflow, with real training and runs."""

from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from jobflow import JobStore
from maggma.stores import MemoryStore

from tachylite.configs import load_protocol
from tachylite.engines.workdir import use_workdir
from tachylite.flows.learn_potential import LearnPotentialMaker
from tachylite.flows.local import run_here
from tachylite.jobs import potential as jobs
from tachylite.readers.labels import unpack_frames
from tachylite.schemas import State
from tachylite.schemas.potential import LearnedPotential

SETTINGS = {"steps": 150, "radial_cutoff_a": 4.5, "angular_cutoff_a": 3.5, "neurons": 8, "learning_rate": 1e-2}

FIRST = """
name: first
timestep_fs: 2
record_every: 5
packing: {n_atoms: 8, volume_factor: 1.2}
steps:
  - {kind: hold, name: cold, temperature_k: 150, time_ps: 0.6}
"""
USED = """
name: used
timestep_fs: 2
record_every: 5
packing: {n_atoms: 8, volume_factor: 1.2}
steps:
  - {kind: hold, name: warm, temperature_k: [900, 1800], time_ps: 0.4}
"""


def starts() -> list[State]:
    states = []
    for a in (3.55, 3.7):
        atoms = bulk("Cu", a=a).repeat(2)
        atoms.rattle(0.05, seed=1)
        states.append(State.from_atoms(atoms))
    return states


def maker(tmp_path: Path, **changes: Any) -> LearnPotentialMaker:
    for name, text in (("first", FIRST), ("used", USED)):
        (tmp_path / f"{name}.yaml").write_text(text)
    protocols = {name: load_protocol(str(tmp_path / f"{name}.yaml")) for name in ("first", "used")}
    options: dict[str, Any] = {"committee": 2, "labels": 12, "target_ev_a": 0.001, "rounds": 2, "settings": SETTINGS}
    return LearnPotentialMaker(
        teacher="ase:emt", first=protocols["first"], protocol=protocols["used"], **options | changes
    )


@pytest.fixture
def store() -> JobStore:
    return JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})


def learn(made: LearnPotentialMaker, store: JobStore, workdir: Path) -> LearnedPotential:
    flow = made.make(starts())
    with use_workdir(workdir, "loop"):
        responses = run_here(flow, store, "loop")
    last = [job for index in responses.values() for job in index.values() if isinstance(job.output, dict)]
    (learned,) = [job.output["learned"] for job in last if "learned" in job.output]
    return LearnedPotential.model_validate(learned)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LearnedPotential:
    """What two rounds give that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    return learn(maker(folder), store, folder / "work")


@pytest.mark.slow
def test_rounds_end_with_the_reason_and_every_round_learns_from_what_was_asked(whole: LearnedPotential) -> None:
    assert (whole.reached, whole.reason) == (False, "the rounds have ended, 2 in all")
    first, second = whole.rounds
    assert (first.number, second.number) == (1, 2)
    assert first.labelled_frames == 12
    assert second.training_frames > first.training_frames
    assert second.force_rmse_ev_a.value < first.force_rmse_ev_a.value
    assert whole.teacher.startswith("ase: ")
    assert whole.protocol == "used"


def test_a_target_that_is_reached_ends_it(store: JobStore, tmp_path: Path) -> None:
    learned = learn(maker(tmp_path, target_ev_a=5.0, rounds=4), store, tmp_path / "work")
    assert (learned.reached, learned.reason, len(learned.rounds)) == (True, None, 1)


@pytest.mark.slow
def test_killed_it_goes_on_and_asks_nothing_twice(
    whole: LearnedPotential, store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the first labels are there: what was trained and labelled before is not done again."""
    asked: list[int] = []
    real = jobs.ask

    def counting(*arguments: Any) -> Any:
        asked.append(1)
        answer = real(*arguments)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(jobs, "ask", counting)
    with pytest.raises(KeyboardInterrupt):
        learn(maker(tmp_path), store, tmp_path / "work")
    trained = len(list((tmp_path / "work").glob("loop/training-*/nep.card.json")))
    assert trained == 2
    labelled = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("loop/labels-*")}
    learned = learn(maker(tmp_path), store, tmp_path / "work")
    assert len(learned.rounds) == 2
    assert all(path.stat().st_mtime_ns == time for path, time in labelled.items())
    assert whole.rounds == learned.rounds


def test_frames_are_packed_and_unpacked(tmp_path: Path) -> None:
    from tests.learning.potentials.potential_samples import copper

    from tachylite.learning.potentials.training_set import fingerprint
    from tachylite.readers.labels import pack_frames

    assert fingerprint(unpack_frames(pack_frames(copper(2, 3)))) == fingerprint(copper(2, 3))
    assert unpack_frames(pack_frames([])) == []
