"""Members that go wrong in every way there is: each ends with its reason and its last good state, the others go on."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.data import covalent_radii
from ase.io import iread
from ase.neighborlist import neighbor_list
from tests.reference_data import reference

from tachylite.engines import get_engine
from tachylite.engines.base import Answer
from tachylite.engines.packmol import pack
from tachylite.engines.potentials.lennard_jones import LennardJonesPotential
from tachylite.engines.torchsim.dynamics import run_batch
from tachylite.engines.torchsim.engine import Guards, TorchSimEngine
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Request, Segment, State

MPTRJ = reference("mptrj/mptrj-random-1k.xyz")

CRYSTAL = State.from_atoms(bulk("Ar", "fcc", 5.4, cubic=True).repeat(2))
N_ATOMS = len(CRYSTAL.numbers)
STEPS = 120
PROVENANCE = Provenance(engine="argon", model="argon", device="cpu", dtype="float64")

type Fault = Callable[[int, dict[str, Any]], None]


class StoppedError(Exception):
    """Stands for whatever ends a process."""


class Faulty(LennardJonesPotential):
    """Argon, but what it says of the first member of a full batch is falsified."""

    def __init__(self, fault: Fault, stop_at: int | None) -> None:
        super().__init__()
        self.fault, self.stop_at, self.calls = fault, stop_at, 0

    def forward(self, state: Any, **_: Any) -> dict[str, Any]:
        answer = super().forward(state)
        # the first call is before the first step, the second one begins the chains
        self.calls += 1
        if self.calls - 2 == self.stop_at:
            raise StoppedError
        if len(answer["energy"]) == 2:
            self.fault(self.calls - 2, answer)
        return answer


def request(seed: int) -> Request:
    segments = [Segment(steps=STEPS, temperature_k=60, record_every=5)]
    return Request(label="argon", state=CRYSTAL, segments=segments, seed=seed)


def run(
    folder: Path, fault: Fault, guards: Guards | None = None, *, every: int = 50, stop_at: int | None = None
) -> list[Answer]:
    return run_batch(
        [request(1), request(2)],
        Faulty(fault, stop_at),
        folder,
        provenance=PROVENANCE,
        checkpoint_every=every,
        guards=guards or Guards(),
    )


def falsify(at: int, **changes: float) -> Fault:
    """Put other numbers for the first member: `energy` is added, `force` on its first atom too."""

    def fault(step: int, answer: dict[str, Any]) -> None:
        if step == at:
            answer["energy"][0] += changes.get("energy", 0.0)
            answer["forces"][0, 0] += changes.get("force", 0.0)

    return fault


NOTHING = falsify(-1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (falsify(47, force=math.nan), "diverged: a force or position is not finite at step 60 of segment 1"),
        (falsify(47, energy=math.inf), "diverged: a force or position is not finite at step 60 of segment 1"),
        (falsify(47, energy=100.0), "energy jump: 100 eV in one step, where 28 eV are much at step 60 of segment 1"),
        (falsify(47, force=120.0), "extrapolation: a force of 120 eV/A, beyond what force fields are trained on at"),
    ],
)
def test_a_member_ends_with_its_reason_and_its_last_good_state(tmp_path: Path, fault: Fault, reason: str) -> None:
    ill, healthy = run(tmp_path / "ill", fault)
    clean, other = run(tmp_path / "clean", NOTHING)
    assert (healthy.run.status, healthy.trajectory) == ("completed", other.trajectory)
    assert ill.run.status == "failed"
    assert ill.run.reason is not None
    assert ill.run.reason.startswith(reason)
    assert ill.run.steps == 40, "the last look at which all was well"
    assert ill.trajectory is not None
    assert clean.trajectory is not None
    assert ill.trajectory.times_fs.tolist() == clean.trajectory.times_fs[:8].tolist()
    assert ill.trajectory.positions == pytest.approx(clean.trajectory.positions[:8], abs=2e-5)
    assert np.asarray(ill.run.final.positions) == pytest.approx(ill.trajectory.positions[-1], abs=1e-5)


def test_a_state_is_good_only_well_within_the_limits(tmp_path: Path) -> None:
    def fault(step: int, answer: dict[str, Any]) -> None:
        answer["energy"][0] += 26.0 * (step >= 35) + 100.0 * (step >= 67)  # the limit is 28 eV

    ill, _ = run(tmp_path, fault)
    assert ill.run.reason is not None
    assert "at step 80" in ill.run.reason
    assert ill.run.steps == 60, "the look after the first jump is passed over, the one after it is calm again"

    ill, _ = run(tmp_path / "later", falsify(35, force=95.0), Guards(temperature_margin_k=300))
    assert ill.run.status == "failed", "a kick heats the member beyond what is allowed"
    assert ill.run.steps == 20, "and the state just after the kick is not a good one"


def test_a_guard_can_be_taken_off(tmp_path: Path) -> None:
    assert run(tmp_path, falsify(47, energy=100.0), Guards(energy_jump_ev=math.inf))[0].run.status == "completed"


def test_a_hot_start_is_a_runaway(tmp_path: Path) -> None:
    hot = CRYSTAL.model_copy(update={"velocities": [[0.05, 0.0, 0.0], [-0.05, 0.0, 0.0]] * (N_ATOMS // 2)})
    request = Request(label="hot", state=hot, segments=[Segment(steps=20, temperature_k=300)], seed=0)
    (answer,) = get_engine("lennard-jones").run([request], tmp_path)
    assert answer.run.reason == "temperature runaway: 41330 K instead of 300 K at step 0 of segment 1"
    assert (answer.run.final, answer.run.steps, answer.trajectory) == (hot, 0, None)


@pytest.mark.parametrize("stop_at", [57, 90])
def test_a_failure_survives_a_checkpoint(tmp_path: Path, stop_at: int) -> None:
    """Stopped between trouble and the look that sees it, and after that look: the same ends in both."""
    trouble = falsify(47, energy=100.0)
    whole = run(tmp_path / "whole", trouble, every=7)
    with pytest.raises(StoppedError):
        run(tmp_path / "parts", trouble, every=7, stop_at=stop_at)
    parts = run(tmp_path / "parts", NOTHING, every=7)
    assert [a.run.reason for a in parts] == [a.run.reason for a in whole]
    assert [a.run.final for a in parts] == [a.run.final for a in whole]
    assert [a.trajectory for a in parts] == [a.trajectory for a in whole]


def test_a_batch_without_anyone_left_ends(tmp_path: Path) -> None:
    def fault(step: int, answer: dict[str, Any]) -> None:
        answer["energy"] += torch.nan if step == 47 else 0.0

    answers = run(tmp_path, fault)
    assert [a.run.status for a in answers] == ["failed", "failed"]
    assert [a.run.steps for a in answers] == [40, 40]


def test_options_reach_the_guards_and_the_documents() -> None:
    engine = get_engine("lennard-jones", guards={"temperature_factor": "4", "energy_jump_ev": "inf"})
    assert isinstance(engine, TorchSimEngine)
    assert engine.guards == Guards(temperature_factor=4.0, energy_jump_ev=math.inf)
    assert engine.provenance().options == {"guards.temperature_factor": 4.0, "guards.energy_jump_ev": "inf"}
    assert get_engine("lennard-jones", guards={}).provenance().options == {}
    assert engine == TorchSimEngine.from_dict(engine.as_dict())
    assert len({engine, get_engine("lennard-jones", guards=engine.guards), get_engine("lennard-jones")}) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guards": {"temprature_factor": 4}}, "has no option 'guards.temprature_factor'; did you mean 'temperature_f"),
        ({"guards": {"x": 4}}, "options are temperature_factor, temperature_margin_k, closest_approach, energy_jump_e"),
        ({"guards": {"temperature_factor": "hot"}}, "option guards.temperature_factor = 'hot' must be a valid number"),
        ({"guards": {"temperature_factor": 0}}, "option guards.temperature_factor = 0 must be greater than 0"),
        (
            {"guards": {"closest_approach": math.nan}},
            "option guards.closest_approach = nan must be greater than or equa",
        ),
        (
            {"guards": "strict"},
            "option guards = 'strict' must be a mapping of temperature_factor, temperature_margin_k",
        ),
        ({"gards": {}}, "has no option 'gards'; did you mean 'guards'? options are model, device, batch_atoms"),
        ({"batch_atoms": "1.5"}, "option batch_atoms = '1.5' must be a valid integer"),
        ({"checkpoint_every": 0}, "option checkpoint_every = 0 must be greater than 0"),
        ({"repulsion": "ZBL"}, "option repulsion = 'ZBL' must be 'zbl'"),
        ({"potential": "chgnet"}, "has no option 'potential'"),
    ],
)
def test_what_is_no_option_is_named_with_the_way_out(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        get_engine("lennard-jones", **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.reference("mptrj/mptrj-random-1k.xyz")
def test_no_structure_that_a_force_field_learnt_from_is_beyond_the_limits() -> None:
    guards = Guards()
    for atoms in iread(MPTRJ):
        assert np.linalg.norm(atoms.get_forces(), axis=1).max() < guards.largest_force_ev_a
        first, second, distances = neighbor_list("ijd", atoms, 3.0)
        bonds = covalent_radii[atoms.numbers[first]] + covalent_radii[atoms.numbers[second]]
        assert (distances / bonds > 1.4 * guards.closest_approach).all()


@pytest.mark.slow
@pytest.mark.parametrize("counts", [{"Li": 12, "P": 4, "O": 16}, {"Si": 10, "O": 20}])
def test_melts_at_5000_k_are_far_from_the_limits(tmp_path: Path, counts: dict[str, int]) -> None:
    """Half of what is allowed would be enough, for 30 atoms right after they were packed at random."""
    usual = Guards()
    half = {"energy_jump_ev": usual.energy_jump_ev / 4, "largest_force_ev_a": usual.largest_force_ev_a / 2}
    start = pack(counts, 16.0 * sum(counts.values()), seed=1)
    hot = [Segment(steps=250, temperature_k=5000, thermostat="langevin")]
    engine = get_engine("chgnet", guards=half)
    (answer,) = engine.run([Request(label="melt", state=start, segments=hot, seed=1)], tmp_path)
    assert answer.run.status == "completed", answer.run.reason
