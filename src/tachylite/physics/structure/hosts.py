"""A host of ions: what surrounds the ions in it, and how it differs from what it was."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.physics.neighbors import find_neighbors
from tachylite.physics.structure.bonds import BOND_OVER_RADII

type Integers = NDArray[np.int64]


@dataclass(frozen=True)
class HostChange:
    """How a host differs from what it was before."""

    displacement_a: float
    """Root mean square displacement of its atoms, apart from the strain of the cell and a common translation."""
    bonds_kept: float
    """Fraction of its bonds that are still there; 1 for a host without bonds."""
    bonds_new: float
    """Bonds that were not there, over those that were; 0 for a host without bonds."""


def count_neighbors(numbers: Integers, positions: Array, cell: Array, ion: str) -> Integers:
    """Bonded neighbours of every ion among the other elements, shape (n_ions,).

    Takes atomic numbers (n_atoms,), positions (n_atoms, 3) and the cell (3, 3), lattice vectors as rows, in A. Bonds
    are shorter than 1.25 times the sum of the covalent radii (DOI 10.1039/b801115j).
    """
    first, second = _bonds(numbers, positions, cell)
    is_ion = numbers == atomic_numbers[ion]
    of_host = first[is_ion[first] & ~is_ion[second]]
    counts: Integers = np.bincount(of_host, minlength=len(numbers))[is_ion]
    return counts


def compare_hosts(numbers: Integers, before: tuple[Array, Array], now: tuple[Array, Array]) -> HostChange:
    """Compare the same atoms, numbers (n_atoms,), in two states, each positions (n_atoms, 3) and cell (3, 3) in A."""
    moved = now[0] @ np.linalg.inv(now[1]) - before[0] @ np.linalg.inv(before[1])
    for origin in (moved[0], None):  # nearest images to one atom's displacement first, then to the mean
        moved = moved - (moved.mean(axis=0) if origin is None else origin)
        moved -= np.round(moved)
    displacements = (moved - moved.mean(axis=0)) @ now[1]
    old, new = (Counter(zip(*_bonds(numbers, *state), strict=True)) for state in (before, now))
    number = old.total()
    return HostChange(
        displacement_a=float(np.sqrt((displacements**2).sum(axis=1).mean())),
        bonds_kept=(old & new).total() / number if number else 1.0,
        bonds_new=(new - old).total() / number if number else 0.0,
    )


def _bonds(numbers: Integers, positions: Array, cell: Array) -> tuple[Integers, Integers]:
    """Both atoms of every bond, each bond in both directions, one for each image."""
    radii = covalent_radii[numbers]
    neighbors = find_neighbors(positions, cell, BOND_OVER_RADII * 2 * float(radii.max()))
    limits = BOND_OVER_RADII * (radii[neighbors.first] + radii[neighbors.second])
    bonded = neighbors[neighbors.distances_a < limits]
    return bonded.first, bonded.second
