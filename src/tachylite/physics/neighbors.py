"""Neighbours within a distance in periodic cells of any shape."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from tachylite.arrays import Array

type Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbors:
    """Pairs of neighbours, in the order of the first atoms; every pair is there twice, once in each direction."""

    first: Integers
    """Shape (n,), as are `second` and `distances_a`."""
    second: Integers
    images: Integers
    """Lattice translations of the second atom, if both are wrapped into the cell, in lattice vectors, shape (n, 3)."""
    vectors_a: Array
    """From the first atom to the second, shape (n, 3)."""
    distances_a: Array

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Neighbors":
        return Neighbors(
            self.first[chosen],
            self.second[chosen],
            self.images[chosen],
            self.vectors_a[chosen],
            self.distances_a[chosen],
        )


@dataclass(frozen=True)
class Images:
    """Atoms of a cell, in their order, and after them their periodic images around it."""

    positions_a: Array
    """Shape (n, 3)."""
    atoms: Integers
    """Which atom each is an image of, shape (n,)."""
    shifts: Integers
    """Lattice translations from the atom in the cell, in lattice vectors, shape (n, 3)."""


def find_images(positions: Array, cell: Array, reach_a: float) -> Images:
    """Wrap atoms into the cell, and add all images up to a distance from its faces; it may exceed the cell.

    Takes positions (n_atoms, 3) and the cell (3, 3), lattice vectors as rows, in A.
    """
    to_fractional = np.linalg.inv(cell)
    fractional = positions @ to_fractional
    fractional -= np.floor(fractional)
    reach = reach_a * np.linalg.norm(to_fractional, axis=0)
    spans = [range(-n, n + 1) for n in np.ceil(reach).astype(int)]
    shifts = np.array(sorted(product(*spans), key=lambda shift: any(shift)))
    shifted = fractional[None] + shifts[:, None]
    near = ((shifted >= -reach) & (shifted <= 1 + reach)).all(axis=2)
    image, atom = np.nonzero(near)
    return Images(shifted[near] @ cell, atom, shifts[image])


def find_neighbors(positions: Array, cell: Array, cutoff_a: float) -> Neighbors:
    """Find all pairs of atoms, and of atoms and periodic images, nearer than a cutoff; it may exceed the cell.

    Takes positions (n_atoms, 3), wrapped or not, and the cell (3, 3), lattice vectors as rows, in A.
    """
    images = find_images(positions, cell, cutoff_a)
    # the atoms of the cell itself come first, so that atom and number agree for them
    points, home = images.positions_a, images.positions_a[: len(positions)]
    pairs = KDTree(home).sparse_distance_matrix(KDTree(points), cutoff_a, output_type="ndarray")
    pairs = pairs[pairs["i"] != pairs["j"]]
    pairs = pairs[np.argsort(pairs["i"], kind="stable")]
    first, point = pairs["i"].astype(np.int64), pairs["j"]
    return Neighbors(first, images.atoms[point], images.shifts[point], points[point] - home[first], pairs["v"])
