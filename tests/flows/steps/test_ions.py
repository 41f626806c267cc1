"""Steps `insert` and `remove`: copper in and out of gold, with energies of EMT, and what the jobs ask an engine for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from tests.flows.fake_engine import FakeEngine, fresh_engine
from tests.flows.steps.step_samples import SEED, make, protocol_of, references, results

from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.workdir import use_workdir
from tachylite.flows import AmorphousMaker
from tachylite.flows.local import run_here
from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.insert import InsertMaker
from tachylite.flows.steps.remove import RemoveMaker
from tachylite.schemas import Material, Protocol, State
from tachylite.schemas.steps.insert import InsertResult
from tachylite.schemas.steps.ions import IonResult
from tachylite.schemas.steps.remove import RemoveResult
from tachylite.stores import open_store

GOLD = State.from_atoms(bulk("Au", cubic=True))
CHARGE = {"kind": "insert", "name": "charge", "element": "Cu", "host": "Au4", "charge": 1}
DISCHARGE = {"kind": "remove", "name": "discharge", "element": "Cu", "host": "Au4", "charge": 1}


def material(folder: Path, *steps: dict[str, Any], starts: list[State] | None = None, seed: int = 0) -> list[Material]:
    protocol = Protocol.model_validate({"name": "ions", "steps": steps})
    flow = AmorphousMaker(engine="ase:EMT", protocol=protocol, seed=seed).make(starts or [GOLD])
    with use_workdir(folder / "work"):
        responses = run_here(flow, open_store(folder / "store"))
    return [responses[output.uuid][1].output for output in flow.output]


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> tuple[InsertResult, RemoveResult]:
    """Two copper atoms into gold, one by one, and out again."""
    folder = tmp_path_factory.mktemp("cycle")
    (cycled,) = material(folder, CHARGE | {"final_content": 2}, DISCHARGE)
    assert cycled.status == "completed", cycled.failures
    (charged,), (discharged,) = cycled.of_kind(InsertResult), cycled.of_kind(RemoveResult)
    return charged, discharged


def test_every_stage_holds_one_ion_more_and_its_own_energy(cycle: tuple[InsertResult, RemoveResult]) -> None:
    charged, discharged = cycle
    assert [(stage.n_ions, stage.content) for stage in charged.stages] == [(0, 0), (1, 1), (2, 2)]
    assert [stage.n_ions for stage in discharged.stages] == [2, 1, 0]
    assert charged.ended == "2 Cu are reached"
    assert charged.content == 2
    for stage in (*charged.stages, *discharged.stages):
        atoms = stage.relaxation.state.atoms
        assert np.unique(atoms.numbers).tolist() == ([29, 79] if stage.n_ions else [79])
        assert len(atoms) == 4 + stage.n_ions
        atoms.calc = EMT()
        assert stage.energy_ev == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        apart = atoms.get_all_distances(mic=True)
        assert apart[apart > 0].min() > 2.0
    assert charged.volume_change == pytest.approx(charged.stages[2].volume_a3 / charged.stages[0].volume_a3 - 1)


def test_voltages_add_up_to_the_energy_between_the_ends(cycle: tuple[InsertResult, RemoveResult]) -> None:
    energies = []
    for edge in np.linspace(3.55, 3.65, 51):
        copper = bulk("Cu", a=edge)
        copper.calc = EMT()
        energies.append(copper.get_potential_energy())
    for result in cycle:
        first, last = result.stages[0], result.stages[-1]
        assert result.metal_ev_per_atom == pytest.approx(min(energies), abs=1e-4)
        assert result.metal_ev_per_atom is not None
        change = last.energy_ev - first.energy_ev - (last.n_ions - first.n_ions) * result.metal_ev_per_atom
        steps = np.diff([stage.n_ions for stage in result.stages])
        voltages = [stage.voltage_v for stage in result.stages if stage.voltage_v is not None]
        assert -np.dot(steps, voltages) == pytest.approx(change, abs=1e-9)
        assert result.average_voltage_v == pytest.approx(np.mean(voltages))
        assert result.stages[0].voltage_v is None
        assert result.plateaus[0].content_low == 0
        assert [stage.is_stable for stage in result.stages][::2] == [True, True], "the ends are on the hull"


def test_the_first_ion_sits_in_an_octahedron_and_the_host_comes_back(tmp_path: Path) -> None:
    (cycled,) = material(tmp_path, CHARGE | {"final_ions": 1, "relax_cell": False}, DISCHARGE | {"relax_cell": False})
    charged, discharged = cycled.result("charge"), cycled.result("discharge")
    assert isinstance(charged, IonResult)
    assert isinstance(discharged, IonResult)
    assert charged.coordination is not None
    assert charged.coordination.value == 6
    before, after = charged.stages[0], discharged.stages[-1]
    assert after.energy_ev == pytest.approx(before.energy_ev, abs=1e-3)
    assert after.displacement_a == pytest.approx(0, abs=0.02)
    assert (after.bonds_kept, after.bonds_new) == (1, 0)
    assert discharged.first_host == charged.first_host, "a cycle is compared with the host before it"
    assert discharged.average_voltage_v == pytest.approx(charged.average_voltage_v)


def test_of_several_choices_the_lowest_is_kept_and_seeds_decide_which_they_are(tmp_path: Path) -> None:
    settings = CHARGE | {"rule": "lowest-energy", "candidates": 3, "ions_per_stage": 2, "final_ions": 2}
    larger = State.from_atoms(bulk("Au", cubic=True).repeat((2, 1, 1)))
    energies: list[list[float]] = []
    for seed in (0, 0, 1):
        (charged,) = material(tmp_path / f"{len(energies)}", settings, starts=[larger], seed=seed)
        (result,) = charged.of_kind(InsertResult)
        last = result.stages[-1]
        assert last.n_ions == 2
        assert last.energy_ev == pytest.approx(min(last.candidates_ev))
        assert len(last.candidates_ev) > 1
        assert result.seed == seed
        energies.append(last.candidates_ev)
    assert energies[0] == energies[1]
    assert energies[0] != energies[2]


class Interruption(BaseException):
    """Stands for Ctrl-C."""


def test_a_series_that_is_interrupted_computes_no_finished_stage_twice(tmp_path: Path) -> None:
    worked: list[str] = []

    def listen(progress: Progress) -> None:
        if progress.done and not progress.outcome:
            worked.append(progress.label)
        if stops and progress.label == "charge: stage 2":
            raise Interruption

    settings = CHARGE | {"final_ions": 2}
    (whole,) = material(tmp_path / "whole", settings)
    token = progress_listener.set(listen)
    try:
        stops = True
        with pytest.raises(Interruption):
            material(tmp_path / "parts", settings)
        assert "charge: stage 1" in worked
        stops, worked[:] = False, []
        (in_parts,) = material(tmp_path / "parts", settings)
    finally:
        progress_listener.reset(token)
    assert set(worked) <= {"charge: stage 2"}
    assert in_parts.results == whole.results


def test_what_cannot_be_done_fails_with_its_reason_and_for_itself(tmp_path: Path) -> None:
    with_one = State(numbers=[*GOLD.numbers, 29], positions=[*GOLD.positions, [2.04, 2.04, 2.04]], cell=GOLD.cell)
    gold, alloy = material(tmp_path, DISCHARGE, starts=[GOLD, with_one])
    assert [failure.reason for failure in gold.failures] == ["1 Cu are to leave at a time, and there are 0"]
    assert alloy.status == "completed"
    reasons = {}
    for name, settings in {
        "void": CHARGE | {"final_ions": 1, "smallest_void_a": 3.0},
        "fewer": CHARGE | {"final_ions": 0},
        "host": CHARGE | {"host": "AuAg", "final_ions": 2},
        "stages": CHARGE | {"final_ions": 3, "max_stages": 1},
    }.items():
        (failed,) = material(tmp_path / name, settings, starts=[with_one if name != "void" else GOLD])
        (reasons[name],) = [failure.reason for failure in failed.failures]
    assert reasons == {
        "void": "ended with 0 Cu of 1: no void of at least 3 A is left for ion 1 of 1 Cu",
        "fewer": "it is to end with 0 Cu, fewer than the 1 that there are",
        "host": "the host Au4 is no multiple of AuAg",
        "stages": "ended with 2 Cu of 3: max_stages = 1 are done",
    }


def test_without_an_end_ions_go_in_until_no_void_is_left(tmp_path: Path) -> None:
    (full,) = material(tmp_path, CHARGE | {"smallest_void_a": 2.0, "relax_cell": False})
    (result,) = full.of_kind(InsertResult)
    assert result.status == "completed"
    assert result.stages[-1].n_ions == 4, "the octahedra of fcc"
    assert result.ended == "no void of at least 2 A is left for ion 1 of 1 Cu"


@pytest.fixture(params=[True, False], ids=["one batch", "a job for each member"])
def engine(request: pytest.FixtureRequest) -> FakeEngine:
    return fresh_engine(batches=request.param)


HELD = {"kind": "insert", "element": "Ar", "charge": 1, "final_ions": 1, "hold_ps": 0.02, "temperature_k": 400}


def test_a_hold_at_constant_pressure_stands_between_two_relaxations(engine: FakeEngine, tmp_path: Path) -> None:
    starts = [State.from_atoms(bulk(symbol, "fcc", a=5.0, cubic=True)) for symbol in ("Cu", "Zr")]
    maker = make(InsertMaker, "insert", protocol_of(HELD), engine)
    copper, zirconium = results(maker, Inputs([starts], references=references()), tmp_path)
    assert [(result.status, result.formula) for result in (copper, zirconium)] == [
        ("completed", "Cu4Ar"),
        ("completed", "Zr4Ar"),
    ]
    assert [(request.seed, len(request.state.numbers)) for request in engine.requests] == [
        (SEED, 4),
        (SEED + 1, 4),
        (SEED + 1000, 5),
        (SEED + 1001, 5),
    ]
    (stretch,) = engine.requests[0].segments
    assert (stretch.temperature_k, stretch.pressure_gpa, stretch.steps, stretch.record_every) == (400, 0, 10, 0)
    labels = list(dict.fromkeys(label for label, _, _ in engine.relaxed if label.startswith("insert")))
    assert labels == ["insert: stage 0", "insert: stage 0, held", "insert: stage 1", "insert: stage 1, held"]
    assert all(with_cell for label, _, with_cell in engine.relaxed if label.startswith("insert"))


def test_a_member_that_does_not_survive_its_hold_leaves_the_others_alone(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Cu: insert: hold", "ZrAr"])
    starts = [State.from_atoms(bulk(symbol, "fcc", a=5.0, cubic=True)) for symbol in ("Cu", "Zr")]
    maker = make(InsertMaker, "insert", protocol_of(HELD), engine)
    copper, zirconium = results(maker, Inputs([starts], references=references()), tmp_path)
    assert (copper.status, copper.reason, copper.stages) == ("failed", "it exploded", [])
    assert zirconium.status == "completed"


def test_a_step_without_a_start_is_skipped_and_one_without_references_has_no_voltage(tmp_path: Path) -> None:
    maker = make(RemoveMaker, "remove", protocol_of({"kind": "remove", "element": "Ar"}), fresh_engine())
    state = State.from_atoms(bulk("CuZr", "cesiumchloride", a=3.3))
    with_ion = State(numbers=[*state.numbers, 18], positions=[*state.positions, [1.65, 1.65, 0.0]], cell=state.cell)
    skipped, completed = results(maker, Inputs([[None, with_ion]]), tmp_path)
    assert (skipped.status, skipped.reason) == ("skipped", "there is no state to continue")
    assert completed.status == "completed", completed.reason
    assert completed.voltage_reason == "the common oxidation states of Ar are none; give the charge of the ion"
    assert list(completed.refusals())[-1] == ("voltage", completed.voltage_reason)
