"""Bonds by layer: groups of built molecules, neighbours at a surface, bonds that are new."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, molecule

from tachylite.arrays import Array
from tachylite.physics.structure.bonds import bonds_within, cutoff_table
from tachylite.physics.structure.layers import (
    LayerBonds,
    bond_lengths,
    connected_groups,
    group_formula,
    holds_a_group_together,
)


def collector(symbols: list[str], n_layers: int = 2, n_stretches: int = 2) -> LayerBonds:
    elements = sorted(set(symbols))
    kinds = np.array([elements.index(symbol) for symbol in symbols])
    return LayerBonds(kinds, elements, cutoff_table(bond_lengths(elements), elements), n_layers, n_stretches)


def formulas(atoms: Atoms) -> list[str]:
    symbols = atoms.get_chemical_symbols()
    bonds = collector(symbols)
    pairs = bonds_within(atoms.positions, atoms.cell.array, bonds.kinds, bonds.lengths)
    groups = connected_groups(pairs, bonds.kinds, bonds.elements)
    return sorted(group_formula([symbols[i] for i in group]) for group in groups)


def diphosphate() -> Atoms:
    """Two tetrahedra that share an oxygen atom."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5 * 1.54
    first, second = np.zeros(3), 2 * corners[0]
    return Atoms("PO4PO3", [first, *(first + corners), second, *(second - corners[1:])])


def test_groups_of_built_molecules() -> None:
    cell = np.diag([30.0, 30.0, 30.0])
    mixed = Atoms(cell=cell, pbc=True)
    for i, part in enumerate((molecule("CO2"), molecule("H2O"), molecule("O2"), diphosphate(), Atoms("LiCu"))):
        part.positions += [0, 0, 6.0 * i - part.positions[:, 2].min()]
        part.positions[-1] += [1.5, 0, 0] if i == 4 else 0
        mixed += part
    assert formulas(mixed) == ["CO2", "H2O", "O2", "P2O7"]
    lithium_phosphate = diphosphate() + Atoms("Li3", [[2.0, 0, 0], [0, 2.0, 0], [2.6, 2.6, 0]])
    lithium_phosphate.set_cell(cell)
    assert formulas(lithium_phosphate) == ["P2O7"]
    lone = Atoms("LiOLiN", [[0, 0, 0], [1.9, 0, 0], [9, 0, 0], [9, 1.9, 0]], cell=cell, pbc=True)
    assert formulas(lone) == ["N", "O"]
    across = Atoms("NO", [[0.3, 0, 0], [29.4, 0, 0]], cell=cell, pbc=True)
    assert formulas(across) == ["NO"]


def test_which_bonds_hold_a_group_together() -> None:
    assert holds_a_group_together("P", "O")
    assert holds_a_group_together("V", "O")
    assert holds_a_group_together("H", "O")
    assert not holds_a_group_together("Li", "O")
    assert not holds_a_group_together("Cu", "Zr")
    assert group_formula(["O"] * 20 + ["Si"] * 10) == "network of O-Si"


def test_neighbours_at_the_surfaces_of_a_slab_and_inside() -> None:
    slab = fcc111("Cu", (3, 3, 6), a=3.6, vacuum=10.0)
    slab.pbc = True
    heights = slab.positions[:, 2]
    layers = np.where(np.abs(heights - heights.mean()) > np.ptp(heights) / 2 - 0.1, 0, 1)
    bonds = collector(slab.get_chemical_symbols())
    bonds.add(slab.positions, slab.cell.array, layers, 0)
    (copper,) = bonds.coordinations()
    assert [mean.value for mean in copper.mean if mean] == pytest.approx([9, 12])
    assert [mean.error for mean in copper.mean if mean] == [0, 0]


def test_errors_are_those_of_so_many_atoms() -> None:
    """Atoms in pairs or alone, the same in every frame: as many frames as there are say no more than one."""
    rng = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(60):
        paired = rng.random(20) < 0.4
        positions = [[5.0 * i, 0, 0] for i in range(20)] + [[5.0 * i, 1.2, 0] for i in np.flatnonzero(paired)]
        symbols = ["C"] * 20 + ["O"] * int(paired.sum())
        if not paired.any():
            continue
        bonds = collector(symbols, n_layers=1, n_stretches=1)
        for _ in range(5):
            bonds.add(np.array(positions), np.diag([100.0, 20.0, 20.0]), np.zeros(len(symbols), dtype=int), 0)
        (around,) = [c for c in bonds.coordinations() if (c.center, c.neighbor) == ("C", "O")]
        assert around.mean[0] is not None
        means.append(around.mean[0].value)
        errors.append(around.mean[0].error)
    assert np.std(means) == pytest.approx(np.mean(errors), rel=0.35)


def frame(distance: float) -> Array:
    return np.array([[5.0, 5.0, 2.0], [5.0 + distance, 5.0, 2.0], [5.0, 5.0, 12.0]])


def test_new_bonds_are_those_that_were_not_there_at_first() -> None:
    bonds = collector(["P", "O", "O"])
    layers = np.array([0, 0, 1])
    for stretch, distance in enumerate((3.0, 1.5)):
        bonds.add(frame(distance), np.diag([20.0] * 3), layers, stretch)
    (change,) = bonds.changes()
    assert change.pair == "O-P"
    assert change.number == [[0.0, 1.0], [0.0, 0.0]]
    assert change.new == change.number
    groups = {group.formula: group.number for group in bonds.groups()}
    assert groups["PO"] == [[0.0, 1.0], [0.0, 0.0]]
    assert groups["O"] == [[1.0, 0.0], [1.0, 1.0]]
