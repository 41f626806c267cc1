"""Voids between the atoms of a periodic structure, and its surfaces where it has some."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree, Voronoi

from tachylite.arrays import Array
from tachylite.physics.neighbors import find_images

VACUUM_A = 8.0
"""Width from which on a layer without atoms is the vacuum beside a slab, and no void: layers of graphite are 3.35 A
apart, and 7 to 8 with molecules between them."""

_ONE_VOID_A = 0.5
"""Centres that are nearer to each other are of one void."""

_ON_THE_FACE = 1e-9
"""Fractional coordinate below zero of what rounding has pushed over the face of the cell."""

_ON_THE_SURFACE_A = 1e-6
"""Depth of voids between the atoms of the surface itself, but for rounding."""


@dataclass(frozen=True)
class Voids:
    """Centres that are as far from the atoms around them as they can be, the largest void first."""

    centres_a: Array
    """Inside the cell, shape (n, 3)."""
    radii_a: Array
    """Distance to the nearest atoms, shape (n,)."""


def find_voids(positions: Array, cell: Array, smallest_a: float = 0.0) -> Voids:
    """Find the voids of a periodic structure of at least a radius: vertices of the Voronoi cells of its atoms.

    Takes positions (n_atoms, 3) and the cell (3, 3), lattice vectors as rows, in A. A vertex has four atoms or more at
    the same distance, and none nearer. Of vertices within 0.5 A of each other the largest counts. The vacuum beside a
    slab is no void.
    """
    # no point is farther from the images of one atom than half of the longest diagonal
    signs = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]])
    reach = float(np.linalg.norm(signs @ cell, axis=1).max()) / 2
    points = find_images(positions, cell, reach).positions_a
    vertices = Voronoi(points).vertices
    fractional = vertices @ np.linalg.inv(cell)
    inside = ((fractional >= -_ON_THE_FACE) & (fractional < 1 - _ON_THE_FACE)).all(axis=1)
    centres = vertices[inside]
    radii: Array = np.asarray(KDTree(points).query(centres)[0])
    large = radii >= smallest_a
    centres, radii = centres[large], radii[large]
    depths = depths_below_surface(positions, cell, centres)
    if depths is not None:
        below = depths > -_ON_THE_SURFACE_A
        centres, radii = centres[below], radii[below]
    # rounding must not decide which of equal voids comes first
    order = np.lexsort((*np.round(centres, 3).T, -np.round(radii, 6)))
    return _distinct(Voids(centres[order], radii[order]), cell)


def _distinct(voids: Voids, cell: Array) -> Voids:
    """Those that are no part of a larger one."""
    if not len(voids.radii_a):
        return voids
    images = find_images(voids.centres_a, cell, _ONE_VOID_A)
    tree = KDTree(images.positions_a)
    kept: list[int] = []
    is_free = np.ones(len(voids.radii_a), dtype=bool)
    for void, centre in enumerate(images.positions_a[: len(is_free)]):
        if is_free[void]:
            kept.append(void)
            is_free[images.atoms[tree.query_ball_point(centre, _ONE_VOID_A)]] = False
    return Voids(voids.centres_a[kept], voids.radii_a[kept])


def depths_below_surface(positions: Array, cell: Array, points: Array) -> Array | None:
    """Distance in A of points to the nearer surface of a slab, negative in the vacuum; None where there is no vacuum.

    Takes positions (n_atoms, 3), the cell (3, 3), lattice vectors as rows, and points (n, 3), in A. A slab has a layer
    of at least 8 A without atoms, parallel to a face of the cell; the widest one counts.
    """
    to_fractional = np.linalg.inv(cell)
    heights = 1 / np.linalg.norm(to_fractional, axis=0)
    along = np.sort(positions @ to_fractional % 1.0, axis=0)
    gaps = np.diff(along, axis=0, append=along[:1] + 1.0)
    axis = int(np.argmax(gaps.max(axis=0) * heights))
    widest = int(np.argmax(gaps[:, axis]))
    height, gap = float(heights[axis]), float(gaps[widest, axis])
    if gap * height < VACUUM_A:
        return None
    # the gap ends at the lower surface
    above_lower: Array = (points @ to_fractional[:, axis] - along[widest, axis] - gap) % 1.0
    to_upper = 1.0 - gap - above_lower
    # in the vacuum the lower surface comes again one period above
    depths: Array = height * np.where(
        to_upper >= 0, np.minimum(above_lower, to_upper), -np.minimum(-to_upper, gap + to_upper)
    )
    return depths
