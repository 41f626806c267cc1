"""Voronoi polyhedra of crystals whose polyhedra are known, and of random points."""

import numpy as np
import pytest
from ase.build import bulk
from ase.spacegroup import crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.physics.crystals import frames_of

from tachylite.errors import InputError
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.structure.polyhedra import analyse_polyhedra


def moved(atoms: object, by_a: float, n_frames: int = 1) -> Frames:
    """Frames with every atom moved at random."""
    noise = np.random.default_rng(1).normal(0, by_a, (n_frames, *atoms.positions.shape))  # type: ignore[attr-defined]  # ase
    return take_frames(atoms.positions + noise, atoms.cell.array, atoms.numbers)  # type: ignore[attr-defined]  # ase


def test_the_polyhedra_of_fcc_are_rhombic_dodecahedra() -> None:
    (copper,) = analyse_polyhedra(frames_of(bulk("Cu", a=3.6)), 1)
    assert [kind.index for kind in copper.polyhedra] == [(0, 12, 0, 0)]
    assert (copper.faces.value, copper.volume_a3.value) == pytest.approx((12, 3.6**3 / 4))


def test_those_of_bcc_are_truncated_octahedra_in_motion_too() -> None:
    frames = moved(bulk("Fe", a=2.87, cubic=True) * (3, 3, 3), 0.05, 6)
    (iron,) = analyse_polyhedra(frames, 6)
    assert [kind.index for kind in iron.polyhedra] == [(0, 6, 0, 8)]
    assert iron.polyhedra[0].fraction.value == 1
    assert iron.volume_a3.value == pytest.approx(2.87**3 / 2), "the polyhedra fill the cell"


def test_a_laves_phase_has_icosahedra_and_frank_kasper_polyhedra_of_sixteen() -> None:
    """Copper by twelve neighbours, magnesium by sixteen (Frank and Kasper 1959, DOI 10.1107/S0365110X59001499)."""
    laves = crystal(
        ["Mg", "Cu"], [(1 / 8, 1 / 8, 1 / 8), (1 / 2, 1 / 2, 1 / 2)], spacegroup=227, setting=2, cellpar=7.03
    )
    copper, magnesium = analyse_polyhedra(moved(laves, 0.03), 1)
    assert [kind.index for kind in copper.polyhedra] == [(0, 0, 12, 0)]
    assert [kind.index for kind in magnesium.polyhedra] == [(0, 0, 12, 4)]
    assert (copper.center, copper.faces.value, magnesium.faces.value) == ("Cu", 12, 16)


def test_points_at_random_have_the_faces_of_a_poisson_process() -> None:
    """48 pi^2 / 35 + 2 (Meijering 1953), for one frame with a standard error over its points."""
    points = np.random.default_rng(3).random((1, 2000, 3)) * 20
    (cells,) = analyse_polyhedra(take_frames(points, 20 * np.eye(3), [18] * 2000), 1)
    assert abs(cells.faces.value - (48 * np.pi**2 / 35 + 2)) < 3 * cells.faces.error
    assert cells.faces.error < 0.1
    assert len(cells.polyhedra) == 10


@settings(max_examples=25, deadline=None)
@given(n_atoms=st.integers(1, 12), shear=st.floats(-0.8, 0.8), long=st.floats(1, 4), seed=st.integers(0, 1000))
def test_polyhedra_fill_any_cell(n_atoms: int, shear: float, long: float, seed: int) -> None:
    cell = 4 * np.array([[1, 0, 0], [shear, 1, 0], [0.3 * shear, -shear, long]])
    positions = np.random.default_rng(seed).random((1, n_atoms, 3)) @ cell
    (cells,) = analyse_polyhedra(take_frames(positions, cell, [29] * n_atoms), 1)
    assert cells.volume_a3.value * n_atoms == pytest.approx(abs(np.linalg.det(cell)))


def test_two_atoms_at_one_place_are_refused() -> None:
    with pytest.raises(InputError, match="two atoms are at the same place"):
        analyse_polyhedra(take_frames(np.ones((1, 2, 3)), 4 * np.eye(3), [29, 29]), 1)
