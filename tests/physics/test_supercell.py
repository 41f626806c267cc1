"""Supercells: enough atoms, the same crystal, and heights that are as equal as whole lattice vectors allow."""

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.supercell import nearly_cubic_supercell


def heights(cell: np.ndarray) -> np.ndarray:
    return np.asarray(1 / np.linalg.norm(np.linalg.inv(cell), axis=0))


@pytest.mark.parametrize(
    ("cell", "n_atoms", "at_least", "expected"),
    [
        (4.0 * np.eye(3), 4, 100, 108),
        (bulk("Cu", "fcc", 3.6).cell.array, 1, 100, 108),
        (bulk("Fe", "bcc", 2.87).cell.array, 1, 100, 128),
        (np.diag([3.0, 3.0, 30.0]), 12, 100, 108),
    ],
)
def test_cubes_where_there_are_cubes(cell: np.ndarray, n_atoms: int, at_least: int, expected: int) -> None:
    matrix = nearly_cubic_supercell(cell, n_atoms, at_least)
    assert n_atoms * round(abs(np.linalg.det(matrix))) == expected
    if np.linalg.det(cell) < 100:
        assert np.ptp(heights(matrix @ cell)) < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_the_orientation_does_not_matter(seed: int) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    cell = bulk("Cu", "fcc", 3.6).cell.array @ rotation
    matrix = nearly_cubic_supercell(cell, 1, 100)
    assert round(abs(np.linalg.det(matrix))) == 108
    assert np.ptp(heights(matrix @ cell)) < 1e-9


def test_a_hexagonal_cell_is_nearly_one() -> None:
    cell = bulk("Mg").cell.array
    """5 x 6 x 3 cells of rectangular edges 16.05, 16.68 and 15.64 A are 180 atoms."""
    matrix = nearly_cubic_supercell(cell, 2, 180)
    assert sorted(heights(matrix @ cell).round(2)) == [15.64, 16.05, 16.68]


lengths = st.floats(2.5, 30.0)
shear = st.floats(-0.45, 0.45)


@given(lengths, lengths, lengths, shear, st.integers(1, 60), st.integers(1, 400))
def test_there_are_always_enough_atoms(a: float, b: float, c: float, tilt: float, n_atoms: int, at_least: int) -> None:
    cell = np.array([[a, 0, 0], [tilt * a, b, 0], [0, tilt * b, c]])
    matrix = nearly_cubic_supercell(cell, n_atoms, at_least)
    size = n_atoms * round(abs(np.linalg.det(matrix)))
    assert size >= at_least
    if n_atoms >= at_least:
        assert np.array_equal(matrix, np.eye(3))


def test_too_many_atoms_are_refused() -> None:
    with pytest.raises(InputError, match=r"has 1\d\d,\d\d\d atoms, more than 100,000; ask for fewer with --atoms"):
        nearly_cubic_supercell(10 * np.eye(3), 60_000, 90_000)
