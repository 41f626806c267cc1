"""Molecules above a slab: whole, apart from each other and from the slab, turned at random."""

import numpy as np
import pytest
from ase import Atoms

from tachylite.errors import InputError
from tachylite.physics.molecules import CLOSEST_A, place_molecules

CELL = np.array([[10.0, 0, 0], [4.0, 9.0, 0], [0, 0, 30.0]])
SLAB = np.array([[x, y, 0.0] for x in range(10) for y in range(9)])


def test_they_are_whole_and_apart() -> None:
    placed = place_molecules({"CO2": 6, "H2O": 3}, SLAB, CELL, 3.0, seed=1)
    assert [atoms.get_chemical_formula() for atoms, _ in placed] == ["CO2"] * 6 + ["H2O"] * 3
    of_molecule = np.repeat(np.arange(10), [len(SLAB), *(len(atoms) for atoms, _ in placed)])
    positions = np.concatenate([SLAB, *(positions for _, positions in placed)])
    distances = Atoms("H" * len(positions), positions, cell=CELL, pbc=True).get_all_distances(mic=True)
    apart = of_molecule[:, None] != of_molecule
    assert distances[apart].min() > CLOSEST_A
    for atoms, where in placed:
        inside = np.linalg.norm(where[:, None] - where, axis=2)
        assert inside == pytest.approx(np.linalg.norm(atoms.positions[:, None] - atoms.positions, axis=2))
        assert where[:, 2].min() > 3.0
    axes = np.array([where[1] - where[2] for _, where in placed[:6]])
    assert np.ptp(axes / np.linalg.norm(axes, axis=1)[:, None], axis=0).min() > 0.3
    again = place_molecules({"CO2": 6, "H2O": 3}, SLAB, CELL, 3.0, seed=1)
    assert (again[0][1] == placed[0][1]).all()


def test_where_there_is_no_room_and_unknown_molecules() -> None:
    with pytest.raises(InputError, match="no room for molecule"):
        place_molecules({"CO2": 200}, SLAB, CELL, 3.0, seed=1)
    with pytest.raises(InputError, match="unknown molecule 'XO2'; did you mean"):
        place_molecules({"XO2": 1}, SLAB, CELL, 3.0, seed=1)
