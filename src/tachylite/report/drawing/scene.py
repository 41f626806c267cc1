"""Geometry of a structure to draw: wrapped atoms, half bonds, cell edges, colours and radii."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from pymatgen.core import Element

from tachylite.arrays import Array
from tachylite.schemas import State

type IntArray = NDArray[np.int64]

_BOND_TOLERANCE = 1.1
"""A bond is drawn up to this multiple of the sum of the covalent radii (DOI 10.1039/B801115J)."""


@dataclass(frozen=True)
class Scene:
    """Geometry and colours of a structure, for a renderer; lengths in A, the origin in the middle of the cell.

    `half_bonds` (M, 3) go from the atoms `bonded` (M,) to the middle of their bonds, also where the other
    atom is in the next cell; `edges` (12, 2, 3) are those of the cell.
    """

    positions: Array
    radii: Array
    kinds: IntArray
    """(N,) index into `symbols` and `colours`."""
    symbols: tuple[str, ...]
    colours: tuple[str, ...]
    counts: tuple[int, ...]
    bonded: IntArray
    half_bonds: Array
    edges: Array

    def as_data(self) -> dict[str, Any]:
        """Return the scene as JSON-ready data for the page, lengths rounded to 0.001 A."""
        return {
            "radii": np.round(self.radii, 3).tolist(),
            "kinds": self.kinds.tolist(),
            "symbols": list(self.symbols),
            "colours": list(self.colours),
            **self.moving_data(),
        }

    def moving_data(self) -> dict[str, Any]:
        """What of that differs between the frames of a trajectory."""
        return {
            "positions": np.round(self.positions, 3).tolist(),
            "bonded": self.bonded.tolist(),
            "halfBonds": np.round(self.half_bonds, 3).tolist(),
            "edges": np.round(self.edges, 3).tolist(),
        }


def scene(state: State) -> Scene:
    """Wrap the atoms of a state into the cell and find bonds; metals are not bonded to each other."""
    atoms = state.atoms
    atoms.wrap()
    numbers = np.asarray(atoms.numbers)
    species = sorted(set(numbers.tolist()), key=lambda number: chemical_symbols[number])
    kinds = np.array([species.index(number) for number in numbers.tolist()])
    cell = np.asarray(atoms.cell.array)
    middle = cell.sum(axis=0) / 2
    bonded, vectors = _bonds(atoms, species)
    return Scene(
        positions=np.asarray(atoms.positions) - middle,
        radii=np.asarray(covalent_radii[numbers]),
        kinds=kinds,
        symbols=tuple(chemical_symbols[number] for number in species),
        colours=tuple(_hex(jmol_colors[number]) for number in species),
        counts=tuple(int((kinds == kind).sum()) for kind in range(len(species))),
        bonded=bonded,
        half_bonds=vectors / 2,
        edges=_edges(cell) - middle,
    )


def _bonds(atoms: Any, kinds: list[int]) -> tuple[IntArray, Array]:
    cutoffs = {
        (a, b): _BOND_TOLERANCE * float(covalent_radii[a] + covalent_radii[b])
        for a, b in itertools.combinations_with_replacement(kinds, 2)
        if not (_is_metal(a) and _is_metal(b))
    }
    if not cutoffs:
        return np.empty(0, dtype=np.int64), np.empty((0, 3))
    bonded, vectors = neighbor_list("iD", atoms, cutoffs)
    return np.asarray(bonded, dtype=np.int64), np.asarray(vectors, dtype=float)


def _is_metal(number: int) -> bool:
    return number > 0 and bool(Element.from_Z(number).is_metal)


def _edges(cell: Array) -> Array:
    edges = []
    for axis in range(3):
        others = [vector for k, vector in enumerate(cell) if k != axis]
        for first, second in itertools.product((0, 1), repeat=2):
            start = first * others[0] + second * others[1]
            edges.append((start, start + cell[axis]))
    return np.array(edges)


def _hex(rgb: Array) -> str:
    red, green, blue = (round(255 * float(part)) for part in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"
