"""Partial g(r) of crystals with known shells, of ideal gases, of liquid sodium."""

import json
import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import take_frames
from tachylite.physics.structure.pair_distribution import (
    PairStructure,
    analyse_structure,
    coordination_within,
    pair_structure,
)
from tachylite.physics.structure.pairs import PairCounts, count_pairs

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
PRIMITIVE = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
# no lattice vector as long as a multiple of the bin width, where rounding decides
SKEWED = np.array([[7.0313, 0, 0], [5.0171, 6.0717, 0], [-3.0131, 4.0373, 8.0537]])


def supercell(fractional: Array, cell: Array, repeats: int) -> tuple[Array, Array]:
    shifts = np.array(list(product(range(repeats), repeat=3)))
    return (shifts[:, None] + fractional).reshape(-1, 3) @ cell, cell * repeats


def counted(positions: Array, cells: Array, numbers: ArrayLike) -> PairCounts:
    return count_pairs(take_frames(positions, cells, numbers))


def neighbours(counts: PairCounts, cutoff_a: float, name: str) -> float:
    first, second = name.split("-")
    return coordination_within(counts, first, second, cutoff_a)[name].value


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_fcc_has_its_shells_in_any_supercell(repeats: int) -> None:
    a = 4.05
    positions, cell = supercell(FCC, a * np.eye(3), repeats)
    counts = counted(positions[None], cell, np.full(len(positions), 13))
    # 12, 6, 24, 12, 24 neighbours at a sqrt(n / 2)
    for n, total in [(1, 12), (2, 18), (3, 42), (4, 54), (5, 78)]:
        between = a * (np.sqrt(n / 2) + np.sqrt((n + 1) / 2)) / 2
        assert neighbours(counts, between, "Al-Al") == pytest.approx(total)
    aluminium = pair_structure(counts).partial("Al", "Al")
    assert aluminium.first_peak_a == pytest.approx(a / np.sqrt(2), abs=0.05)
    assert aluminium.first_minimum_a is not None
    assert a / np.sqrt(2) < aluminium.first_minimum_a < a
    assert aluminium.coordination["Al-Al"].value == pytest.approx(12)


def test_one_atom_in_a_primitive_cell_sees_its_images() -> None:
    counts = counted(np.zeros((1, 1, 3)), 4.05 * PRIMITIVE, [13])
    assert neighbours(counts, 3.4, "Al-Al") == pytest.approx(12)
    assert neighbours(counts, 4.5, "Al-Al") == pytest.approx(18)


def test_rock_salt_has_six_of_the_other_and_twelve_of_its_own_kind() -> None:
    a = 5.64
    sodium, cell = supercell(FCC, a * np.eye(3), 2)
    positions = np.concatenate([sodium, sodium + np.array([a / 2, 0, 0])])
    counts = counted(positions[None], cell, [11] * len(sodium) + [17] * len(sodium))
    structure = pair_structure(counts)
    assert [p.pair for p in structure.partials] == ["Cl-Cl", "Cl-Na", "Na-Na"]
    mixed = structure.partial("Na", "Cl")
    assert mixed.first_peak_a == pytest.approx(a / 2, abs=0.05)
    assert {k: c.value for k, c in mixed.coordination.items()} == pytest.approx({"Cl-Na": 6, "Na-Cl": 6})
    # 6 at a / 2, 8 at sqrt(3) a / 2, 24 at sqrt(5) a / 2
    assert neighbours(counts, 5.5, "Na-Cl") == pytest.approx(14)
    assert neighbours(counts, 6.6, "Na-Cl") == pytest.approx(38)
    assert neighbours(counts, 4.5, "Na-Na") == pytest.approx(12)


def test_both_directions_follow_the_composition() -> None:
    # fluorite: 8 F around Ca, 4 Ca around F
    a = 5.46
    calcium, cell = supercell(FCC, a * np.eye(3), 2)
    quarters = np.array(list(product([0.25, 0.75], repeat=3)))
    fluorine, _ = supercell(quarters, a * np.eye(3), 2)
    positions = np.concatenate([calcium, fluorine])
    mixed = analyse_structure(positions[None], cell, [20] * len(calcium) + [9] * len(fluorine)).partial("F", "Ca")
    assert {k: c.value for k, c in mixed.coordination.items()} == pytest.approx({"Ca-F": 8, "F-Ca": 4})


