"""Relaxation on a cheap potential with a known crystal."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from tachylite.engines import get_engine
from tachylite.engines.torchsim.relaxation import STAGES
from tachylite.schemas import Relaxation, State


def relax(folder: Path, *states: State, cell: bool = True) -> list[Relaxation]:
    labels = [f"argon {i}" for i in range(len(states))]
    return get_engine("lennard-jones").relax(states, folder, relax_cell=cell, labels=labels)


def shaken(edge_a: float, seed: int = 0, amplitude_a: float = 0.15) -> State:
    atoms = bulk("Ar", "fcc", edge_a, cubic=True).repeat(2)
    atoms.positions += np.random.default_rng(seed).normal(0, amplitude_a, atoms.positions.shape)
    return State.from_atoms(atoms)


def test_cells_from_both_sides_end_at_the_same_crystal(tmp_path: Path) -> None:
    perfect, wide, tight = relax(tmp_path, shaken(5.25, amplitude_a=0.0), shaken(5.6, 1), shaken(5.0, 2))
    assert perfect.energy_ev_per_atom == pytest.approx(-0.075, abs=0.01), "argon binds by about 0.08 eV/atom"
    for found in (wide, tight):
        assert found.status == "converged"
        assert found.max_force_ev_a < STAGES[-1].force
        assert abs(found.pressure_gpa) < STAGES[-1].stress
        assert found.state.volume_a3 == pytest.approx(perfect.state.volume_a3, rel=0.1), "0.1 GPa is 3 % for argon"
        assert found.energy_ev_per_atom == pytest.approx(perfect.energy_ev_per_atom, abs=2e-3)


def test_without_the_cell_the_cell_stays(tmp_path: Path) -> None:
    start = shaken(5.4)
    (found,) = relax(tmp_path, start, cell=False)
    assert found.status == "converged"
    assert found.state.cell == start.cell


def test_a_member_that_diverges_ends_alone(tmp_path: Path) -> None:
    good = shaken(5.4)
    positions = [list(p) for p in good.positions]
    positions[0] = [float("nan")] * 3
    bad, fine = relax(tmp_path, good.model_copy(update={"positions": positions}), good)
    assert bad.status == "failed"
    assert bad.reason == "diverged after 0 steps"
    assert fine.status == "converged"


def test_an_answer_is_kept_and_found_again(tmp_path: Path) -> None:
    first = relax(tmp_path, shaken(5.4))
    (file,) = tmp_path.glob("relax-*/relaxations.json")
    before = file.stat().st_mtime_ns
    assert relax(tmp_path, shaken(5.4)) == first
    assert file.stat().st_mtime_ns == before
