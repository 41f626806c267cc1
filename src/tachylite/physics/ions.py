"""Ions put into a host and taken out of it: where they go, which leave, and how many there are to a host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase.data import atomic_numbers
from ase.geometry import get_distances
from numpy.typing import NDArray
from pymatgen.core import Element

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.neighbors import find_neighbors
from tachylite.physics.structure.voids import VACUUM_A, depths_below_surface, find_voids

type Integers = NDArray[np.int64]

Rule = Literal["largest-void", "lowest-energy", "random", "nearest-surface"]
"""By which an ion's site is chosen."""

_AS_WIDE_A = 0.1
"""Difference of radii below which two voids are equally wide: relaxation changes them by more."""


@dataclass(frozen=True)
class Sites:
    """Where ions may be: their places, and how wide each is."""

    positions_a: Array
    """Shape (n, 3)."""
    widths_a: Array
    """Distance to the nearest atom, shape (n,)."""


def common_charge(element: str) -> float:
    """Charge of an element's ion where it has one common oxidation state, and that is positive.

    Raises InputError for any other element, whose charge has to be given.
    """
    states = Element(element).common_oxidation_states
    if len(states) != 1 or states[0] <= 0:
        known = ", ".join(f"{state:+d}" for state in states) or "none"
        raise InputError(f"the common oxidation states of {element} are {known}; give the charge of the ion")
    return float(states[0])


def host_units(counts: Mapping[str, int], ion: str, formula: str | None = None) -> float:
    """How many formula units the atoms that are not the ion make; without a formula, of their reduced one.

    Raises InputError where there are no such atoms, and for a formula of another composition.
    """
    host = {symbol: count for symbol, count in counts.items() if symbol != ion}
    written = "".join(f"{symbol}{count}" for symbol, count in host.items())
    if not host:
        raise InputError(f"there is nothing but {ion}; a host of its ions has other elements")
    amounts = parse_formula(formula).amounts if formula is not None else parse_formula(written).unit
    units = {host.get(symbol, 0) / float(amount) for symbol, amount in amounts.items()}
    if set(amounts) != set(host) or max(units) > min(units) * (1 + 1e-9):
        raise InputError(f"the host {written} is no multiple of {formula}")
    return units.pop()


def insert_ions(
    numbers: Integers,
    positions: Array,
    cell: Array,
    ion: str,
    count: int,
    *,
    rule: Rule,
    smallest_void_a: float,
    rng: np.random.Generator,
) -> Array:
    """Choose places for ions, shape (count, 3) in A, one after the other, each among the voids that the others leave.

    Takes atomic numbers (n_atoms,), positions (n_atoms, 3) and the cell (3, 3) in A. Raises InputError where no void of
    at least `smallest_void_a` is left for one of them, and for `nearest-surface` where there is no surface.
    """
    is_ion, occupied = numbers == atomic_numbers[ion], positions
    for number in range(count):
        voids = find_voids(occupied, cell, smallest_void_a)
        if not len(voids.radii_a):
            raise InputError(f"no void of at least {smallest_void_a:g} A is left for ion {number + 1} of {count} {ion}")
        sites = Sites(voids.centres_a, voids.radii_a)
        chosen = voids.centres_a[_choose(sites, occupied, cell, is_ion, rule, rng)]
        occupied, is_ion = np.vstack([occupied, chosen]), np.append(is_ion, True)
    return occupied[len(positions) :]


def choose_ions(
    numbers: Integers, positions: Array, cell: Array, ion: str, count: int, *, rule: Rule, rng: np.random.Generator
) -> Integers:
    """Choose ions to take out, shape (count,): indices of atoms, one after the other.

    Takes what `insert_ions` takes; the rules mean the same: `largest-void` takes the ion whose site is the widest.
    Raises InputError for more ions than there are, and for `nearest-surface` where there is no surface.
    """
    left = np.arange(len(numbers))
    there = int((numbers == atomic_numbers[ion]).sum())
    if count > there:
        raise InputError(f"{count} {ion} are to be taken out, and there are {there}")
    for _ in range(count):
        is_ion = numbers[left] == atomic_numbers[ion]
        distances = _nearest_distances(positions[left], cell)
        sites = Sites(positions[left][is_ion], distances[is_ion])
        chosen = _choose(sites, positions[left], cell, np.zeros(len(left), dtype=bool), rule, rng)
        left = np.delete(left, np.flatnonzero(is_ion)[chosen])
    return np.setdiff1d(np.arange(len(numbers)), left)


def _choose(
    sites: Sites, positions: Array, cell: Array, is_ion: NDArray[np.bool_], rule: Rule, rng: np.random.Generator
) -> int:
    """Which of the sites; of equally wide ones that which is farthest from the ions."""
    if rule == "nearest-surface":
        depths = depths_below_surface(positions, cell, sites.positions_a)
        if depths is None:
            raise InputError(f"there is no surface: no layer of {VACUUM_A:g} A without atoms; give a slab")
        return int(np.argmin(depths))
    if rule in {"random", "lowest-energy"}:
        return int(rng.integers(len(sites.widths_a)))
    widest = np.flatnonzero(sites.widths_a > sites.widths_a.max() - _AS_WIDE_A)
    if not is_ion.any():
        return int(widest[0])
    apart = get_distances(sites.positions_a[widest], positions[is_ion], cell=cell, pbc=True)[1].min(axis=1)
    return int(widest[np.argmax(np.round(apart, 3))])


def _nearest_distances(positions: Array, cell: Array) -> Array:
    """Distance of every atom to the nearest other atom or image, shape (n_atoms,)."""
    reach = 2 * float(abs(np.linalg.det(cell)) / len(positions)) ** (1 / 3)
    nearest = np.full(len(positions), np.inf)
    while not np.isfinite(nearest).all():
        neighbors = find_neighbors(positions, cell, reach)
        np.minimum.at(nearest, neighbors.first, neighbors.distances_a)
        reach *= 2
    return nearest