@pytest.mark.parametrize("cell", [9.0 * np.eye(3), SKEWED], ids=["cubic", "skewed"])
def test_an_ideal_gas_has_no_structure(cell: Array) -> None:
    positions = np.random.default_rng(0).random((800, 30, 3)) @ cell
    structure = analyse_structure(positions, cell, [8] * 20 + [3] * 8 + [15] * 2, r_max_a=6.2, bin_width_a=0.1)
    r_a = np.array(structure.r_a)
    for partial in structure.partials:
        # bins with almost no volume hold no pairs; from 6.3 A on come an atom's own images, which are no gas
        within = r_a > 2
        z = (np.array(partial.g) - 1)[within] / np.array(partial.g_error)[within]
        assert abs(z.mean()) < 0.6
        assert z.std() < 1.3
        assert np.abs(z).max() < 5
        assert partial.first_peak_a is None
        assert partial.first_minimum_a is None
        assert partial.coordination == {}
    z = (np.array(structure.total_g) - 1)[r_a > 1] / np.array(structure.total_g_error)[r_a > 1]
    assert abs(z.mean()) < 0.6
    assert z.std() < 1.3


def test_the_total_does_not_see_the_elements() -> None:
    positions = np.random.default_rng(2).random((40, 30, 3)) * 9.0
    mixed = analyse_structure(positions, 9.0 * np.eye(3), [8] * 20 + [3] * 10, r_max_a=10.0)
    alike = analyse_structure(positions, 9.0 * np.eye(3), [8] * 30, r_max_a=10.0)
    np.testing.assert_allclose(mixed.total_g, alike.partial("O", "O").g)
    np.testing.assert_allclose(mixed.total_g_error, alike.partial("O", "O").g_error)


def test_two_like_atoms_are_one_pair() -> None:
    # n^2 instead of n (n - 1) would give one half
    rng = np.random.default_rng(1)
    positions = rng.random((4000, 2, 3)) * 10
    counts = count_pairs(take_frames(positions, 10 * np.eye(3), [15, 15]), r_max_a=5.0)
    g = np.array(pair_structure(counts).partial("P", "P").g)
    inside = counts.edges_a[1:] > 2
    shells = np.diff(counts.edges_a**3)[inside]
    assert np.average(g[inside], weights=shells) == pytest.approx(1, abs=0.04)


@given(st.integers(0, 10_000), st.sampled_from([np.diag([5.0171, 6.0219, 7.0131]), SKEWED]))
@settings(max_examples=15, deadline=None)
def test_images_beyond_half_the_cell_equal_a_supercell(seed: int, cell: Array) -> None:
    fractional = np.random.default_rng(seed).random((5, 3))
    numbers = np.array([3, 3, 8, 8, 15])
    small = count_pairs(take_frames((fractional @ cell)[None], cell, numbers), r_max_a=9.0)
    positions, large_cell = supercell(fractional, cell, 3)
    large = count_pairs(take_frames(positions[None], large_cell, np.tile(numbers, 27)), r_max_a=9.0)
    np.testing.assert_allclose(small.pairs * 27, large.pairs)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_counts_equal_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * 6 + rng.uniform(-2, 2, (3, 3))
    positions = rng.uniform(-20, 20, (4, 3))
    images = np.array(list(product(range(-8, 9), repeat=3))) @ cell
    folded = positions - np.floor(positions @ np.linalg.inv(cell)) @ cell
    distances = np.linalg.norm(folded[None, :, None] - folded[:, None, None] + images, axis=-1)
    expected = np.histogram(distances[distances > 1e-9], bins=np.linspace(0, 7, 15))[0] / 2
    counts = count_pairs(take_frames(positions[None], cell, [6] * 4), r_max_a=7.0, bin_width_a=0.5)
    np.testing.assert_allclose(counts.pairs[0, 0], expected)


def test_cells_may_differ_from_frame_to_frame_and_positions_be_unwrapped() -> None:
    a = np.array([4.0, 4.1, 4.2, 4.3, 4.4])
    frames = np.array([supercell(FCC, x * np.eye(3), 2)[0] for x in a])
    cells = 2 * a[:, None, None] * np.eye(3)
    unwrapped = frames + cells[:, 0, None] * np.arange(32)[None, :, None]
    counts = counted(unwrapped, cells, [13] * 32)
    assert neighbours(counts, 3.5, "Al-Al") == pytest.approx(12)
    assert coordination_within(counts, "Al", "Al", 3.5)["Al-Al"].error == pytest.approx(0, abs=1e-12)


