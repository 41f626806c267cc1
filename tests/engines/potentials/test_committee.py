"""Runs with a committee beside the potential: what it states against the truth, and runs beyond what was learned."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.emt import EMT
from hypothesis import given
from hypothesis import strategies as st
from tests.learning.potentials.potential_samples import copper
from torch_sim.io import atoms_to_state

from tachylite.engines import get_engine
from tachylite.engines.potentials.committee import Committee
from tachylite.engines.single_points import compute_single_points
from tachylite.engines.torchsim.engine import Guards, TorchSimEngine
from tachylite.learning.potentials.nep import NepTraining
from tachylite.learning.potentials.training import train_potential
from tachylite.learning.potentials.training_set import TrainingSet
from tachylite.physics.statistics import committee_disagreement
from tachylite.schemas import Request, Run, Segment, State
from tachylite.schemas.potential import PotentialFiles

TRAINING = NepTraining(steps=300, radial_cutoff_a=4.5, angular_cutoff_a=3.5, neurons=10, learning_rate=1e-2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three potentials that have learned cold copper near its density."""
    file = tmp_path_factory.mktemp("committee") / "copper.txt"
    known = TrainingSet.of([f for f in copper(8, 6) if f.trajectory not in ("run 5", "run 7")], seed=1)
    train_potential(
        known,
        "nep",
        TRAINING,
        file,
        lambda name, states: compute_single_points(get_engine(name), states, file.parent),
        committee=3,
    )
    return file


def run(file: Path, folder: Path, temperature_k: float, a: float = 3.62, **options: object) -> Run:
    atoms = bulk("Cu", a=a).repeat(2)
    atoms.rattle(0.05, seed=2)
    segment = Segment(steps=400, temperature_k=temperature_k, timestep_fs=2.0, record_every=20)
    request = Request(label="Cu", state=State.from_atoms(atoms), segments=[segment], seed=1)
    (answer,) = get_engine(f"nep:{file}", **options).run([request], folder)
    return answer.run


def true_error(file: Path, state: State) -> float:
    engine = get_engine(f"nep:{file}")
    assert isinstance(engine, TorchSimEngine)
    atoms = state.atoms
    atoms.calc = EMT()
    return float(np.sqrt(((engine.single_points([state])[0].forces_ev_a - atoms.get_forces()) ** 2).mean()))


def test_within_what_was_learned_it_states_the_true_error(trained: Path, tmp_path: Path) -> None:
    done = run(trained, tmp_path, 600)
    assert done.status == "completed", done.reason
    assert done.stated_force_error_ev_a is not None
    assert 1 / 3 < done.stated_force_error_ev_a / true_error(trained, done.final) < 3
    assert done.provenance.options["committee"].startswith("3 members, ")
    assert "committee" not in done.provenance.level


@pytest.mark.parametrize(("temperature_k", "a"), [(6000, 3.62), (600, 3.62 * 0.5 ** (1 / 3))])
def test_beyond_that_it_ends_before_it_is_wrong_by_three_stated_errors(
    trained: Path, tmp_path: Path, temperature_k: float, a: float
) -> None:
    ended = run(trained, tmp_path, temperature_k, a)
    assert ended.status == "failed"
    assert ended.reason is not None
    assert ended.reason.startswith("extrapolation: the committee states an error of forces of ")
    assert ended.steps < 400
    if a == 3.62:  # a cell of half the volume is outside from its first step
        assert ended.stated_force_error_ev_a is not None
        assert true_error(trained, ended.final) < 3 * ended.stated_force_error_ev_a


def test_it_goes_on_where_the_limit_is_lifted(trained: Path, tmp_path: Path) -> None:
    lifted = run(trained, tmp_path, 2500, guards={"committee_error": "inf"})
    assert lifted.reason is None or "committee" not in lifted.reason


def test_the_card_of_another_potential_says_nothing(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lone = tmp_path / "lone.txt"
    lone.write_bytes(trained.read_bytes())
    assert get_engine(f"nep:{lone}")._loaded().committee is None  # type: ignore[attr-defined]
    PotentialFiles(lone).card.write_bytes(PotentialFiles(trained).card.read_bytes())
    again = tmp_path / "again.txt"
    PotentialFiles(again).card.write_bytes(PotentialFiles(trained).card.read_bytes())
    again.write_bytes(trained.read_bytes())
    assert get_engine(f"nep:{again}")._loaded().committee is None  # type: ignore[attr-defined]
    assert "copper-2.txt, copper-3.txt of its committee is not beside it" in caplog.text


@given(st.integers(2, 5), st.integers(1, 6), st.floats(0.1, 10))
def test_the_stated_error_is_that_of_each_system(members: int, atoms: int, factor: float) -> None:
    """Systems of different sizes in one batch, against the formula for each alone."""
    rng = np.random.default_rng(members)
    sizes = (atoms, atoms + 2)
    forces = rng.normal(size=(members, sum(sizes), 3))
    cells = [bulk("Cu", cubic=True).repeat((n, 1, 1))[:n] for n in sizes]
    state = atoms_to_state(cells, torch.device("cpu"), torch.float64)
    others = tuple(lambda _, own=own: {"forces": torch.from_numpy(own)} for own in forces[1:])
    committee = Committee(others, factor, 0.1)  # type: ignore[arg-type]  # a function is enough here
    stated = committee.stated_errors_ev_a(state, torch.from_numpy(forces[0]))
    parts = np.split(forces, [sizes[0]], axis=1)
    np.testing.assert_allclose(stated, [factor * committee_disagreement(part) for part in parts])
    assert Guards().committee_error == 2.0
