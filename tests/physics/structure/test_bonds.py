"""Neighbours, coordination numbers and bond angles of crystals and distorted tetrahedra."""

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.physics.crystals import diamond, frames_of, quartz

from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.physics.frames import Frames, GroupSums, take_frames
from tachylite.physics.neighbors import find_neighbors
from tachylite.physics.structure.bonds import analyse_bonds, bond_cutoffs
from tachylite.physics.structure.pair_distribution import analyse_structure


@given(st.integers(0, 10_000), st.floats(0.5, 8.0))
@settings(max_examples=25, deadline=None)
def test_neighbours_are_those_of_an_independent_search(seed: int, cutoff: float) -> None:
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * 6 + rng.uniform(-2, 2, (3, 3))
    positions = rng.uniform(-20, 20, (5, 3))
    neighbors = find_neighbors(positions, cell, cutoff)
    atoms = bulk("H", "sc", 1.0) * (5, 1, 1)
    atoms.set_cell(cell)
    atoms.positions = positions
    first, second, distances = neighbor_list("ijd", atoms, cutoff)
    expected = sorted(zip(first.tolist(), second.tolist(), np.round(distances, 8).tolist(), strict=True))
    distances = np.round(neighbors.distances_a, 8)
    ours = sorted(zip(neighbors.first.tolist(), neighbors.second.tolist(), distances.tolist(), strict=True))
    assert ours == expected
    folded = positions @ np.linalg.inv(cell)
    folded = (folded - np.floor(folded)) @ cell
    vectors = folded[neighbors.second] + neighbors.images @ cell - folded[neighbors.first]
    np.testing.assert_allclose(neighbors.vectors_a, vectors, atol=1e-9)


@pytest.mark.parametrize("repeats", [1, 2])
def test_angles_in_diamond_are_tetrahedral(repeats: int) -> None:
    bonds = analyse_bonds(frames_of(diamond(repeats)), {"C-C": 1.7})
    (coordination,), (angles,) = bonds.coordinations, bonds.angles
    assert {n: fraction.value for n, fraction in coordination.fractions.items()} == {4: 1.0}
    assert angles.mean_deg.value == pytest.approx(np.degrees(np.arccos(-1 / 3)))
    assert angles.deviation_deg == pytest.approx(0, abs=1e-4)
    assert angles.density_per_deg[109] == pytest.approx(1.0)


def test_angles_in_fcc_have_their_multiplicities() -> None:
    bonds = analyse_bonds(frames_of(bulk("Al", "fcc", 4.05)), {"Al-Al": 3.4})
    (angles,) = bonds.angles
    # 66 angles: 24 of 60, 12 of 90, 24 of 120, 6 of 180 degrees
    counts = {int(k): angles.density_per_deg[k] * 66 for k in np.flatnonzero(angles.density_per_deg)}
    assert counts == pytest.approx({60: 24, 90: 12, 120: 24, 179: 6})
    assert bonds.coordinations[0].mean.value == pytest.approx(12)


def test_quartz_has_its_published_angles_and_both_directions() -> None:
    # counting errors of nine atoms hide every peak
    atoms = quartz() * (3, 3, 3)
    structure = analyse_structure(atoms.positions[None], atoms.cell.array, atoms.numbers, 6.0)
    cutoffs = bond_cutoffs(structure)
    assert list(cutoffs) == ["O-Si"]
    bonds = analyse_bonds(frames_of(atoms), {"Si-O": cutoffs["O-Si"]})
    assert {(c.center, c.neighbor): c.mean.value for c in bonds.coordinations} == pytest.approx(
        {("O", "Si"): 2, ("Si", "O"): 4}
    )
    means = {angles.triplet: angles.mean_deg.value for angles in bonds.angles}
    # 143.7 degrees: Levien, Prewitt and Weidner, American Mineralogist 65, 920 (1980)
    assert means["Si-O-Si"] == pytest.approx(143.7, abs=0.2)
    assert means["O-Si-O"] == pytest.approx(109.47, abs=0.1)


