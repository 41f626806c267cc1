"""Crystals of many structure types, with thermal motion, against gases, glasses and half crystallised cells."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import iread
from ase.spacegroup import crystal
from tests.physics.crystals import cristobalite, quartz
from tests.reference_data import require

from tachylite.physics.structure.crystallinity import Crystallinity, measure_crystallinity


def measured(atoms: Atoms) -> Crystallinity:
    return measure_crystallinity(atoms.positions, atoms.cell.array, atoms.numbers)


def shaken(atoms: Atoms, displacement: float, seed: int = 0) -> Atoms:
    """Atoms displaced at random, their root mean square displacement in units of the nearest distance."""
    distances = atoms.get_all_distances(mic=True)
    scale = displacement * float(distances[distances > 0.1].min()) / 3**0.5
    shaken: Atoms = atoms.copy()
    shaken.positions += np.random.default_rng(seed).normal(0, scale, atoms.positions.shape)
    return shaken


CRYSTALS = {
    "fcc": bulk("Cu", "fcc", 3.61, cubic=True) * (2, 2, 3),
    "bcc": bulk("Fe", "bcc", 2.87, cubic=True) * 3,
    "hcp": bulk("Mg", "hcp", 3.21, 5.21) * (3, 3, 3),
    "diamond": bulk("Si", "diamond", 5.43, cubic=True) * 2,
    "rock salt": bulk("MgO", "rocksalt", 4.21, cubic=True) * 2,
    "caesium chloride": bulk("CsCl", "cesiumchloride", 4.12, cubic=True) * 3,
    "zinc blende": bulk("ZnS", "zincblende", 5.41, cubic=True) * 2,
    "wurtzite": bulk("ZnO", "wurtzite", 3.25, 5.21) * (3, 3, 2),
    "fluorite": bulk("CaF2", "fluorite", 5.46, cubic=True) * 2,
    "rutile": crystal(
        ["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=[4.594] * 2 + [2.959] + [90] * 3
    )
    * (2, 2, 2),
    "corundum": crystal(
        ["Al", "O"], [(0, 0, 0.352), (0.306, 0, 0.25)], spacegroup=167, cellpar=[4.76, 4.76, 12.99, 90, 90, 120]
    )
    * (2, 2, 1),
    "perovskite": crystal(
        ["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221, cellpar=[3.905] * 3 + [90] * 3
    )
    * (2, 2, 3),
    "quartz": quartz() * (2, 2, 2),
    "cristobalite": cristobalite() * (2, 2, 1),
}


@pytest.mark.parametrize("displacement", [0.0, 0.1])
@pytest.mark.parametrize("atoms", CRYSTALS.values(), ids=CRYSTALS.keys())
def test_a_crystal_is_one_also_near_its_melting_point(atoms: Atoms, displacement: float) -> None:
    crystallinity = measured(shaken(atoms, displacement))
    assert crystallinity.crystalline is True
    assert crystallinity.crystallinity is not None
    assert crystallinity.crystallinity > 0.95
    assert crystallinity.crystalline_reason is None


@pytest.mark.parametrize("n_atoms", [48, 100, 500])
def test_a_gas_has_exponential_intensities_and_no_crystals(n_atoms: int) -> None:
    """The contrast of independent complex Gaussian amplitudes is 2."""
    contrasts = []
    for seed in range(5):
        positions = np.random.default_rng(seed).random((n_atoms, 3)) * (15 * n_atoms) ** (1 / 3)
        crystallinity = measured(Atoms([14] * n_atoms, positions, cell=[(15 * n_atoms) ** (1 / 3)] * 3))
        assert crystallinity.crystalline is False
        contrasts.append(crystallinity.diffraction_contrast or 0.0)
    assert np.mean(contrasts) == pytest.approx(2, abs=0.1)


def test_half_a_crystal_is_found_and_counted() -> None:
    atoms = bulk("MgO", "rocksalt", 4.21, cubic=True) * (2, 3, 4)
    lost = atoms.positions[:, 2] > atoms.cell[2, 2] / 2 - 0.1
    places = np.random.default_rng(0).random((int(lost.sum()), 3)) * [1, 1, 0.5] + [0, 0, 0.5]
    atoms.positions[lost] = places @ atoms.cell.array
    crystallinity = measured(atoms)
    assert crystallinity.crystalline is True
    assert crystallinity.crystallinity == pytest.approx(0.5, abs=0.15)


def test_neither_the_choice_of_the_cell_nor_a_rotation_changes_it() -> None:
    atoms = shaken(CRYSTALS["quartz"], 0.1)
    before = measured(atoms)
    moved = atoms.copy()
    moved.rotate(40, (1, 2, 3), rotate_cell=True)
    moved.positions += [3.0, -50.0, 8.0]
    after = measured(moved)
    assert after.crystallinity == before.crystallinity
    assert after.diffraction_contrast == pytest.approx(before.diffraction_contrast, rel=1e-4)


def test_cells_that_are_too_small_are_not_judged() -> None:
    assert measured(bulk("MgO", "rocksalt", 4.21)).crystalline_reason == (
        "no element has two atoms in the cell; make a supercell"
    )
    small = measured(quartz())
    assert (small.crystalline, small.crystalline_reason) == (
        None,
        "9 atoms are too few to tell; make a supercell of at least 24",
    )
    assert measured(bulk("MgO", "rocksalt", 4.21, cubic=True) * (1, 1, 2)).crystalline is True


def test_a_crystal_all_of_whose_elements_diffuse_is_doubted() -> None:
    crystallinity = measured(CRYSTALS["fluorite"])
    assert crystallinity.with_motion([True, False]) == crystallinity
    assert crystallinity.with_motion([False, False]) == crystallinity
    doubted = crystallinity.with_motion([True, True])
    assert doubted.crystalline is None
    assert doubted.crystalline_reason == "100% of the atoms have repeated surroundings, and yet all elements diffuse"


@pytest.mark.parametrize("file", ["silica/SiO2_glass_3000_atoms.xyz", "mgvo/amorphous_MgV2O5_900K.vasp"])
def test_published_glasses_are_glasses(file: str) -> None:
    crystallinity = measured(next(iread(require(file))))
    assert crystallinity.crystalline is False
    assert crystallinity.crystallinity is not None
    assert crystallinity.crystallinity < 0.02


def test_the_frames_of_a_published_melt_and_glass_are_amorphous() -> None:
    frames = iread(require("b2o3/train.extxyz"), "::12")
    assert [measured(frame).crystalline for frame in frames] == [False] * 5


def test_a_published_cell_that_repeats_twice_and_thrice_is_a_crystal() -> None:
    """Its 96 atoms lie on themselves, to within 0.4 A, after half of one edge and a third of another."""
    assert measured(next(iread(require("mgvo/amorphous_MgV2O5_600K.vasp")))).crystalline is True
