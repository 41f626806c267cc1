"""What surrounds ions, and what a host has become, in crystals where both are known."""

import numpy as np
import pytest
from ase.build import bulk
from ase.data import atomic_numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.physics.structure.hosts import compare_hosts, count_neighbors


def test_an_ion_of_rock_salt_has_six_neighbours() -> None:
    atoms = bulk("LiF", "rocksalt", a=4.03, cubic=True)
    assert count_neighbors(atoms.numbers, atoms.positions, atoms.cell.array, "Li").tolist() == [6] * 4


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), strain=st.floats(-0.02, 0.02))
def test_a_strain_and_a_translation_leave_a_host_as_it_is(seed: int, strain: float) -> None:
    atoms = bulk("Si", cubic=True)
    rng = np.random.default_rng(seed)
    later = atoms.copy()
    later.set_cell(atoms.cell.array * (1 + strain), scale_atoms=True)
    later.positions += rng.uniform(-20, 20, 3)
    later.wrap()
    change = compare_hosts(atoms.numbers, (atoms.positions, atoms.cell.array), (later.positions, later.cell.array))
    assert change.displacement_a == pytest.approx(0, abs=1e-8)
    assert (change.bonds_kept, change.bonds_new) == (1, 0)


def test_an_atom_that_leaves_its_site_breaks_its_four_bonds() -> None:
    atoms = bulk("Si", cubic=True).repeat(2)
    later = atoms.copy()
    later.positions[5] += [1.3, 0.0, 0.0]
    change = compare_hosts(atoms.numbers, (atoms.positions, atoms.cell.array), (later.positions, later.cell.array))
    assert change.displacement_a == pytest.approx(1.3 * (1 / 64 - 1 / 64**2) ** 0.5)
    kept = [d < 1.25 * 2 * 1.11 for d in later.get_distances(5, range(64), mic=True)]
    neighbors = atoms.get_distances(5, range(64), mic=True) < 2.5
    broken = sum(bool(was) and not bool(now) for was, now in zip(neighbors, kept, strict=True))
    assert broken > 0
    assert change.bonds_kept == pytest.approx(1 - broken / 128)
    assert atomic_numbers["Si"] == atoms.numbers[5]


def test_a_host_without_bonds_keeps_them_all() -> None:
    numbers, state = np.array([18]), (np.zeros((1, 3)), 6.0 * np.eye(3))
    assert compare_hosts(numbers, state, state).bonds_kept == 1
