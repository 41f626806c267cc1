"""Level of theory of pw.x calculations, and the density of their k-mesh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

type Smearing = Literal["fermi-dirac", "gaussian", "methfessel-paxton", "marzari-vanderbilt"]

METAL_KSPACING, INSULATOR_KSPACING = 0.22, 0.44
"""Distances of k-points in 1/A, with 2 pi included, for no gap and for a wide one."""

CUTOFF_KSPACING = 0.6
"""Distance of k-points in 1/A at which the error of the cutoff is measured where no gap is asked for.

It is within 4 % of that at 0.22 for Al, LiF, CuZr and GeTe.
"""

_MAGNETIC = frozenset({"Cr", "Mn", "Fe", "Co", "Ni"})
"""Elements whose structures are computed with spin where nothing else is asked for; so is pure oxygen."""


@dataclass(frozen=True)
class LevelOfTheory:
    """What determines energies, forces and stresses, apart from the pseudopotentials; PBE throughout.

    `ecutwfc_ry` is the cutoff of the wave functions; `smearing_ev` the width of the `smearing`; `kspacing_per_a` the
    largest distance of k-points in 1/A with 2 pi included, as VASP's KSPACING (None: by the gap); `spin` whether spin
    is polarised (None: for magnetic elements and for pure oxygen).
    """

    ecutwfc_ry: Annotated[float, Field(gt=0)] = 80.0
    smearing: Smearing = "fermi-dirac"
    smearing_ev: Annotated[float, Field(gt=0)] = 0.05
    kspacing_per_a: Annotated[float, Field(gt=0)] | None = None
    spin: bool | None = None

    def is_spin_polarized(self, symbols: Sequence[str]) -> bool:
        """Whether spin is polarised for a structure of these elements."""
        if self.spin is not None:
            return self.spin
        return bool(_MAGNETIC & set(symbols)) or set(symbols) == {"O"}


def kspacing_for_gap(gap_ev: float) -> float:
    """Largest distance of k-points in 1/A for a band gap, from 0.22 for metals to 0.44 for wide gaps.

    The rule of the Materials Project (DOI 10.1103/PhysRevMaterials.6.013801), from Wisesa et al.
    (DOI 10.1103/PhysRevB.93.155109).
    """
    if gap_ev < 0.1:  # smeared levels at the Fermi energy leave small gaps on any mesh
        return METAL_KSPACING
    shortest_period_bohr = max(25.22 - 2.87 * gap_ev, 10.0)
    spacing = 2 * np.pi * 1.0265 / (shortest_period_bohr - 1.0183)
    return float(np.clip(spacing, METAL_KSPACING, INSULATOR_KSPACING))


def half_steps(mesh: tuple[int, int, int]) -> tuple[int, int, int]:
    """Shift of a mesh along its vectors in half steps: 1 for an even number of points, as Monkhorst and Pack have it.

    DOI 10.1103/PhysRevB.13.5188. An odd mesh with a shift would lack the symmetry of its lattice.
    """
    first, second, third = (1 - points % 2 for points in mesh)
    return first, second, third


def k_mesh(cell: ArrayLike, kspacing_per_a: float) -> tuple[int, int, int]:
    """Numbers of k-points along the reciprocal vectors of a cell (3, 3) in A; each at least 1."""
    reciprocal = 2 * np.pi * np.linalg.norm(np.linalg.inv(np.asarray(cell, dtype=float)), axis=0)
    first, second, third = (max(1, int(np.ceil(length / kspacing_per_a - 1e-6))) for length in reciprocal)
    return first, second, third
