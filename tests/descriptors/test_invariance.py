"""What must not change a descriptor, and how frames are averaged."""

import math
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from tests.descriptors.crystals import antifluorite, descriptors_of, melt

from tachylite.descriptors import compute_descriptors

SEEDS = st.integers(0, 10_000)


def values(atoms: Atoms) -> dict[str, float]:
    return {name: value.mean for name, value in descriptors_of(atoms).values.items()}


def same(first: Atoms, second: Atoms, **other: Any) -> None:
    expected = values(first) | other
    assert values(second) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_translation_and_wrapping(seed: int, shift: list[float]) -> None:
    moved = melt(seed)
    moved.positions += shift
    same(melt(seed), moved)
    moved.wrap()
    same(melt(seed), moved)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_order_of_the_atoms(seed: int) -> None:
    start = melt(seed)
    same(start, start[np.random.default_rng(seed).permutation(len(start))])


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_rotation_and_reflection(seed: int) -> None:
    start = melt(seed)
    matrix = -Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turned = Atoms(start.numbers, positions=start.positions @ matrix, cell=start.cell.array @ matrix, pbc=True)
    same(start, turned)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_another_cell_of_the_same_lattice(seed: int) -> None:
    start = melt(seed)
    skewed = Atoms(start.numbers, positions=start.positions, cell=start.cell.array.copy(), pbc=True)
    cell = start.cell.array.copy()
    cell[1] += cell[0]
    cell[2] -= 2 * cell[1]
    skewed.set_cell(cell)
    same(start, skewed)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([(2, 1, 1), (1, 2, 1), (1, 1, 3)]))
def test_supercell(seed: int, repeats: tuple[int, int, int]) -> None:
    start = melt(seed)
    before = values(start)
    copies, mobile = math.prod(repeats), 4
    bonds = round(before["LNC"] * mobile)
    # sample deviations divide by one less than the number of values
    same(
        start,
        start.repeat(repeats),
        SDLC=before["SDLC"] * math.sqrt((mobile - 1) * copies / (mobile * copies - 1)),
        SDLI=before["SDLI"] * math.sqrt((bonds - 1) * copies / (bonds * copies - 1)),
    )


def test_a_rotated_crystal_keeps_its_ties() -> None:
    turn = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    start = antifluorite()
    same(start, Atoms(start.numbers, positions=start.positions @ turn, cell=start.cell.array @ turn, pbc=True))


def test_frames_are_averaged_with_errors() -> None:
    frames = [melt(seed, edge=6.0) for seed in range(40)]
    cells = np.array([atoms.cell.array for atoms in frames])
    means = compute_descriptors(np.array([atoms.positions for atoms in frames]), cells, frames[0].numbers)
    single = np.array([values(atoms)["LNC"] for atoms in frames])
    assert means.n_frames == 40
    assert means["LNC"].mean == pytest.approx(single.mean())
    # independent frames: the error of a mean, known to within a third from 40 of them
    assert means["LNC"].error == pytest.approx(single.std(ddof=1) / math.sqrt(40), rel=0.5)
    assert means["ENS"].error == 0
    assert means["avg_B_with_Li"].error == 0


def test_the_error_knows_of_correlation() -> None:
    # the same 10 frames, each 10 times in a row, say no more than once each
    frames = [melt(seed) for seed in range(10)]
    once = compute_descriptors(
        np.array([atoms.positions for atoms in frames]), np.array([a.cell.array for a in frames]), frames[0].numbers
    )
    slow = compute_descriptors(
        np.repeat([atoms.positions for atoms in frames], 10, axis=0),
        np.repeat([atoms.cell.array for atoms in frames], 10, axis=0),
        frames[0].numbers,
    )
    assert slow["AASD"].mean == pytest.approx(once["AASD"].mean)
    assert slow["AASD"].error > 0.6 * once["AASD"].error


def test_a_single_frame_has_no_known_error() -> None:
    assert math.isinf(descriptors_of(antifluorite())["LNC"].error)
