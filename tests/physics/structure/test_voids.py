"""Voids of lattices whose holes are known, and of any arrangement of atoms."""

import numpy as np
import pytest
from ase.build import bulk, fcc100
from ase.geometry import get_distances
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.physics.structure.voids import depths_below_surface, find_voids

EDGE_A = 4.0


def distances(first: Array, second: Array, cell: Array) -> Array:
    found: Array = get_distances(first, second, cell=cell, pbc=True)[1]
    return found


def test_the_largest_holes_of_fcc_are_its_octahedra() -> None:
    atoms = bulk("Cu", "fcc", a=EDGE_A, cubic=True)
    voids = find_voids(atoms.positions, atoms.cell.array)
    octahedra = EDGE_A * np.array([[0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]])
    assert distances(octahedra, voids.centres_a[:4], atoms.cell).min(axis=1) == pytest.approx(0, abs=1e-6)
    assert voids.radii_a[:4] == pytest.approx(EDGE_A / 2, abs=1e-6)
    assert voids.radii_a[4:] == pytest.approx([EDGE_A * 3**0.5 / 4] * 8, abs=1e-6), "and then the tetrahedra"


def test_the_largest_holes_of_bcc_are_its_tetrahedra() -> None:
    atoms = bulk("Fe", "bcc", a=EDGE_A, cubic=True)
    voids = find_voids(atoms.positions, atoms.cell.array)
    assert voids.radii_a == pytest.approx([EDGE_A * 5**0.5 / 4] * 12, abs=1e-6)
    hole = np.array([[EDGE_A / 2, EDGE_A / 4, 0.0]])
    assert distances(hole, voids.centres_a, atoms.cell).min() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("repeats", [(1, 1, 1), (2, 1, 1), (3, 2, 1)])
def test_a_supercell_has_as_many_times_the_voids(repeats: tuple[int, int, int]) -> None:
    atoms = bulk("Mg")
    single = find_voids(atoms.positions, atoms.cell.array)
    larger = atoms.repeat(repeats)
    several = find_voids(larger.positions, larger.cell.array)
    assert several.radii_a == pytest.approx(np.repeat(single.radii_a, np.prod(repeats)), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n_atoms=st.integers(1, 12), skew=st.floats(-0.5, 0.5))
def test_no_atom_is_nearer_than_a_radius_and_no_point_farther_than_the_largest(
    seed: int, n_atoms: int, skew: float
) -> None:
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3, 7, 3)) + skew * np.array([[0, 0, 0], [3, 0, 0], [1, 2, 0]])
    positions = rng.random((n_atoms, 3)) @ cell
    voids = find_voids(positions, cell)
    nearest = distances(voids.centres_a, positions, cell).min(axis=1)
    assert nearest == pytest.approx(voids.radii_a, abs=1e-6)
    anywhere = distances(rng.random((50, 3)) @ cell, positions, cell).min(axis=1)
    assert anywhere.max() <= voids.radii_a[0] + 1e-9
    large = find_voids(positions, cell, float(voids.radii_a[0]) - 1e-6)
    assert large.radii_a == pytest.approx(voids.radii_a[voids.radii_a >= voids.radii_a[0] - 1e-6])


def test_the_vacuum_beside_a_slab_is_no_void() -> None:
    slab = fcc100("Cu", (2, 2, 4), a=EDGE_A, vacuum=6.0)
    slab.pbc = True
    voids = find_voids(slab.positions, slab.cell.array)
    bottom, top = slab.positions[:, 2].min(), slab.positions[:, 2].max()
    depths = depths_below_surface(slab.positions, slab.cell.array, voids.centres_a)
    assert depths is not None
    heights = voids.centres_a[:, 2]
    assert depths == pytest.approx(np.minimum(heights - bottom, top - heights), abs=1e-6)
    assert depths.min() > -1e-6
    assert voids.radii_a.max() <= EDGE_A / 2 + 1e-6
    above = depths_below_surface(slab.positions, slab.cell.array, np.array([[0.0, 0.0, top + 2.0]]))
    assert above == pytest.approx([-2.0])
    crystal = bulk("Cu", cubic=True)
    assert depths_below_surface(crystal.positions, crystal.cell.array, crystal.positions) is None
