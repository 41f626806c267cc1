"""What atoms are bonded to in each layer of a cell: neighbours, connected groups of atoms, new bonds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Element
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

from tachylite.arrays import Array, FloatMatrix
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.neighbors import Neighbors
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.physics.structure.bonds import BOND_OVER_RADII, bonds_within
from tachylite.physics.volume import electronegativity

type Integers = NDArray[np.int64]

_LARGEST_GROUP = 30
"""Atoms from which on a connected group counts as a network, whose formula says nothing."""

_MOST_GROUPS = 24


class LayerCoordination(FrozenModel):
    """Mean number of neighbours of one element around the atoms of another, in every layer."""

    center: str
    neighbor: str
    cutoff_a: float
    mean: list[Measured | None]
    """Errors are those of as many independent atoms as have been in the layer; None where there was none."""


class ConnectedGroups(FrozenModel):
    """How many groups of one formula there are, atoms held together by bonds other than those of metal ions."""

    formula: str
    """Like PO4 or P2O7; `network of O-P` from 30 atoms on."""
    number: FloatMatrix
    """Mean number in every layer and stretch of time, shape (n_layers, n_stretches)."""


class BondChanges(FrozenModel):
    """Bonds of one pair of elements; shapes (n_layers, n_stretches), a bond between two layers is half in each."""

    pair: str
    cutoff_a: float
    number: FloatMatrix
    """Mean number in a frame."""
    new: FloatMatrix
    """Of these, between atoms that were not bonded in the first frame."""


def bond_lengths(symbols: Sequence[str]) -> dict[str, float]:
    """Largest lengths of bonds in A by pair of elements, 1.25 times the sum of radii, bonded already or not."""
    radii = {symbol: float(covalent_radii[atomic_numbers[symbol]]) for symbol in symbols}
    ordered = sorted(symbols)
    return {f"{a}-{b}": BOND_OVER_RADII * (radii[a] + radii[b]) for i, a in enumerate(ordered) for b in ordered[i:]}


def holds_a_group_together(first: str, second: str) -> bool:
    """Whether a bond is one within a group: not of two metals, nor of an alkali or alkaline earth metal."""
    elements = Element(first), Element(second)
    if any((element.is_alkali or element.is_alkaline) and element.symbol != "H" for element in elements):
        return False
    return not all(element.is_metal or element.is_metalloid for element in elements)


def group_formula(symbols: Sequence[str]) -> str:
    """Formula of a group, not reduced, the most electropositive element first: `P2O7`."""
    counts = Counter(symbols)
    ordered = sorted(counts, key=lambda symbol: (electronegativity(symbol), symbol))
    if len(symbols) >= _LARGEST_GROUP:
        return f"network of {'-'.join(sorted(counts))}"
    return "".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in ordered)


def connected_groups(bonds: Neighbors, kinds: Integers, elements: Sequence[str]) -> list[Integers]:
    """Indices of the atoms of every connected group, for bonds within groups; single metal atoms are left out.

    `kinds` are the indices among `elements` of all atoms, (n_atoms,).
    """
    within = np.array([[holds_a_group_together(a, b) for b in elements] for a in elements])
    kept = within[kinds[bonds.first], kinds[bonds.second]]
    edges = np.ones(int(kept.sum())), (bonds.first[kept], bonds.second[kept])
    _, labels = connected_components(coo_array(edges, shape=(len(kinds), len(kinds))), directed=False)
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    metal = np.array([Element(element).is_metal for element in elements])
    return [group for group in groups if len(group) > 1 or not metal[kinds[group[0]]]]


@dataclass
class LayerBonds:
    """Collect neighbours, groups and bonds by layer, frame after frame, over stretches of time."""

    kinds: Integers
    """Index of every atom's element among `elements`, (n_atoms,)."""
    elements: list[str]
    lengths: Array
    """Largest lengths of bonds in A by kinds, (n_kinds, n_kinds)."""
    n_layers: int
    n_stretches: int
    _frames: Array = field(init=False)
    _present: Array = field(init=False)
    _neighbors: Array = field(init=False)
    _groups: dict[str, Array] = field(init=False, default_factory=dict)
    _bonds: Array = field(init=False)
    _first: Integers | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        n_kinds, n_atoms = len(self.elements), len(self.kinds)
        self._frames = np.zeros(self.n_stretches)
        self._present = np.zeros((self.n_layers, n_atoms))
        self._neighbors = np.zeros((self.n_layers, n_atoms, n_kinds))
        self._bonds = np.zeros((2, n_kinds, n_kinds, self.n_layers, self.n_stretches))

    def add(self, positions: Array, cell: Array, layers: Integers, stretch: int) -> None:
        """Take a frame: positions (n_atoms, 3) and cell (3, 3) in A, the layer of every atom, the stretch of time."""
        bonds = bonds_within(positions, cell, self.kinds, self.lengths)
        self._frames[stretch] += 1
        self._present[layers, np.arange(len(self.kinds))] += 1
        np.add.at(self._neighbors, (layers[bonds.first], bonds.first, self.kinds[bonds.second]), 1)
        for group in connected_groups(bonds, self.kinds, self.elements):
            formula = group_formula([self.elements[kind] for kind in self.kinds[group]])
            numbers = self._groups.setdefault(formula, np.zeros((self.n_layers, self.n_stretches)))
            # a group lies in the layers of its atoms
            np.add.at(numbers[:, stretch], layers[group], 1 / len(group))
        self._add_bonds(bonds, layers, stretch)

    def _add_bonds(self, bonds: Neighbors, layers: Integers, stretch: int) -> None:
        pairs = bonds.first * len(self.kinds) + bonds.second
        if self._first is None:
            self._first = pairs
        new = ~np.isin(pairs, self._first)
        place = self.kinds[bonds.first], self.kinds[bonds.second], layers[bonds.first], np.full(len(pairs), stretch)
        # every bond is there in both directions, and each end holds a half of it
        np.add.at(self._bonds[0], place, 0.5)
        np.add.at(self._bonds[1], tuple(index[new] for index in place), 0.5)

    def coordinations(self) -> list[LayerCoordination]:
        """Mean numbers of neighbours of every pair of elements that has any."""
        coordinations = []
        for a, b in np.ndindex(self.lengths.shape):
            of_kind = self.kinds == a
            present, neighbors = self._present[:, of_kind], self._neighbors[:, of_kind, b]
            if neighbors.any():
                mean = [_mean_of_atoms(n, p) for n, p in zip(neighbors, present, strict=True)]
                center, neighbor, cutoff = self.elements[a], self.elements[b], float(self.lengths[a, b])
                coordinations.append(LayerCoordination(center=center, neighbor=neighbor, cutoff_a=cutoff, mean=mean))
        return coordinations

    def groups(self) -> list[ConnectedGroups]:
        """Groups by formula, the most frequent first, 24 at most."""
        frames = np.maximum(self._frames, 1)
        ordered = sorted(self._groups.items(), key=lambda entry: -entry[1].sum())[:_MOST_GROUPS]
        return [ConnectedGroups(formula=formula, number=numbers / frames) for formula, numbers in ordered]

    def changes(self) -> list[BondChanges]:
        """Bonds of every pair of elements that has any."""
        frames = np.maximum(self._frames, 1)
        changes = []
        for a in range(len(self.elements)):
            for b in range(a, len(self.elements)):
                both = self._bonds[:, a, b] + (self._bonds[:, b, a] if a != b else 0.0)
                if both[0].any():
                    number, new = both / frames
                    pair, length = f"{self.elements[a]}-{self.elements[b]}", float(self.lengths[a, b])
                    changes.append(BondChanges(pair=pair, cutoff_a=length, number=number, new=new))
        return changes


def _mean_of_atoms(sums: Array, frames: Array) -> Measured | None:
    """Ratio of sums over atoms, with the error that so many independent atoms have; infinite for one."""
    there = frames > 0
    n, total = int(there.sum()), float(frames.sum())
    if n == 0:
        return None
    mean = float(sums.sum()) / total
    if n == 1:
        return Measured(value=mean, error=np.inf)
    residuals = (sums - mean * frames)[there]
    student = float(stdtrit(n - 1, 0.975)) / GAUSSIAN_95
    error = student * (n / (n - 1) * float(residuals @ residuals)) ** 0.5 / total
    return Measured(value=mean, error=error)
