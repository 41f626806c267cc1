"""Supercells of crystals that are nearly cubes."""

from itertools import combinations, product

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError

MAX_ATOMS = 100_000
"""Atoms of the largest supercell that is made."""

_LARGER = 1.35
"""How many times more atoms than asked for are taken for a cell that is closer to a cube."""

_EDGES = 100
"""Edges of cubes that are tried."""

_RIGHT_ANGLE = 0.1
"""Cosine of an angle that counts as a right one."""


def nearly_cubic_supercell(cell: Array, n_atoms: int, at_least: int) -> Array:
    """Choose the supercell of at least so many atoms whose shape is closest to a cube.

    Cubes with edges up to that of 1.35 times the atoms, along short lattice vectors at right angles, are approached by
    whole lattice vectors; of the supercells that hold enough atoms, the one with the longest smallest height at the
    volume that it has is taken, at equal shape the smaller one.

    Args:
        cell: Lattice vectors as rows, in A, (3, 3).
        n_atoms: Atoms in the cell.
        at_least: Atoms of the supercell.

    Returns:
        Lattice vectors of the supercell in those of the cell, integers, (3, 3); the identity where the cell is large
        enough.

    Raises:
        InputError: Where the supercell would have more than 100,000 atoms.

    """
    if n_atoms >= at_least:
        return np.eye(3, dtype=int)
    volume = abs(np.linalg.det(cell))
    best, best_rank = None, (np.inf, np.inf)
    smallest = (at_least / n_atoms * volume) ** (1 / 3)
    edges = smallest * np.linspace(0.9, _LARGER ** (1 / 3) + 0.1, _EDGES)
    for edge, axes in product(edges, _axes(cell)):
        matrix = np.rint(edge * axes @ np.linalg.inv(cell)).astype(int)
        cells = round(abs(np.linalg.det(matrix)))
        if not at_least <= cells * n_atoms <= max(_LARGER * at_least, at_least + n_atoms):
            continue
        rank = (round(_elongation(matrix @ cell), 3), cells)
        if rank < best_rank:
            best, best_rank = matrix, rank
    if best is None:  # a long cell, a few of which suffice: repeated along its shortest vectors
        best = _repeated(cell, n_atoms, at_least)
    size = round(abs(np.linalg.det(best))) * n_atoms
    if size > MAX_ATOMS:
        raise InputError(f"the supercell has {size:,} atoms, more than {MAX_ATOMS:,}; ask for fewer with --atoms")
    return best


def _axes(cell: Array) -> list[Array]:
    """Directions in which a cube may lie, rows of unit length, (3, 3): of pairs of short vectors at right angles."""
    vectors = np.array([v for v in product((-1, 0, 1), repeat=3) if v > (0, 0, 0)]) @ cell
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    axes = [np.eye(3)]
    for first, second in combinations(vectors, 2):
        if abs(first @ second) < _RIGHT_ANGLE:
            second = second - (first @ second) * first
            second /= np.linalg.norm(second)
            axes.append(np.array([first, second, np.cross(first, second)]))
    return axes


def _elongation(cell: Array) -> float:
    """Edge of the cube of the same volume over the smallest height; 1 for a cube."""
    volume = abs(np.linalg.det(cell))
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    return float(volume ** (1 / 3) / heights.min())


def _repeated(cell: Array, n_atoms: int, at_least: int) -> Array:
    repeats = np.ones(3, dtype=int)
    while n_atoms * repeats.prod() < at_least:
        heights = repeats / np.linalg.norm(np.linalg.inv(cell), axis=0)
        repeats[int(heights.argmin())] += 1
    return np.diag(repeats)
