"""Crystals whose descriptors can be written down by hand."""

import numpy as np
from ase import Atoms
from ase.spacegroup import crystal
from numpy.typing import NDArray

from tachylite.descriptors import compute_descriptors
from tachylite.descriptors.averages import DescriptorValues
from tachylite.descriptors.registry import Convention


def rock_salt(a: float = 5.13) -> Atoms:
    """LiCl, the cubic cell of 8 atoms."""
    return crystal(["Li", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[a, a, a, 90, 90, 90])


def antifluorite(a: float = 4.65) -> Atoms:
    """Li2O, the cubic cell of 12 atoms."""
    return crystal(["Li", "O"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225, cellpar=[a, a, a, 90, 90, 90])


def caesium_chloride(a: float = 3.43) -> Atoms:
    """LiTl, one of each in a cell that is smaller than the cutoff."""
    return Atoms("LiTl", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[a, a, a], pbc=True)


def anti_rhenium_oxide(a: float = 4.1) -> Atoms:
    """Li3F that does not exist: every F sees Li alone within 4 A, so its bonds are ionic."""
    places = [(0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0, 0, 0)]
    return Atoms("Li3F", scaled_positions=places, cell=[a, a, a], pbc=True)


def descriptors_of(
    atoms: Atoms, species: str = "Li", anion: str | None = None, convention: Convention = "exact"
) -> DescriptorValues:
    """Compute the descriptors of one structure."""
    return compute_descriptors(
        atoms.positions[None], atoms.cell.array, atoms.numbers, species, anion=anion, convention=convention
    )


def melt(seed: int, n: int = 12, edge: float = 6.0) -> Atoms:
    """Li, P and S at random places of a random triclinic cell."""
    rng = np.random.default_rng(seed)
    cell: NDArray[np.float64] = np.eye(3) * edge + rng.uniform(-1.2, 1.2, (3, 3))
    symbols = [("Li", "P", "S")[i % 3] for i in range(n)]
    return Atoms(symbols, positions=rng.random((n, 3)) @ cell, cell=cell, pbc=True)
