"""Smallest distances between atoms that a random packing may have."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from tachylite.physics.volume import electronegativity

_ANION_RADII = {
    "H": 1.40, "N": 1.46, "O": 1.40, "F": 1.33, "S": 1.84, "Cl": 1.81, "Se": 1.98, "Br": 1.96, "Te": 2.21, "I": 2.20,
}  # fmt: skip
"""Radii of anions in A (Shannon 1976, DOI 10.1107/S0567739476001551; H- as in LiH)."""

_NOBLE_RADII = {"He": 1.40, "Ne": 1.54, "Ar": 1.88, "Kr": 2.02, "Xe": 2.16, "Rn": 2.20}
"""Van der Waals radii in A (Bondi 1964, DOI 10.1021/j100785a001; Rn: Mantina 2009, DOI 10.1021/jp8111556)."""

_CLOSED_SHELL_APPROACH = 0.85
"""Closed shells come as near as about 0.85 of the sum of their radii (O-O 2.4 A in PO4, Ar-Ar 3.2 A)."""

_IONIC_DIFFERENCE = 0.3
"""Difference in electronegativity to the most electropositive element from which on an element is an anion."""

_LARGEST_PACKING_FRACTION = 0.5
"""Far enough below random close packing, 0.64, that spheres find places without overlaps."""


def pair_diameters(counts: Mapping[str, int], volume_a3: float) -> tuple[list[str], NDArray[np.float64]]:
    """Choose how near the atoms of each pair of elements may come in a random packing.

    Sums of covalent radii (Cordero 2008, DOI 10.1039/b801115j); anions and noble gases keep apart among
    themselves by their size as closed shells. Where the spheres would fill more than half of the volume,
    all diameters shrink by one factor. They fill

        eta = (pi / 6) (N / V) sum_ij x_i x_j d_ij^3

    =======  ====================================================
    N / V    number density, in 1/A^3
    x_i      atomic fraction of element i
    d_ij     diameter of the pair i, j, in A
    =======  ====================================================

    Returns the element symbols in alphabetical order and the diameters in A, shape (elements, elements).
    """
    symbols = sorted(counts)
    total = sum(counts.values())
    fractions = np.array([counts[symbol] / total for symbol in symbols])
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    diameters = np.add.outer(radii, radii)
    for (i, first), (j, second) in product(_closed_shells(symbols, fractions), repeat=2):
        diameters[i, j] = _CLOSED_SHELL_APPROACH * (first + second)
    filling = np.pi / 6 * total / volume_a3 * float(fractions @ diameters**3 @ fractions)
    return symbols, diameters * min(1.0, (_LARGEST_PACKING_FRACTION / filling) ** (1 / 3))


def _closed_shells(symbols: Sequence[str], fractions: NDArray[np.float64]) -> list[tuple[int, float]]:
    """Indices in `symbols`, and radii in A, of anions and noble gases."""
    chi = np.array([electronegativity(symbol) for symbol in symbols])
    floor = max(float(fractions @ chi), float(chi.min()) + _IONIC_DIFFERENCE)
    shells = {row: _NOBLE_RADII[symbol] for row, symbol in enumerate(symbols) if symbol in _NOBLE_RADII}
    shells |= {row: _ANION_RADII[s] for row, s in enumerate(symbols) if s in _ANION_RADII and chi[row] >= floor}
    return list(shells.items())
