"""Width of the straight path from a mobile atom to the nearest other one: distance of the atoms beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.descriptors.registry import Convention
from tachylite.physics.neighbors import Neighbors

_SAME_A = 1e-3
"""Distances that differ by less are equal; coordinates in files are rounded."""


@dataclass(frozen=True)
class PathWidths:
    """Distances from the path of each mobile atom to the atoms beside it, shape (n_mobile,) each.

    `surface_a`: distance to the nearest sphere, negative inside; `centre_a`: to the nearest centre;
    `electronegativity`: of the atom with the nearest sphere.
    """

    surface_a: Array
    centre_a: Array
    electronegativity: Array
    needed_reach_a: float
    """Neighbours up to this distance have to be known; inf where a mobile atom sees none of its kind."""


def nearest_distances(neighbors: Neighbors, pairs: NDArray[np.bool_], n_atoms: int) -> Array:
    """Distance in A of every atom to its nearest neighbour among some pairs, shape (n_atoms,); inf without any."""
    shortest = np.full(n_atoms, np.inf)
    np.minimum.at(shortest, neighbors.first[pairs], neighbors.distances_a[pairs])
    return shortest


def measure_paths(
    neighbors: Neighbors,
    mobile: NDArray[np.bool_],
    radii: Array,
    electronegativity: Array,
    convention: Convention = "exact",
) -> PathWidths:
    """Find the atoms nearest to the straight segment from each mobile atom to its nearest mobile neighbour.

    Takes neighbours in the order of their first atoms and, over the atoms, which are mobile, radii (A) and
    electronegativities, shape (n_atoms,). Both ends of the segment are left out, their periodic images are not. In the
    published convention an end in another cell counts as an image: it lies on the segment and is nearest to it.
    Where several mobile atoms are equally near, an atom's answer is the mean over them, and so it is over
    atoms beside the segment that are equally near.
    """
    mobile_atoms = np.flatnonzero(mobile)
    alike = mobile[neighbors.first] & mobile[neighbors.second]
    nearest = nearest_distances(neighbors, alike, len(mobile))
    if not np.isfinite(nearest[mobile_atoms]).all():
        unknown = np.full(len(mobile_atoms), np.nan)
        return PathWidths(unknown, unknown, unknown, np.inf)
    segments = np.flatnonzero(alike & (neighbors.distances_a <= nearest[neighbors.first] + _SAME_A))
    origin = neighbors.first[segments]
    starts = np.searchsorted(neighbors.first, np.arange(len(mobile) + 1))
    counts = np.diff(starts)[origin]
    begins = np.cumsum(counts) - counts
    segment = np.repeat(np.arange(len(segments)), counts)
    beside = np.arange(len(segment)) - begins[segment] + starts[origin][segment]

    lengths = neighbors.distances_a[segments]
    vectors, offsets = neighbors.vectors_a[segments][segment], neighbors.vectors_a[beside]
    along = np.einsum("pi,pi->p", vectors, offsets) / lengths[segment] ** 2
    centre = np.linalg.norm(offsets - np.clip(along, 0.0, 1.0)[:, None] * vectors, axis=1)
    is_end = beside == segments[segment]
    if convention == "zheng2024":
        is_end &= ~neighbors.images[beside].any(axis=1)
    centre[is_end] = np.inf
    surface = centre - radii[neighbors.second[beside]]

    lowest = np.minimum.reduceat(surface, begins)
    ties = (surface <= lowest[segment] + _SAME_A) & np.isfinite(surface)
    weights = np.bincount(segment, ties, minlength=len(segments))
    chi = np.bincount(segment, ties * electronegativity[neighbors.second[beside]], minlength=len(segments))

    segments_per_atom = np.bincount(origin, minlength=len(mobile))[mobile_atoms]

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(origin, values, minlength=len(mobile))[mobile_atoms] / segments_per_atom)

    return PathWidths(
        surface_a=mean(lowest),
        centre_a=mean(np.minimum.reduceat(centre, begins)),
        electronegativity=mean(chi / np.maximum(weights, 1)),
        # an atom beyond the reach is farther than the reach less the length from all of the segment
        needed_reach_a=float((lowest + lengths).max() + radii.max() + _SAME_A),
    )
