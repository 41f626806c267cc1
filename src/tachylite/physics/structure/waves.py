"""Density waves: the Fourier transform of the atoms' positions at the wave vectors of a periodic cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array

type Integers = NDArray[np.int64]

_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Waves:
    """Fourier amplitudes of the density of each kind of atom at some wave vectors."""

    q_per_a: Array
    """Lengths of the wave vectors, shape (n,)."""
    weights: Array
    """How many wave vectors each represents, itself and those left out, shape (n,)."""
    amplitudes: NDArray[np.complexfloating[Any, Any]]
    """sum_j exp(i Q r_j), shape (n_kinds, n)."""


def density_waves(
    positions: Array,
    cell: Array,
    kinds: Integers,
    q_max_per_a: float,
    share: float,
    all_up_to_per_a: float,
    generator: np.random.Generator,
) -> Iterator[Waves]:
    """Fourier amplitudes of the density at the wave vectors of a periodic cell up to a length, block by block.

    The wave vectors are h b1 + k b2 + l b3 with the b reciprocal to the cell, without zero, and one of every two that
    are opposite. Takes positions (n_atoms, 3) and the cell (3, 3), lattice vectors as rows, in A.

    The phase factor of h, k, l is the product of three powers, so that the sum over atoms becomes a product of
    matrices: one over (h, k) and atoms, one over atoms and l >= 0. Of the lines (h, k) of wave vectors that pass the
    origin farther away than `all_up_to_per_a` only a fraction `share` is computed, and counts for more. Single
    precision is enough: the amplitudes are wrong by 1e-6 of the number of atoms.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    phases = 2 * np.pi * (positions @ np.linalg.inv(cell))
    # |h| <= q_max |a1| / 2 pi, and so on
    h_max, k_max, l_max = np.floor(q_max_per_a * np.linalg.norm(cell, axis=1) / (2 * np.pi) + 1e-9).astype(int)
    order = np.argsort(kinds, kind="stable")
    starts = np.searchsorted(kinds[order], np.arange(int(kinds.max()) + 2))
    x, y, z = (_powers(phases[order, axis], n) for axis, n in enumerate((h_max, k_max, l_max)))
    h, k = (grid.ravel() for grid in np.mgrid[-h_max : h_max + 1, -k_max : k_max + 1])
    along = reciprocal[2] / np.linalg.norm(reciprocal[2])
    base = h[:, None] * reciprocal[0] + k[:, None] * reciprocal[1]
    distances = np.linalg.norm(base - (base @ along)[:, None] * along, axis=1)
    far = distances > all_up_to_per_a
    chosen = np.flatnonzero((distances <= q_max_per_a) & (~far | (generator.random(len(h)) < share)))
    # lines at like distances have like numbers of wave vectors
    chosen = chosen[np.argsort(distances[chosen])]
    levels = np.arange(l_max + 1)
    at_once = max(_NUMBERS_AT_ONCE // max(len(kinds), len(levels)), 1)
    for start in range(0, len(chosen), at_once):
        lines = chosen[start : start + at_once]
        lengths = np.sqrt(((base[lines, None] + levels[:, None] * reciprocal[2]) ** 2).sum(axis=2))
        half = (levels > 0) | ((k[lines] > 0) | ((k[lines] == 0) & (h[lines] > 0)))[:, None]
        inside = (lengths <= q_max_per_a) & half
        top = int(np.flatnonzero(inside.any(axis=0)).max(initial=0)) + 1
        factors = x[h[lines]] * y[k[lines]]
        amplitudes = [(factors[:, i:j] @ z[:top, i:j].T)[inside[:, :top]] for i, j in pairwise(starts)]
        weights = np.broadcast_to(np.where(far[lines], 1 / share, 1.0)[:, None], inside.shape)
        yield Waves(lengths[inside], weights[inside], np.array(amplitudes))


def _powers(phases: Array, n: int) -> NDArray[np.complex64]:
    """exp(i m phase), (2 n + 1, n_atoms), for m from 0 to n, then from -n to -1: row m also where m is negative."""
    powers = np.append(np.arange(n + 1), np.arange(-n, 0))
    return np.exp(1j * powers[:, None] * phases).astype(np.complex64)
