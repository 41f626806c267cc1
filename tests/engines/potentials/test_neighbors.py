import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.potentials.sample_structures import melt, state_of

from tachylite.engines.potentials import neighbors
from tachylite.engines.potentials.neighbors import Pairs, VerletList, search_pairs, search_pairs_by_cells


def random_crystal(seed: int) -> Atoms:
    """A few atoms in a triclinic cell that is often smaller than the cutoff, partly outside of it."""
    rng = np.random.default_rng(seed)
    n_atoms = int(rng.integers(1, 9))
    cell = np.diag(rng.uniform(2.0, 9.0, 3)) + rng.uniform(-1.0, 1.0, (3, 3))
    positions = rng.uniform(-3.0, 4.0, (n_atoms, 3)) @ cell
    return Atoms("Ar" * n_atoms, positions=positions, cell=cell, pbc=True)


def as_rows(pairs: Pairs) -> np.ndarray:
    """Pairs seen from both ends, as sorted rows of atoms and vector."""
    first, second, vectors = pairs.first.numpy(), pairs.second.numpy(), pairs.vectors.numpy()
    both = np.concatenate(
        [np.column_stack([first, second, vectors]), np.column_stack([second, first, -vectors])]
    ).round(6)
    return both[np.lexsort(both.T[::-1])] + 0.0


def expected_rows(structures: list[Atoms], cutoff: float) -> np.ndarray:
    parts, start = [], 0
    for atoms in structures:
        first, second, vectors = neighbor_list("ijD", atoms, cutoff)
        parts.append(np.column_stack([first + start, second + start, vectors]))
        start += len(atoms)
    rows = np.concatenate(parts).round(6)
    return rows[np.lexsort(rows.T[::-1])] + 0.0


@settings(max_examples=40, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), cutoff=st.floats(1.0, 7.0))
def test_pairs_are_those_of_an_independent_search(seeds: list[int], cutoff: float) -> None:
    structures = [random_crystal(seed) for seed in seeds]
    pairs = VerletList(cutoff, skin=0.3).pairs(state_of(structures))
    np.testing.assert_allclose(as_rows(pairs), expected_rows(structures, cutoff), atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), cutoff=st.floats(1.0, 7.0))
def test_both_searches_give_the_same(seeds: list[int], cutoff: float) -> None:
    state = state_of([random_crystal(seed) for seed in seeds])
    arguments = (state.positions, state.row_vector_cell, state.pbc, state.system_idx, cutoff)
    for by_pairs, by_cells in zip(search_pairs(*arguments), search_pairs_by_cells(*arguments), strict=True):
        assert torch.equal(by_pairs, by_cells)


def test_large_systems_are_searched_by_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of([melt("Ar", 40, 20.0, seed=0)] * 2)
    state.positions[3] = torch.nan
    small = VerletList(6.0).pairs(state)
    monkeypatch.setattr(neighbors, "LARGEST_SEARCH", 10)
    monkeypatch.setattr(neighbors, "search_pairs", None)
    large = VerletList(6.0).pairs(state)
    assert torch.equal(small.first, large.first)
    assert torch.equal(small.vectors, large.vectors)


def test_bond_of_an_atom_with_its_own_image_counts_once() -> None:
    pairs = VerletList(3.0, skin=0.2).pairs(state_of([Atoms("Ar", cell=[2.5, 9.0, 9.0], pbc=True)]))
    assert pairs.first.tolist() == pairs.second.tolist() == [0]
    np.testing.assert_allclose(pairs.vectors, [[2.5, 0.0, 0.0]])


@pytest.mark.parametrize("skin", [0.0, 0.4, 1.5])
def test_kept_list_gives_the_same_bits_as_a_new_one(skin: float) -> None:
    state = state_of([melt("Ar", 20, 20.0, seed=0), random_crystal(3)])
    reused, fresh = VerletList(6.0, skin), VerletList(6.0, 0.7)
    rng = np.random.default_rng(1)
    for _ in range(25):
        state.positions = state.positions + torch.as_tensor(0.05 * rng.standard_normal(state.positions.shape))
        fresh.reset()
        for name in ("first", "second", "vectors", "distances"):
            assert torch.equal(getattr(reused.pairs(state), name), getattr(fresh.pairs(state), name)), name
    assert fresh.builds == 25
    if skin > 1:
        assert reused.builds < 10


