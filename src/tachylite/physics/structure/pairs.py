"""Counting pairs of atoms in periodic cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import Frames, GroupSums
from tachylite.physics.neighbors import find_neighbors

_PAIRS_AT_ONCE = 50_000
_MOST_ATOMS_OF_ALL_PAIRS = 400
"""In larger cells a search tree is faster than looking at every pair."""


@dataclass(frozen=True)
class PairCounts:
    """Pairs of atoms in bins of distance, averaged over groups of consecutive frames."""

    symbols: list[str]
    """The elements, in alphabetical order."""
    n_of_kind: NDArray[np.int64]
    """Atoms of every element, shape (n_kinds,)."""
    edges_a: Array
    """Of the bins, from 0 on, shape (n_bins + 1,)."""
    pairs: Array
    """Shape (n_groups, n_kinds (n_kinds + 1) / 2, n_bins), kinds as by combinations_with_replacement."""
    volumes_a3: Array
    """Mean over each group, shape (n_groups,)."""
    shortest_lattice_vector_a: float
    """Over all frames."""
    n_frames: int


def count_pairs(frames: Frames, r_max_a: float = 8.0, bin_width_a: float = 0.05) -> PairCounts:
    """Count each pair of atoms, or of an atom and a periodic image, once, in equal bins of distance from 0 on.

    Every periodic image within `r_max_a` counts, also where that exceeds half the cell. Raises InputError for bins
    that make no g(r) and for frames that are not finite.
    """
    if not 0 < bin_width_a <= r_max_a:
        raise InputError(f"bins of {bin_width_a} A up to {r_max_a} A make no g(r); both must be positive")
    n_bins = max(round(r_max_a / bin_width_a), 1)
    edges_a = np.linspace(0.0, r_max_a, n_bins + 1)
    symbols, kinds = frames.symbols, frames.kinds
    n_kinds = len(symbols)
    offset = _kind_of_pair(n_kinds) * n_bins
    few = len(kinds) if len(kinds) <= _MOST_ATOMS_OF_ALL_PAIRS else 0
    first, second = np.triu_indices(few, 1)
    offset_of_pair = offset[kinds[first], kinds[second]]
    size = n_kinds * (n_kinds + 1) // 2 * n_bins
    # the volume goes with the pairs
    groups = GroupSums(size + 1)
    shortest, previous = np.inf, None
    for frame, cell in frames:
        if previous is None or not np.array_equal(cell, previous):
            images = _images(cell, float(edges_a[-1]))
            own_images = _own_pairs(images, kinds, offset.diagonal(), edges_a, size)
            shortest = min(shortest, _shortest_lattice_vector(cell))
            to_fractional = np.linalg.inv(cell)
            previous = cell
        sums = groups.next_frame()
        sums[size] += abs(np.linalg.det(cell))
        if len(kinds) > _MOST_ATOMS_OF_ALL_PAIRS:
            sums[:size] += _by_search(frame, cell, offset, kinds, edges_a, size)
            continue
        fractional = frame @ to_fractional
        sums[:size] += own_images
        for start in range(0, len(first), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            difference = fractional[second[part]] - fractional[first[part]]
            difference -= np.round(difference)
            sums[:size] += _histogram(difference @ cell, images, offset_of_pair[part], edges_a, size)
    means = groups.sums / groups.frames[:, None]
    return PairCounts(
        symbols=symbols,
        n_of_kind=np.bincount(kinds),
        edges_a=edges_a,
        pairs=means[:, :size].reshape(len(means), -1, n_bins),
        volumes_a3=means[:, size],
        shortest_lattice_vector_a=shortest,
        n_frames=int(groups.frames.sum()),
    )


def _kind_of_pair(n_kinds: int) -> NDArray[np.int64]:
    """Index of each pair of kinds in `PairCounts.pairs`, a symmetric table."""
    table = np.zeros((n_kinds, n_kinds), dtype=np.int64)
    upper = np.triu_indices(n_kinds)
    table[upper] = np.arange(len(upper[0]))
    return np.maximum(table, table.T)


def _images(cell: Array, radius_a: float) -> Array:
    """Lattice vectors, zero first, that bring some point of the cell around 0 to within a radius of 0."""
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    spans = [np.arange(-m, m + 1) for m in np.floor(radius_a / heights + 0.5).astype(int)]
    vectors = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3) @ cell
    lengths = np.linalg.norm(vectors, axis=1)
    corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, 8).T @ cell
    near = lengths <= radius_a + np.linalg.norm(corners, axis=1).max() + 1e-9
    order = np.argsort(lengths[near])
    nearest: Array = vectors[near][order]
    return nearest


def _shortest_lattice_vector(cell: Array) -> float:
    vectors = _images(cell, float(np.linalg.norm(cell, axis=1).min()))
    return float(np.linalg.norm(vectors[1], axis=0))


def _own_pairs(
    images: Array, kinds: NDArray[np.int64], offset_of_kind: NDArray[np.int64], edges_a: Array, size: int
) -> Array:
    """Pairs of every atom with its own images; each counts for half, as its opposite is the same pair."""
    lengths = np.linalg.norm(images[1:], axis=1)
    bins = (lengths[lengths < edges_a[-1]] / edges_a[1]).astype(np.int64)
    places = offset_of_kind[kinds][:, None] + bins
    return np.bincount(places.ravel(), minlength=size) / 2


def _by_search(
    positions: Array, cell: Array, offset: NDArray[np.int64], kinds: NDArray[np.int64], edges_a: Array, size: int
) -> Array:
    neighbors = find_neighbors(positions, cell, float(edges_a[-1]))
    bins = np.minimum((neighbors.distances_a / edges_a[1]).astype(np.int64), len(edges_a) - 2)
    return np.bincount(offset[kinds[neighbors.first], kinds[neighbors.second]] + bins, minlength=size) / 2


def _histogram(
    vectors: Array, images: Array, offsets: NDArray[np.int64], edges_a: Array, size: int
) -> NDArray[np.int64]:
    squares = np.einsum("pi,pi->p", vectors, vectors)[:, None] + np.einsum("mi,mi->m", images, images)
    squares += vectors @ (2 * images.T)
    pair, image = np.nonzero(squares < edges_a[-1] ** 2)
    distances = np.sqrt(np.maximum(squares[pair, image], 0.0))
    bins = np.minimum((distances / edges_a[1]).astype(np.int64), len(edges_a) - 2)
    counts: NDArray[np.int64] = np.bincount(offsets[pair] + bins, minlength=size)
    return counts
