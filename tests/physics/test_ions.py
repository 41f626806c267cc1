"""Ions in and out: where they go, that the same ones leave again, and what cannot be done."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100
from ase.geometry import get_distances
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.ions import choose_ions, common_charge, host_units, insert_ions

SMALLEST_A = 1.5


def arrays(atoms: Atoms) -> tuple[Any, Any, Any]:
    return atoms.numbers, atoms.positions, atoms.cell.array


def insert(atoms: Atoms, count: int, **changes: Any) -> Atoms:
    options: dict[str, Any] = {"rule": "largest-void", "smallest_void_a": SMALLEST_A, "rng": np.random.default_rng(0)}
    full = atoms.copy()
    full.extend(Atoms(f"Li{count}", insert_ions(*arrays(atoms), "Li", count, **(options | changes))))
    assert isinstance(full, Atoms)
    return full


def test_ions_fill_the_octahedra_of_fcc_before_anything_else() -> None:
    host = bulk("Au", "fcc", a=4.4, cubic=True)
    full = insert(host, 4)
    rock_salt = host.positions + np.array([2.2, 0, 0])
    apart = get_distances(full.positions[4:], rock_salt, cell=host.cell, pbc=True)[1].min(axis=0)
    assert apart == pytest.approx(0, abs=1e-6)


def test_of_equal_voids_the_one_farthest_from_the_ions_is_filled() -> None:
    host = bulk("Au", "fcc", a=4.4, cubic=True).repeat(2)
    first, second = insert(host, 2).positions[-2:]
    apart = get_distances(first[None], second[None], cell=host.cell, pbc=True)[1]
    assert apart.item() == pytest.approx(4.4 * 3**0.5, abs=1e-6), "the corner opposite in a cell of 2 x 2 x 2"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 4), rule=st.sampled_from(["largest-void", "random"]))
def test_no_ion_comes_nearer_than_the_smallest_void(seed: int, count: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    host = Atoms("Si6", rng.random((6, 3)) * 9, cell=[9] * 3, pbc=True)
    full = insert(host, count, rule=rule, rng=rng)
    assert len(full) == 6 + count
    apart = full.get_all_distances(mic=True)[6:]
    assert apart[apart > 1e-9].min() >= SMALLEST_A - 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rule=st.sampled_from(["largest-void", "random", "lowest-energy"]))
def test_all_ions_in_and_all_out_give_the_host_back(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    host = Atoms("Si6", rng.random((6, 3)) * 9, cell=[9] * 3, pbc=True)
    full = insert(host, 3, rule=rule, rng=rng)
    leaving = choose_ions(*arrays(full), "Li", 3, rule=rule, rng=rng)  # type: ignore[arg-type]
    del full[leaving]
    assert full == host


def test_the_ion_in_the_widest_site_leaves_first() -> None:
    host = bulk("Au", "fcc", a=4.4, cubic=True)
    octahedron, tetrahedron = [2.2, 2.2, 2.2], [1.1, 1.1, 1.1]
    full = host + Atoms("Li2", [tetrahedron, octahedron])
    # the two are as near to each other as they are to the host, but for one of them a little farther from it
    full.positions[-1] += [0.2, 0.2, 0.2]
    (leaving,) = choose_ions(*arrays(full), "Li", 1, rule="largest-void", rng=np.random.default_rng(0))
    nearest = full.get_all_distances(mic=True) + 9 * np.eye(len(full))
    assert leaving == 4 + np.argmax(nearest[4:].min(axis=1))


def test_the_surface_of_a_slab_gives_and_takes_first() -> None:
    slab = fcc100("Au", (2, 2, 5), a=4.4, vacuum=6.0)
    slab.pbc = True
    full = insert(slab, 1, rule="nearest-surface")
    low, high = slab.positions[:, 2].min(), slab.positions[:, 2].max()
    depth = min(full.positions[-1, 2] - low, high - full.positions[-1, 2])
    assert depth == pytest.approx(0, abs=1e-6), "between the atoms of the surface"
    deep = full + Atoms("Li", [[2.2, 2.2, (low + high) / 2]])
    (leaving,) = choose_ions(*arrays(deep), "Li", 1, rule="nearest-surface", rng=np.random.default_rng(0))
    assert leaving == len(slab)
    with pytest.raises(InputError, match="there is no surface: no layer of 8 A without atoms; give a slab"):
        insert(bulk("Au", cubic=True), 1, rule="nearest-surface")


def test_what_cannot_be_done_is_one_line() -> None:
    host = bulk("Au", "fcc", a=4.4, cubic=True)
    with pytest.raises(InputError, match=r"no void of at least 2.3 A is left for ion 1 of 1 Li"):
        insert(host, 1, smallest_void_a=2.3)
    with pytest.raises(InputError, match="2 Li are to be taken out, and there are 1"):
        choose_ions(*arrays(insert(host, 1)), "Li", 2, rule="random", rng=np.random.default_rng(0))


def test_charges_are_those_of_the_only_common_oxidation_state() -> None:
    assert {symbol: common_charge(symbol) for symbol in ("Li", "Na", "Mg", "Al")} == {
        "Li": 1,
        "Na": 1,
        "Mg": 2,
        "Al": 3,
    }
    for symbol in ("Fe", "O", "Ar"):
        with pytest.raises(InputError, match=f"oxidation states of {symbol} are .*; give the charge of the ion"):
            common_charge(symbol)


def test_contents_count_ions_to_a_formula_unit_of_the_host() -> None:
    assert host_units({"C": 36, "Li": 6}, "Li", "C6") == 6
    assert host_units({"V": 24, "O": 60, "Mg": 2}, "Mg") == 12
    with pytest.raises(InputError, match="the host V2O4 is no multiple of V2O5"):
        host_units({"V": 2, "O": 4, "Mg": 1}, "Mg", "V2O5")
    with pytest.raises(InputError, match="there is nothing but Li"):
        host_units({"Li": 4}, "Li")