def test_list_is_searched_again_when_the_batch_changes() -> None:
    first, second = melt("Ar", 12, 20.0, seed=0), melt("Ar", 12, 20.0, seed=1)
    for other in (state_of([second]), state_of([first, second]), state_of([second, first])):
        reused = VerletList(5.0)
        reused.pairs(state_of([first]))
        assert torch.equal(reused.pairs(other).vectors, VerletList(5.0).pairs(other).vectors)


def test_list_is_searched_again_when_the_cell_changes_much() -> None:
    state = state_of([melt("Ar", 12, 20.0, seed=0)])
    reused = VerletList(5.0)
    reused.pairs(state)
    state.cell = state.cell * 1.05
    assert torch.equal(reused.pairs(state).vectors, VerletList(5.0).pairs(state).vectors)
    assert reused.builds == 2


@pytest.mark.parametrize("skin", [0.0, 0.4, 1.5])
def test_a_list_is_kept_in_a_breathing_cell(skin: float) -> None:
    """Cells that shear and swell a little at every step, atoms that go with them and move besides."""
    state = state_of([melt("Ar", 20, 20.0, seed=0), random_crystal(3)])
    reused, fresh = VerletList(6.0, skin), VerletList(6.0, 0.7)
    rng = np.random.default_rng(1)
    for _ in range(25):
        deformation = torch.as_tensor(np.eye(3) + 0.002 * rng.standard_normal((2, 3, 3)))
        carried = (state.positions[:, None, :] @ deformation[state.system_idx]).squeeze(1)
        state.positions = carried + torch.as_tensor(0.03 * rng.standard_normal(carried.shape))
        state.row_vector_cell = state.row_vector_cell @ deformation
        fresh.reset()
        for name in ("first", "second", "vectors", "distances"):
            assert torch.equal(getattr(reused.pairs(state), name), getattr(fresh.pairs(state), name)), name
    assert fresh.builds == 25
    if skin > 1:
        assert reused.builds < 10


def test_jump_by_a_lattice_vector_changes_nothing_but_the_images() -> None:
    atoms = melt("Ar", 15, 20.0, seed=2)
    reused = VerletList(5.0)
    before = reused.pairs(state_of([atoms]))
    atoms.positions[4] += atoms.cell[0] - 3 * atoms.cell[2]
    after = reused.pairs(state_of([atoms]))
    np.testing.assert_allclose(as_rows(after), as_rows(before), atol=2e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_broken_system_is_marked_and_leaves_the_others_alone(value: float) -> None:
    atoms = melt("Ar", 10, 20.0, seed=0)
    broken = atoms.copy()
    broken.positions[3, 1] = value
    pairs = VerletList(5.0).pairs(state_of([broken, atoms]))
    alone = VerletList(5.0).pairs(state_of([atoms]))
    assert pairs.broken.tolist() == [True, False]
    assert torch.equal(pairs.first - 10, alone.first)
    assert torch.equal(pairs.vectors, alone.vectors)


def test_collapsed_cell_is_broken_rather_than_endless() -> None:
    pairs = VerletList(5.0).pairs(state_of([Atoms("Ar", cell=[1e-4, 5.0, 5.0], pbc=True)]))
    assert pairs.broken.tolist() == [True]
    assert len(pairs.first) == 0


def test_open_boundaries_have_no_images() -> None:
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.0]], cell=[4.0] * 3, pbc=False)
    assert VerletList(5.0).pairs(state_of([atoms])).distances.tolist() == [3.0]


def test_single_precision_is_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        VerletList(5.0).pairs(state_of([Atoms("Ar", cell=[4.0] * 3, pbc=True)]).to(dtype=torch.float32))
