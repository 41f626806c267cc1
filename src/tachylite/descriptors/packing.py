"""Volume of a union of spheres in a periodic cell, exact."""

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.physics.neighbors import Neighbors, find_neighbors

type Mask = NDArray[np.bool_]

_EXACT = 1e-11
"""Distance in A below which two planes coincide; offsets of 0 become this, so that nothing lies on a plane."""

_CLIPS_AT_ONCE = 2_000_000
"""Pairs of lines that are clipped at once; more would fill the memory."""


def union_volume(positions: Array, radii: Array, cell: Array) -> float:
    r"""Volume in A^3 inside any of the spheres and their periodic images, within one cell.

    The power diagram cuts the union into one ball per atom, bounded by planes and by what is left of its
    sphere; the divergence theorem turns the volume of each piece into areas, and these into sums over edges:

    $$ V = \frac{1}{3} \sum_i \Big( r_i A_i + \sum_j d_{ij} F_{ij} \Big), \quad
       A_i = r_i^2 \Big( 4 \pi [c_i] - \sum_j \mathrm{sign}(d_{ij}) \Omega_{ij} \Big), \quad
       d_{ij} = \frac{D_{ij}^2 + r_i^2 - r_j^2}{2 D_{ij}} $$

    $$ F_{ij} = \frac{1}{2} \rho_{ij}^2 \psi_{ij} + \frac{1}{2} \sum_k e_k (t'_k - t_k), \quad
       \Omega_{ij} = \psi_{ij} \Big( 1 - \frac{|d_{ij}|}{r_i} \Big)
       + \sum_k \Big[ \arctan \frac{t}{e_k} - \arctan \frac{|d_{ij}| t}{e_k \sqrt{d_{ij}^2 + e_k^2 + t^2}}
       \Big]_{t_k}^{t'_k} $$

    | symbol | meaning |
    |---|---|
    | r_i, D_ij | radius of a sphere; distance between two centres |
    | d_ij | height of centre i over the plane that it shares with j; rho_ij^2 = r_i^2 - d_ij^2 |
    | c_i | whether centre i lies in its own piece |
    | A_i, F_ij | area of what is left of the sphere, and of the face towards j |
    | Omega_ij | solid angle of that face, seen from centre i |
    | e_k, t_k, t'_k | distance of an edge of the face from the foot of centre i; where it begins and ends |
    | psi_ij | angle of the arcs that bound the face: 2 pi (if the foot is inside) less those of the edges |

    Takes positions (n, 3), radii (n,) and the cell (3, 3), lattice vectors as rows, all in A. The error is
    that of rounding, about 1e-12 of the volume (of degenerate crystals 1e-9). The decomposition is that of
    Edelsbrunner, DOI 10.1007/BF02574381.
    """
    neighbors = find_neighbors(positions, cell, 2 * float(radii.max()))
    normals, offsets, real, alive = _planes(neighbors, radii)
    most = max(normals.shape[1], 1)
    at_once = max(_CLIPS_AT_ONCE // most**3, 1)
    total = 0.0
    for start in range(0, len(radii), at_once):
        part = slice(start, start + at_once)
        pieces = _pieces(normals[part], offsets[part], real[part], radii[part])
        total += float(pieces[alive[part]].sum())
    return total


def _planes(neighbors: Neighbors, radii: Array) -> tuple[Array, Array, Mask, Mask]:
    """Planes that bound each ball, padded: normals (n, m, 3), heights (n, m), which are real, which balls remain."""
    r, other = radii[neighbors.first], radii[neighbors.second]
    distance = neighbors.distances_a
    # of spheres that coincide the first remains
    same = (distance < _EXACT) & (np.abs(r - other) < _EXACT)
    buried = (distance + r <= other) & ~same | same & (neighbors.second < neighbors.first)
    alive = np.ones(len(radii), dtype=np.bool_)
    alive[neighbors.first[buried]] = False
    height = (distance**2 + r**2 - other**2) / (2 * np.maximum(distance, _EXACT))
    cuts = (height < r) & (distance < r + other) & (distance > _EXACT)
    cuts &= alive[neighbors.first] & alive[neighbors.second]
    first = neighbors.first[cuts]
    counts = np.bincount(first, minlength=len(radii))
    column = np.arange(len(first)) - (np.cumsum(counts) - counts)[first]
    shape = (len(radii), int(counts.max()))
    normals, heights, real = np.zeros((*shape, 3)), np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    normals[first, column] = neighbors.vectors_a[cuts] / distance[cuts][:, None]
    heights[first, column] = _off_zero(height[cuts])
    real[first, column] = True
    return normals, heights, real, alive


def _pieces(normals: Array, heights: Array, real: Mask, radii: Array) -> Array:
    """Volume of each ball within its planes, shape (n,)."""
    areas, angles = _faces(normals, heights, real, radii)
    inside = (~real | (heights > 0)).all(axis=1)
    solid = (np.sign(heights) * angles).sum(axis=1)
    sphere = radii**2 * (4 * np.pi * inside - solid)
    pieces: Array = (radii * sphere + (heights * areas).sum(axis=1)) / 3
    return pieces


def _faces(normals: Array, heights: Array, real: Mask, radii: Array) -> tuple[Array, Array]:
    """Area of each face, and its solid angle from the centre, shape (n, m) each; 0 where there is none."""
    cosine = np.einsum("nji,nki->njk", normals, normals)
    pairs = real[:, :, None] & real[:, None, :] & ~np.eye(real.shape[1], dtype=np.bool_)
    sine = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    parallel = pairs & (sine < 1e-9)
    room = heights[:, None, :] - heights[:, :, None] * cosine
    earlier = np.tri(real.shape[1], k=-1, dtype=np.bool_)
    outside = parallel & ((room < -_EXACT) | (room <= _EXACT) & earlier & (cosine > 0))
    lines = pairs & ~parallel
    sine = np.where(lines, sine, 1.0)
    edge = np.where(lines, _off_zero(room / sine), np.inf)
    rho = np.sqrt(np.maximum(radii[:, None] ** 2 - heights**2, 0.0))
    outside |= lines & (edge <= -rho[:, :, None])
    exists = real & ~outside.any(axis=2)
    outward = (normals[:, None, :, :] - cosine[..., None] * normals[:, :, None, :]) / sine[..., None]
    along = np.cross(normals[:, :, None, :], outward)
    chord = exists[:, :, None] & lines & (np.abs(edge) < rho[:, :, None])
    begin, end = _clip(edge, outward, along, chord, lines, rho)
    offset = np.where(chord, edge, 1.0)
    height = np.abs(heights)[:, :, None]
    angle_begin, solid_begin = _triangle(offset, begin, height)
    angle_end, solid_end = _triangle(offset, end, height)
    foot = ~(lines & (edge < 0)).any(axis=2)
    arcs = 2 * np.pi * foot - (angle_end - angle_begin).sum(axis=2)
    arcs = np.where(exists, arcs, 0.0)
    area = (rho**2 * arcs + (np.where(chord, edge, 0.0) * (end - begin)).sum(axis=2)) / 2
    solid = arcs * (1 - np.abs(heights) / radii[:, None]) + (solid_end - solid_begin).sum(axis=2)
    return area, solid


def _clip(edge: Array, outward: Array, along: Array, chord: Mask, lines: Mask, rho: Array) -> tuple[Array, Array]:
    """Where on its line each edge begins and ends, shape (n, m, m); both 0 where nothing is left of it."""
    half = np.sqrt(np.where(chord, rho[:, :, None] ** 2 - np.where(chord, edge, 0.0) ** 2, 0.0))
    begin, end = -half, half.copy()
    atom, face, line = np.nonzero(chord)
    cosine = np.einsum("cmi,ci->cm", outward[atom, face], outward[atom, face, line])
    sine = np.einsum("cmi,ci->cm", outward[atom, face], along[atom, face, line])
    limit = edge[atom, face]
    others = lines[atom, face] & (np.arange(edge.shape[2]) != line[:, None])
    room = np.where(others, limit, 0.0) - edge[atom, face, line][:, None] * cosine
    steep = np.abs(sine) > 1e-9
    at = room / np.where(steep, sine, 1.0)
    low, high = begin[atom, face, line], end[atom, face, line]
    low = np.maximum(low, np.where(others & steep & (sine < 0), at, -np.inf).max(axis=1, initial=-np.inf))
    high = np.minimum(high, np.where(others & steep & (sine > 0), at, np.inf).min(axis=1, initial=np.inf))
    # of two lines that coincide the first is kept
    earlier = np.arange(edge.shape[2]) < line[:, None]
    gone = others & ~steep & ((room < -_EXACT) | (room <= _EXACT) & earlier & (cosine > 0))
    left = (low < high) & ~gone.any(axis=1)
    begin[atom, face, line] = np.where(left, low, 0.0)
    end[atom, face, line] = np.where(left, high, 0.0)
    return begin, end


def _triangle(edge: Array, along: Array, height: Array) -> tuple[Array, Array]:
    """Angle, and solid angle from a height above, of the right triangle with these legs; signed."""
    sign, leg = np.sign(edge), np.abs(edge)
    angle = sign * np.arctan2(along, leg)
    hidden = sign * np.arctan2(height * along, leg * np.sqrt(height**2 + leg**2 + along**2))
    return angle, angle - hidden


def _off_zero(lengths: Array) -> Array:
    """Replace lengths of 0 by a tiny positive one."""
    moved: Array = np.where(np.abs(lengths) < _EXACT, _EXACT, lengths)
    return moved
