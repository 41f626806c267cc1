"""How near the atoms of a packing are."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray


def smallest_distance_ratio(
    numbers: Sequence[int],
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    symbols: Sequence[str],
    diameters: NDArray[np.float64],
) -> float:
    """Smallest pair distance over its diameter, periodic images included; infinite where no pair is in reach.

    `positions` has shape (n, 3) and `cell` (3, 3), both in A; `symbols` and `diameters` come from
    `pair_diameters`. Pairs count up to 1.5 times the largest diameter.
    """
    reach = 1.5 * float(diameters.max())
    rows = np.array([symbols.index(chemical_symbols[number]) for number in numbers])
    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)
    first, second, distances = neighbor_list("ijd", atoms, reach)
    ratios = distances / diameters[rows[first], rows[second]]
    return float(ratios.min(initial=np.inf))
