"""Documents of glasses: the transition, heat capacities, thermal expansion, elastic moduli."""

from typing import Literal

from tachylite.measured import Measured
from tachylite.physics.thermodynamics.elasticity import AverageModulus, ElasticConstants
from tachylite.physics.thermodynamics.glass_transition import Transition
from tachylite.physics.thermodynamics.heat import HeatCapacity, ThermalExpansion
from tachylite.schemas.base import Document, Provenance

__all__ = ["AverageModulus", "Elasticity", "GlassTransition", "HeatCapacity", "ThermalExpansion", "Transition"]


class GlassTransition(Document):
    """The transition along a cooling run, with the heat capacities and expansions of glass and liquid."""

    kind: Literal["glass_transition"] = "glass_transition"
    n_atoms: int
    energy_kind: Literal["potential", "total", "enthalpy"]
    constant: Literal["volume", "pressure"]
    cooling_rate_k_s: float | None = None
    energy: Transition
    volume: Transition | None = None
    """Where the volume changes."""
    glass_heat_capacity: HeatCapacity | None = None
    liquid_heat_capacity: HeatCapacity | None = None
    heat_capacity_jump_j_mol_k: Measured | None = None
    glass_expansion: ThermalExpansion | None = None
    liquid_expansion: ThermalExpansion | None = None


class Elasticity(ElasticConstants, Document):
    """Elastic constants of a relaxed structure and the moduli of their average over directions."""

    kind: Literal["elasticity"] = "elasticity"
    formula: str
    n_atoms: int
    strain: float
    max_force_ev_a: float | None = None
    """Up to which the atoms were relaxed at every strain."""
    start_stress_gpa: list[list[float]] | None = None
    """Of the unstrained cell, tension positive."""
    provenance: Provenance
