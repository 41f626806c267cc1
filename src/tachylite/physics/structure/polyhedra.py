"""Voronoi polyhedra: how the atoms of a metallic glass are surrounded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, Frames
from tachylite.physics.neighbors import find_images
from tachylite.physics.statistics import estimate_mean

_MOST_FRAMES = 20
_MOST_KINDS = 10
_FEWEST_EDGES, _MOST_EDGES = 3, 6

type Index = tuple[int, ...]
"""Numbers of faces with three, four, five, six and more edges."""


def polyhedron_name(index: Index) -> str:
    """The index as it is usually written, `<0,0,12,0>`."""
    return f"<{','.join(map(str, index))}>"


class PolyhedronFraction(FrozenModel):
    """A kind of Voronoi polyhedron, and how many of the atoms of an element have it."""

    index: Index
    """Numbers of faces with three, four, five and six edges, and of those with more where there are any: (0, 0, 12, 0)
    is an icosahedron of neighbours."""
    fraction: Measured


class VoronoiPolyhedra(FrozenModel):
    """Voronoi polyhedra around the atoms of one element."""

    center: str
    faces: Measured
    """Number of faces, a number of neighbours that needs no cutoff."""
    volume_a3: Measured
    polyhedra: list[PolyhedronFraction]
    """The ten most frequent kinds, the first the most frequent."""


def analyse_polyhedra(frames: Frames, n_frames: int) -> list[VoronoiPolyhedra]:
    """Count the Voronoi polyhedra around the atoms of each element, in at most 20 frames.

    The polyhedron of an atom is all that is nearer to it than to any other atom, whatever the elements (Finney 1970,
    DOI 10.1098/rspa.1970.0189); all faces count, however small. Errors are standard errors over frames; for fewer than
    four frames those of counting independent atoms. Raises InputError for two atoms at the same place.
    """
    stride = -(-n_frames // _MOST_FRAMES)
    chosen = [_polyhedra(*frame) for number, frame in enumerate(frames) if number % stride == 0]
    return [
        _statistics(symbol, [frame.of_atoms(frames.kinds == kind) for frame in chosen])
        for kind, symbol in enumerate(frames.symbols)
    ]


@dataclass(frozen=True)
class _Polyhedra:
    """Of the atoms of a frame."""

    indices: Sequence[Index]
    volumes_a3: Array
    """Shape (n_atoms,)."""

    def of_atoms(self, chosen: NDArray[np.bool_]) -> "_Polyhedra":
        return _Polyhedra([self.indices[i] for i in np.flatnonzero(chosen).tolist()], self.volumes_a3[chosen])


def _polyhedra(positions: Array, cell: Array) -> _Polyhedra:
    """Polyhedra of the atoms of a periodic cell; images are added until they can change none of them."""
    # three times the distance between neighbours is nearly always enough
    reach = 3 * float(abs(np.linalg.det(cell)) / len(positions)) ** (1 / 3)
    while True:
        diagram = Voronoi(find_images(positions, cell, reach).positions_a)
        needed = _needed_reach_a(diagram, len(positions))
        if needed <= reach:
            return _measured(diagram, len(positions))
        reach = 1.01 * min(needed, 2 * reach)


def _needed_reach_a(diagram: Voronoi, n_atoms: int) -> float:
    """Twice the distance from an atom to the farthest corner of its polyhedron: no atom beyond can cut it."""
    own = diagram.point_region[:n_atoms]
    if len(np.unique(own)) < n_atoms:
        raise InputError("two atoms are at the same place, where neither has a Voronoi polyhedron")
    farthest = 0.0
    for atom, region in enumerate(own):
        corners = diagram.regions[region]
        if -1 in corners:
            return np.inf
        away = diagram.vertices[corners] - diagram.points[atom]
        farthest = max(farthest, float((away**2).sum(axis=1).max()))
    return 2 * float(np.sqrt(farthest))


def _measured(diagram: Voronoi, n_atoms: int) -> _Polyhedra:
    """Faces by their number of edges, and volumes, of the first atoms of a diagram."""
    pairs = diagram.ridge_points
    near = np.flatnonzero((pairs < n_atoms).any(axis=1))
    edges = np.array([len(diagram.ridge_vertices[face]) for face in near])
    volumes, counts = np.zeros(n_atoms), np.zeros((n_atoms, _MOST_EDGES + 2), dtype=np.int64)
    for number in np.unique(edges):
        faces = near[edges == number]
        corners = diagram.vertices[[diagram.ridge_vertices[face] for face in faces]]
        ends = diagram.points[pairs[faces]]
        distances = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        # the corners of a face are in their order around it
        spokes = corners[:, 1:] - corners[:, :1]
        areas = np.linalg.norm(np.cross(spokes[:, :-1], spokes[:, 1:]).sum(axis=1), axis=1) / 2
        for end in (0, 1):
            atoms = pairs[faces, end]
            own = atoms < n_atoms
            np.add.at(volumes, atoms[own], areas[own] * distances[own] / 6)
            np.add.at(counts, (atoms[own], min(number, _MOST_EDGES + 1)), 1)
    by_edges = counts[:, _FEWEST_EDGES:].tolist()
    return _Polyhedra([tuple(row if row[-1] else row[:-1]) for row in by_edges], volumes)


def _statistics(symbol: str, frames: Sequence[_Polyhedra]) -> VoronoiPolyhedra:
    """Means over frames and their errors."""
    n_atoms = len(frames[0].indices)
    every = Counter(index for frame in frames for index in frame.indices)
    kinds = [index for index, _ in sorted(every.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_KINDS]]
    counts = np.array([[Counter(frame.indices)[kind] for kind in kinds] for frame in frames])
    shares = counts / n_atoms
    faces = np.array([[sum(index) for index in frame.indices] for frame in frames], dtype=np.float64)
    volumes = np.array([frame.volumes_a3 for frame in frames])
    if len(frames) < FEWEST_GROUPS:
        errors = np.sqrt(shares.mean(axis=0) * (1 - shares.mean(axis=0)) / len(frames) / n_atoms)
    else:
        errors = np.array([estimate_mean(series).error for series in shares.T])
    return VoronoiPolyhedra(
        center=symbol,
        faces=_mean(faces),
        volume_a3=_mean(volumes),
        polyhedra=[
            PolyhedronFraction(index=kind, fraction=Measured(value=float(share), error=float(error)))
            for kind, share, error in zip(kinds, shares.mean(axis=0), errors, strict=True)
        ],
    )


def _mean(values: Array) -> Measured:
    """Mean of values of shape (n_frames, n_atoms)."""
    if len(values) < FEWEST_GROUPS:
        return Measured(value=float(values.mean()), error=float(values.std() / values.size**0.5))
    return Measured(value=float(values.mean()), error=estimate_mean(values.mean(axis=1)).error)
