"""Primitive rings of networks: how many rings of which size a vertex has."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, Frames
from tachylite.physics.neighbors import Neighbors
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.bonds import bonds_within, cutoff_table

type Node = tuple[int, int, int, int]
"""An atom and, in three integers, the periodic image of the cell that it is in."""

_LARGEST = 10
_MOST_FRAMES = 20
_MOST_BONDS_OF_A_BRIDGE = 2.5
_MOST_BONDS = 6.5


class RingStatistics(FrozenModel):
    """Primitive rings of a network, per vertex of it, means over frames."""

    network: str
    """The elements of the vertices and, in brackets, of the bridges between them, like `Si(O)`."""
    n_vertices: int
    rings_per_vertex: dict[int, Measured]
    """By the number of vertices in the ring, from 2 (two bridges between the same vertices) to 10."""


def analyse_rings(frames: Frames, n_frames: int, cutoffs_a: Mapping[str, float]) -> RingStatistics:
    """Count the primitive rings of the network of bonds up to given distances in A, in at most 20 frames.

    A ring is primitive where no two of its vertices have a shorter path between them than along the ring
    (shortest-path ring; Franzblau, DOI 10.1103/PhysRevB.44.4925). An element with fewer than 2.5 bonds is a
    bridge between vertices where another element has more; the size of a ring is the number of its vertices.
    A ring counts once in a cell, divided by the number of vertices there. Paths go through the faces of the
    cell, so that any cell is large enough. Errors are standard errors over frames; for fewer than four
    frames those of counting.

    Raises InputError for bonds that are no network: more than 6.5 an atom, or none.
    """
    table, kinds = cutoff_table(cutoffs_a, frames.symbols), frames.kinds
    is_vertex = _vertices(bonds_within(*next(iter(frames)), kinds, table), frames)
    stride = -(-n_frames // _MOST_FRAMES)
    chosen = (frame for index, frame in enumerate(frames) if index % stride == 0)
    counts = [_count(_Network(bonds_within(*frame, kinds, table), is_vertex[kinds])) for frame in chosen]
    n_vertices = int(is_vertex[kinds].sum())
    return _statistics(np.array(counts) / n_vertices, n_vertices, _name(is_vertex, frames.symbols, table))


def _vertices(bonds: Neighbors, frames: Frames) -> NDArray[np.bool_]:
    """Whether each kind of atom is a vertex of the network rather than a bridge, shape (n_kinds,)."""
    kinds = frames.kinds
    n_bonds = np.bincount(kinds[bonds.first], minlength=len(frames.symbols)) / np.bincount(kinds)
    if not 0 < n_bonds.max() <= _MOST_BONDS:
        raise InputError(f"{n_bonds.max():.1f} bonds an atom make no network; rings need other cutoffs")
    bridges = (n_bonds <= _MOST_BONDS_OF_A_BRIDGE) & (n_bonds.max() > _MOST_BONDS_OF_A_BRIDGE)
    return np.asarray((n_bonds > 0) & ~bridges)


def _name(is_vertex: NDArray[np.bool_], symbols: list[str], table: Array) -> str:
    bridges = [
        symbol
        for symbol, bonded, vertex in zip(symbols, table.any(axis=1), is_vertex, strict=True)
        if bonded and not vertex
    ]
    vertices = "-".join(symbol for symbol, vertex in zip(symbols, is_vertex, strict=True) if vertex)
    return f"{vertices}({','.join(bridges)})" if bridges else vertices


def _statistics(counts: Array, n_vertices: int, network: str) -> RingStatistics:
    """Means and errors of rings per vertex, shape (n_frames, 9), over frames."""
    means = counts.mean(axis=0)
    if len(counts) < FEWEST_GROUPS:
        errors = np.sqrt(means / n_vertices / len(counts))
    else:
        errors = np.array([estimate_mean(series).error for series in counts.T])
    return RingStatistics(
        network=network,
        n_vertices=n_vertices,
        rings_per_vertex={
            size: Measured(value=mean, error=error)
            for size, mean, error in zip(range(2, _LARGEST + 1), means.tolist(), errors.tolist(), strict=True)
        },
    )


class _Network:
    """Vertices linked by a bond or a bridge, through the faces of the cell, and distances along the links."""

    def __init__(self, bonds: Neighbors, is_vertex: NDArray[np.bool_]) -> None:
        self.vertices = np.flatnonzero(is_vertex).tolist()
        around: dict[int, list[Node]] = defaultdict(list)
        for first, second, image in zip(
            bonds.first.tolist(), bonds.second.tolist(), bonds.images.tolist(), strict=True
        ):
            around[first].append((second, *image))
        self.links: dict[int, dict[Node, set[Node]]] = {vertex: defaultdict(set) for vertex in self.vertices}
        for vertex in self.vertices:
            for node in around[vertex]:
                if is_vertex[node[0]]:
                    self.links[vertex][node].add(node)
                    continue
                for far in (_moved(other, node) for other in around[node[0]]):
                    if is_vertex[far[0]] and far != (vertex, 0, 0, 0):
                        self.links[vertex][far].add(node)
        self.distances = {vertex: self._distances(vertex) for vertex in self.vertices}

    def neighbors(self, node: Node) -> Iterator[Node]:
        return (_moved(other, node) for other in self.links[node[0]])

    def distance(self, node: Node, other: Node) -> int:
        """Links between two nodes; 10, the size of the largest ring, for all that are more than 5 apart."""
        return self.distances[node[0]].get(_seen_from(node, other), _LARGEST)

    def _distances(self, vertex: int) -> dict[Node, int]:
        distances = {(vertex, 0, 0, 0): 0}
        shell = list(distances)
        for distance in range(1, _LARGEST // 2 + 1):
            reached = []
            for node in shell:
                for other in self.neighbors(node):
                    if other not in distances:
                        distances[other] = distance
                        reached.append(other)
            shell = reached
        return distances


def _count(network: _Network) -> list[float]:
    """Rings in the cell by size, from 2 on; every ring is found from each of its vertices."""
    rings: Counter[int] = Counter()
    for vertex in network.vertices:
        root = (vertex, 0, 0, 0)
        rings[2] += sum(len(bridges) * (len(bridges) - 1) // 2 for bridges in network.links[vertex].values())
        for node, distance in network.distances[vertex].items():
            if distance > 0:
                rings[2 * distance] += _rings_to(network, root, node, distance)
                if 2 * distance < _LARGEST:
                    rings[2 * distance + 1] += _odd_rings_to(network, root, node, distance)
    return [rings[size] / size for size in range(2, _LARGEST + 1)]


def _rings_to(network: _Network, root: Node, node: Node, distance: int) -> int:
    """Primitive rings with an even number of vertices in which a node is opposite to the root."""
    paths = list(_paths(network, root, node, distance))
    return sum(
        not set(path[1:-1]) & set(other[1:-1])
        and all(network.distance(path[k], other[distance - k]) == distance for k in range(1, distance))
        for path, other in combinations(paths, 2)
    )


def _odd_rings_to(network: _Network, root: Node, node: Node, distance: int) -> int:
    """Primitive rings with an odd number of vertices in which a node and one of its neighbours are farthest."""
    count = 0
    for other_end in network.neighbors(node):
        if not node < other_end or network.distance(root, other_end) != distance:
            continue
        for path in _paths(network, root, node, distance):
            for other in _paths(network, root, other_end, distance):
                count += not set(path[1:]) & set(other[1:]) and _is_primitive(network, [*path, *other[:0:-1]])
    return count


def _is_primitive(network: _Network, ring: list[Node]) -> bool:
    half = len(ring) // 2
    if len(ring) == 3:
        # three vertices around one bridge are no ring
        shared = [network.links[a[0]][_seen_from(a, b)] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
        places = [
            {_moved(bridge, (0, *node[1:])) for bridge in bridges} for bridges, node in zip(shared, ring, strict=True)
        ]
        return len(set.union(*places)) >= 3
    return all(network.distance(ring[k - half], ring[k]) == half for k in range(len(ring)))


def _paths(network: _Network, root: Node, node: Node, distance: int) -> Iterator[list[Node]]:
    """All shortest paths from the root to a node."""
    if distance == 0:
        yield [root]
        return
    for before in network.neighbors(node):
        if network.distance(root, before) == distance - 1:
            for path in _paths(network, root, before, distance - 1):
                yield [*path, node]


def _moved(node: Node, by: Node) -> Node:
    return node[0], node[1] + by[1], node[2] + by[2], node[3] + by[3]


def _seen_from(node: Node, other: Node) -> Node:
    """Another node, in cells counted from that of a node."""
    return other[0], other[1] - node[1], other[2] - node[2], other[3] - node[3]
