"""What ends a member before its time: the run would go on, but its numbers would mean nothing."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

type Limit = Annotated[float, Field(gt=0)]
"""Infinite for no limit."""


@dataclass(frozen=True)
class Guards:
    """Limits of a healthy member; beyond one of them it ends with its reason and its last good state.

    Measured at 5000 K in steps of 2 fs with CHGNet 0.3.0 (Li3PO4, SiO2, NaCl, Al2O3, Cu20Zr12 and UO2, 30 to
    32 atoms), and over 1,000 structures of its training set, MPtrj (DOI 10.1038/s42256-023-00716-3): melts
    stayed below 33 eV/A and 0.9 sqrt(N) eV a step and above 0.50 covalent radii; the training set reaches
    83 eV/A and 0.59 covalent radii.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    temperature_factor: Limit = 3.0
    """Times the highest target temperature of the request, and at least `temperature_margin_k` above it."""
    temperature_margin_k: Limit = 3000.0
    """In K; it is the mean over the steps since the last look that is compared."""
    closest_approach: Annotated[float, Field(ge=0)] = 0.4
    """Shortest distance of two atoms, as a fraction of the sum of their covalent radii (DOI 10.1039/B801115J)."""
    energy_jump_ev: Limit = 5.0
    """Change of the potential energy in one step, in eV times the square root of the number of atoms.

    What the atoms gain and lose, each F v dt, adds up like independent numbers.
    """
    largest_force_ev_a: Limit = 100.0
    """In eV/A; no force field was trained on larger ones, so what it answers there is extrapolated."""
