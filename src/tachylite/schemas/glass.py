"""Documents of glasses: the transition, heat capacities, thermal expansion, elastic moduli."""

from typing import Literal

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document, Provenance


class HeatCapacity(FrozenModel):
    """A heat capacity per mole of atoms and per atom, and where it comes from."""

    j_mol_k: Measured
    k_b_per_atom: Measured
    constant: Literal["volume", "pressure"]
    source: Literal["slope", "fluctuations"]
    """Slope of the energy along a cooling run, or fluctuations of the energy at one temperature."""
    temperature_k: float | None = None
    """Of the fluctuations."""


class Transition(FrozenModel):
    """Two straight branches of a quantity against temperature, or why no kink between them is seen."""

    quantity: Literal["energy", "volume"]
    """In eV and A^3 per atom."""
    reason: str | None = None
    """Why there is no kink."""
    temperature_k: Measured | None = None
    temperature_interval_k: Interval | None = None
    width_k: float | None = None
    """Over which the branches go into each other: 0 for a sharp kink."""
    value: float | None = None
    """Where the branches meet."""
    glass_slope: Measured | None = None
    """Per K, below the transition."""
    liquid_slope: Measured | None = None
    slope_jump: Measured | None = None
    window_temperatures_k: list[float]
    window_values: list[float]
    window_errors: list[float | None]
    """Standard errors; None for a window of one sample."""


class ThermalExpansion(FrozenModel):
    """Volumetric thermal expansion, 1/V dV/dT, around a temperature."""

    coefficient_per_k: Measured
    temperature_k: float
    volume_a3_per_atom: float
    temperatures_k: list[float]
    """Of the volumes it is from; empty for a branch of a cooling run."""


class GlassTransition(Document):
    """What a cooling run says: the transition, and the heat capacity and expansion of glass and liquid."""

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


class AverageModulus(FrozenModel):
    """A modulus in GPa by the averages of Voigt, Reuss and Hill."""

    voigt: float
    reuss: float
    hill: Measured


class Elasticity(Document):
    """Elastic constants of a relaxed structure and the moduli of their average over directions."""

    kind: Literal["elasticity"] = "elasticity"
    reason: str | None = None
    """Why there are no moduli."""
    formula: str
    n_atoms: int
    strain: float
    max_force_ev_a: float | None = None
    """Up to which the atoms were relaxed at every strain."""
    start_stress_gpa: list[list[float]] | None = None
    """Of the unstrained cell, tension positive."""
    constants_gpa: list[list[float]] | None = None
    """(6, 6), in the order of Voigt: xx, yy, zz, yz, xz, xy."""
    constants_error_gpa: float | None = None
    """Of one constant, from the asymmetry of the measured ones."""
    nonlinearity: float | None = None
    bulk_modulus_gpa: AverageModulus | None = None
    shear_modulus_gpa: AverageModulus | None = None
    young_modulus_gpa: Measured | None = None
    poisson_ratio: Measured | None = None
    provenance: Provenance
