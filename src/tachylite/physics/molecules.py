"""Molecules of a gas, placed at random above a slab."""

from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.collections import g2

from tachylite.arrays import Array
from tachylite.errors import InputError

CLOSEST_A = 2.4
"""Smallest distance between atoms of two molecules, or of a molecule and the slab, of a packing."""

_ATTEMPTS = 2000
"""Random places and orientations that are tried for each molecule."""


def molecule_atoms(name: str) -> Atoms:
    """The atoms of a molecule of the G2 set (DOI 10.1063/1.473182), in ASE; InputError for an unknown one."""
    if name not in g2.names:
        near = get_close_matches(name, g2.names, 3, 0.5)
        raise InputError(
            f"unknown molecule {name!r}; " + (f"did you mean {', '.join(near)}?" if near else "try CO2 or H2O")
        )
    atoms: Atoms = molecule(name)
    atoms.positions -= atoms.positions.mean(axis=0)
    return atoms


def place_molecules(
    molecules: Mapping[str, int], slab: Array, cell: Array, above_a: float, seed: int
) -> list[tuple[Atoms, Array]]:
    """Choose random places and orientations of molecules between a height and the top of a cell, without overlaps.

    One after the other is put where no atom of another molecule or of the slab is nearer than 2.4 A, through the faces
    of the cell, too. `slab` are positions (n, 3), `cell` lattice vectors as rows, the third along z, in A. Returns the
    atoms of each molecule and their positions. Raises InputError where 2,000 attempts find no room for one.
    """
    rng = np.random.default_rng(seed)
    taken = slab
    placed: list[tuple[Atoms, Array]] = []
    for name, number in molecules.items():
        atoms = molecule_atoms(name)
        for _ in range(number):
            positions = _free_place(atoms, taken, cell, above_a, rng)
            if positions is None:
                raise InputError(
                    f"no room for molecule {len(placed) + 1} of {sum(molecules.values())} ({name}) above the slab; "
                    "take fewer, or a larger --vacuum or --width"
                )
            placed.append((atoms, positions))
            taken = np.concatenate([taken, positions])
    return placed


def _free_place(atoms: Atoms, taken: Array, cell: Array, above_a: float, rng: np.random.Generator) -> Array | None:
    for _ in range(_ATTEMPTS):
        rotation = _rotation(rng)
        fractional = rng.random(3)
        centre = fractional @ cell
        centre[2] = above_a + fractional[2] * (cell[2, 2] - above_a)
        positions: Array = atoms.positions @ rotation + centre
        if positions[:, 2].min() > above_a and _closest(positions, taken, cell) > CLOSEST_A:
            return positions
    return None


def _closest(first: Array, second: Array, cell: Array) -> float:
    """Smallest periodic distance; exact up to half of the smallest height of the cell."""
    vectors = first[:, None] - second
    vectors -= np.round(vectors @ np.linalg.inv(cell)) @ cell
    return float(np.linalg.norm(vectors, axis=2).min())


def _rotation(rng: np.random.Generator) -> Array:
    """A rotation, all equally likely: the orthogonal factor of a random matrix, with the signs of its triangle."""
    orthogonal, triangle = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = orthogonal * np.sign(triangle.diagonal())
    rotation: Array = turned * np.linalg.det(turned)
    return rotation
