"""Roles of the atoms, mobile, anion or other, and the properties of their elements; radii by the bonds."""

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.descriptors.composition import choose_anion
from tachylite.descriptors.elemental import covalent_radius, elemental_property
from tachylite.descriptors.registry import Convention
from tachylite.errors import InputError
from tachylite.physics.volume import electronegativity

type Mask = NDArray[np.bool_]

_IONIC_BOND = 2.0
"""Mean difference of electronegativity to its neighbours from which on an atom has its ionic radius."""


@dataclass(frozen=True)
class Roles:
    """Which atoms are mobile and which are anions, with properties of their elements, shape (n_atoms,) each."""

    symbols: tuple[str, ...]
    mobile: Mask
    anion: Mask
    electronegativity: Array
    covalent_radius_a: Array
    mass_u: float
    """Of all atoms."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of atoms of each element, in alphabetical order."""
        return {symbol: self.symbols.count(symbol) for symbol in sorted(set(self.symbols))}


def assign_roles(
    numbers: NDArray[np.int64], species: str, anion: str | None = None, convention: Convention = "exact"
) -> Roles:
    """Assign mobile atoms, anions and others from atomic numbers (n_atoms,).

    Raises InputError where there are no mobile atoms, no others, or no atoms of the anion that was named, and
    for elements without electronegativity, covalent radius or mass.
    """
    symbols = tuple(chemical_symbols[number] for number in numbers)
    counts = {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}
    if species not in counts:
        raise InputError(f"there is no {species}; the elements are {', '.join(counts)}")
    anion = choose_anion(counts, species, convention) if anion is None else anion
    if anion == species or anion not in counts:
        others = ", ".join(symbol for symbol in counts if symbol != species)
        raise InputError(f"the anion cannot be {anion}; the elements besides {species} are {others or 'none'}")
    return Roles(
        symbols=symbols,
        mobile=np.array([symbol == species for symbol in symbols]),
        anion=np.array([symbol == anion for symbol in symbols]),
        electronegativity=np.array([electronegativity(symbol) for symbol in symbols]),
        covalent_radius_a=np.array([covalent_radius(symbol) for symbol in symbols]),
        mass_u=sum(count * elemental_property("mass_u", symbol) for symbol, count in counts.items()),
    )


def sphere_radii(roles: Roles, ionicity: Array, surroundings: Array) -> Array:
    """Radius of every atom's sphere in A, ionic or covalent by the character of its bonds, shape (n_atoms,).

    `ionicity` is the mean difference of electronegativity of an atom to its neighbours, `surroundings` the mean
    electronegativity of these, shape (n_atoms,) each. Above a difference of 2 the radius is ionic, of an anion where
    the atom is more electronegative than its surroundings, of a cation otherwise; else it is covalent. This is the
    rule behind the published packing fractions (Zheng et al., DOI 10.1038/s41524-024-01469-2). Raises
    InputError for an element without the radius.
    """
    radii = roles.covalent_radius_a.copy()
    for i in np.flatnonzero(ionicity > _IONIC_BOND):
        is_anion = roles.electronegativity[i] > surroundings[i]
        radii[i] = elemental_property("anion_radius_a" if is_anion else "cation_radius_a", roles.symbols[i])
    return radii