def test_errors_over_frames_are_those_of_repeated_runs() -> None:
    rng = np.random.default_rng(3)
    runs = [analyse_structure(rng.random((100, 20, 3)) * 9, 9 * np.eye(3), [18] * 20, 4.0, 0.2) for _ in range(40)]
    g = np.array([run.partials[0].g[5:] for run in runs])
    errors = np.array([run.partials[0].g_error[5:] for run in runs])
    assert np.median(errors.mean(axis=0) / g.std(axis=0)) == pytest.approx(1.1, abs=0.2)


def test_a_gap_of_zero_has_its_minimum_in_the_middle() -> None:
    # tetrahedra far apart: bonds at 1.5 A, nothing up to about 4 A
    rng = np.random.default_rng(4)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3) * 1.5
    centres = np.array(list(product([0.0, 6.0], repeat=3)))
    frames = [np.concatenate([centres, (centres[:, None] + corners).reshape(-1, 3)]) for _ in range(50)]
    positions = np.array(frames) + rng.normal(0, 0.05, (50, 40, 3))
    phosphate = analyse_structure(positions, 12 * np.eye(3), [15] * 8 + [8] * 32).partial("P", "O")
    assert phosphate.first_peak_a == pytest.approx(1.5, abs=0.05)
    assert phosphate.first_minimum_a is not None
    assert 2.2 < phosphate.first_minimum_a < 4.0
    assert phosphate.coordination["P-O"].value == pytest.approx(4)
    assert phosphate.coordination["O-P"].value == pytest.approx(1)


def test_what_is_stored_is_plain_lists() -> None:
    positions, cell = supercell(FCC, 4.05 * np.eye(3), 2)
    structure = analyse_structure(positions[None], cell, [13] * 32, bin_width_a=0.1)
    stored = json.loads(structure.model_dump_json())
    assert stored["r_a"][:2] == pytest.approx([0.05, 0.15])
    (partial,) = stored["partials"]
    assert partial["pair"] == "Al-Al"
    assert len(partial["g"]) == len(partial["g_error"]) == len(stored["r_a"]) == 80
    assert partial["coordination"]["Al-Al"]["value"] == pytest.approx(12)
    assert PairStructure.model_validate(stored) == structure


@pytest.mark.parametrize(
    ("positions", "cell", "numbers", "words"),
    [
        (np.zeros((0, 2, 3)), np.eye(3), [1, 1], "are needed"),
        (np.zeros((2, 2)), np.eye(3), [1, 1], "are needed"),
        (np.zeros((2, 2, 3)), np.eye(3), [1], "1 atomic numbers for 2 atoms"),
        (np.zeros((2, 2, 3)), np.zeros((3, 3)), [1, 1], "no volume"),
        (np.zeros((2, 2, 3)), np.broadcast_to(np.eye(3), (3, 3, 3)), [1, 1], "for 2 frames"),
        (np.full((2, 2, 3), np.nan), np.eye(3), [1, 1], "not all finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(positions: Array, cell: Array, numbers: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        analyse_structure(positions, cell, numbers)


def test_pairs_and_cutoffs_out_of_reach_are_refused() -> None:
    counts = counted(np.zeros((1, 1, 3)), 4.05 * PRIMITIVE, [13])
    with pytest.raises(InputError, match=r"no pair Al-O; there are Al-Al"):
        pair_structure(counts).partial("O", "Al")
    with pytest.raises(InputError, match=r"no pair Al-O; the elements are Al"):
        coordination_within(counts, "Al", "O", 3.0)
    with pytest.raises(InputError, match=r"9\.0 A is not between"):
        coordination_within(counts, "Al", "Al", 9.0)


@pytest.mark.slow
def test_a_thousand_frames_of_a_hundred_atoms_take_seconds() -> None:
    positions = np.random.default_rng(0).random((1000, 100, 3)) * 10
    start = time.process_time()
    analyse_structure(positions, 10 * np.eye(3), [8] * 60 + [3] * 30 + [15] * 10)
    assert time.process_time() - start < 10
