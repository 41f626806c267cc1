r"""Voltages of an electrode from its energies at several contents of ions, against the metal of the ion.

    V = -[E(x2) - E(x1) - (x2 - x1) E_A] / ((x2 - x1) z e)

======  ==============================================================================
symbol  meaning
======  ==============================================================================
x       content: ions to a formula unit of the host
E(x)    energy of a formula unit of the host with its ions, in eV
E_A     energy of an atom of the metal of the ion, in eV
z e     charge of an ion
======  ==============================================================================

Energies stand for free energies: entropies and p V are left out (Aydinol et al. 1997, DOI 10.1103/PhysRevB.56.1354).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tachylite.errors import InputError
from tachylite.measured import FrozenModel


class VoltageStep(FrozenModel):
    """The mean voltage between two contents."""

    content_low: float
    content_high: float
    voltage_v: float


def voltage_steps(
    contents: Sequence[float], energies_ev: Sequence[float], metal_ev: float, charge: float
) -> list[VoltageStep]:
    """Mean voltages between neighbouring contents, from the smallest on; energies are those of a formula unit.

    Raises InputError for a charge that is not positive, numbers that are not finite, and a content given twice.
    """
    x, energies = _sorted(contents, energies_ev)
    if not charge > 0:
        raise InputError(f"charge {charge:g} of the ion must be positive")
    if not np.isfinite(metal_ev):
        raise InputError(f"energy {metal_ev} eV of the metal is not finite")
    return [
        VoltageStep(
            content_low=x[i],
            content_high=x[j],
            voltage_v=(metal_ev - (energies[j] - energies[i]) / (x[j] - x[i])) / charge,
        )
        for i, j in pairwise(range(len(x)))
    ]


def stable_contents(contents: Sequence[float], energies_ev: Sequence[float]) -> list[int]:
    """Positions of the contents on the lower convex hull of energy, from the smallest content to the largest.

    Between two of them both are there beside each other, at one voltage: a plateau. A content on the line between two
    others is left out. Raises InputError as `voltage_steps`.
    """
    x, energies = _sorted(contents, energies_ev)
    hull: list[int] = []
    for new in range(len(x)):
        while len(hull) > 1 and _is_above(x, energies, hull[-2], hull[-1], new):
            hull.pop()
        hull.append(new)
    order = np.argsort(contents, kind="stable")
    return [int(order[place]) for place in hull]


def _is_above(x: Sequence[float], energies: Sequence[float], left: int, middle: int, right: int) -> bool:
    """Whether a content lies on or above the line between two others."""
    before = (energies[middle] - energies[left]) * (x[right] - x[left])
    return before >= (energies[right] - energies[left]) * (x[middle] - x[left])


def _sorted(contents: Sequence[float], energies_ev: Sequence[float]) -> tuple[list[float], list[float]]:
    x, energies = np.asarray(contents, dtype=np.float64), np.asarray(energies_ev, dtype=np.float64)
    if x.shape != energies.shape or x.ndim != 1 or not np.isfinite(x).all() or not np.isfinite(energies).all():
        raise InputError(f"contents {list(contents)} and energies {list(energies_ev)} must be finite and equally many")
    order = np.argsort(x, kind="stable")
    x, energies = x[order], energies[order]
    if (twice := np.flatnonzero(np.diff(x) <= 0)).size:
        raise InputError(f"content {x[twice[0]]:g} is given twice; a voltage is between two contents")
    return x.tolist(), energies.tolist()