def distorted(n_frames: int, seed: int) -> Frames:
    """Eight SiO4 far apart, a bond of each broken with probability 0.3 a frame, atoms moved by 0.05 A."""
    rng = np.random.default_rng(seed)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3) * 1.6
    centers = np.array([[x, y, z] for x in (0, 8) for y in (0, 8) for z in (0, 8)], dtype=float)
    arms = np.broadcast_to(corners, (n_frames, 8, 4, 3)).copy()
    arms[:, :, 0] *= np.where(rng.random((n_frames, 8)) < 0.3, 1.9, 1.0)[..., None]
    oxygen = (centers[:, None] + arms).reshape(n_frames, 32, 3) + rng.normal(0, 0.05, (n_frames, 32, 3))
    positions = np.concatenate([np.broadcast_to(centers, (n_frames, 8, 3)), oxygen], axis=1)
    return take_frames(positions, 16.0 * np.eye(3), [14] * 8 + [8] * 32)


@pytest.mark.parametrize("n_frames", [1, 60])
def test_errors_are_the_scatter_of_repeated_runs(n_frames: int) -> None:
    runs = [analyse_bonds(distorted(n_frames, seed), {"Si-O": 2.2}) for seed in range(40)]
    silicon = [next(numbers for numbers in run.coordinations if numbers.center == "Si") for run in runs]
    fractions = [numbers.fractions.get(4, Measured(value=0.0, error=0.0)) for numbers in silicon]
    four, error = np.array([fraction.value for fraction in fractions]), np.mean([x.error for x in fractions])
    assert four.mean() == pytest.approx(0.7, abs=4 * four.std() / np.sqrt(40))
    assert error / four.std() == pytest.approx(1.2, abs=0.35)
    angles = [run.angles[0] for run in runs]
    ratio = np.mean([x.mean_deg.error for x in angles]) / np.std([x.mean_deg.value for x in angles])
    # the angles of one tetrahedron balance each other, which counting in one frame does not know
    assert 0.6 < ratio < (2.5 if n_frames > 1 else 8)
    assert all(sum(x.density_per_deg) == pytest.approx(1) for x in angles)


def test_frames_in_blocks_give_what_one_array_gives() -> None:
    whole = distorted(450, 1)
    ((positions, cells),) = whole.blocks
    parts = [(positions[i : i + 37], cells[i : i + 37]) for i in range(0, 450, 37)]
    at_once, in_blocks = (analyse_bonds(frames, {"Si-O": 2.2}) for frames in (whole, Frames(whole.numbers, parts)))
    np.testing.assert_array_equal(at_once.angles[0].density_per_deg, in_blocks.angles[0].density_per_deg)
    assert [x.mean for x in at_once.coordinations] == [x.mean for x in in_blocks.coordinations]


@given(st.integers(1, 900))
@settings(max_examples=30, deadline=None)
def test_groups_hold_all_frames_in_order(n_frames: int) -> None:
    groups = GroupSums(1)
    for frame in range(n_frames):
        groups.next_frame()[0] += frame
    assert len(groups.frames) <= 200
    assert groups.frames.sum() == n_frames
    assert groups.sums.sum() == n_frames * (n_frames - 1) / 2
    assert (np.diff(groups.sums[:, 0] / groups.frames) > 0).all()
    assert len(set(groups.frames[:-1].tolist())) <= 1


@pytest.mark.parametrize(
    ("cutoffs", "words"),
    [
        ({"C-O": 2.0}, "C-O is no pair"),
        ({"C": 2.0}, "is no pair"),
        ({"C-C": -1.0}, "greater than 0"),
        ({"C-C": float("nan")}, "greater than 0"),
        ({}, "no bond to count"),
        ({"C-C": 4.5}, "shorter --cutoff"),
    ],
)
def test_cutoffs_that_make_no_bonds_are_refused(cutoffs: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        analyse_bonds(frames_of(diamond()), cutoffs)


def test_atoms_at_the_same_place_are_refused() -> None:
    with pytest.raises(InputError, match="same place"):
        analyse_bonds(take_frames(np.zeros((1, 2, 3)), 5 * np.eye(3), [6, 6]), {"C-C": 1.7})
