"""From single stages to the material: what a protocol gives for one member of a cohort."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document, Failure, Provenance
from tachylite.schemas.glass import Elasticity, GlassTransition, HeatCapacity, ThermalExpansion
from tachylite.schemas.protocol import Pressure, Protocol
from tachylite.schemas.run import Run, State
from tachylite.schemas.structure import StructureAnalysis
from tachylite.schemas.transport import Diffusivity


class VolumeSample(FrozenModel):
    """One simulated point of P(V)."""

    volume_a3: float
    pressure_gpa: Measured
    """In the convention of the search."""
    virial_gpa: Measured
    """Without the kinetic part, whatever the convention."""
    temperature_k: Measured
    energy_ev_per_atom: Measured
    energy_drift: float
    steps: int
    attempt: int
    """0 for the first scan, then counting up."""
    purpose: Literal["scan", "bracket", "verification"]
    expanded: bool
    """Whether it was reached from a denser state that repels, or repels itself: without cavities."""


class EquationOfState(FrozenModel):
    """Birch-Murnaghan on pressure, weighted, with errors."""

    volume_a3: Measured
    bulk_modulus_gpa: Measured
    bulk_modulus_derivative: Measured
    fitted_volumes_a3: tuple[float, float]
    """Smallest and largest volume that was fitted; beyond them the curve is a guess."""


class Equilibrium(Document):
    """The volume of zero pressure at a temperature, or the reason why there is none."""

    kind: Literal["equilibrium"] = "equilibrium"
    status: Literal["converged", "failed"]
    reason: str | None = None
    vapour: bool = False
    """Whether the search ended on the vapour branch: no liquid at zero pressure in reach."""
    formula: str
    n_atoms: int
    temperature_k: float
    pressure_convention: Pressure
    volume_a3: Measured | None = None
    pressure_gpa: Measured | None = None
    """At the verified volume."""
    samples: list[VolumeSample]
    equation_of_state: EquationOfState | None = None
    state: State | None = None
    """Last equilibrated state at the volume found (or nearest to it)."""


class Melt(FrozenModel):
    """A liquid or annealed state at one temperature: its volume, its production run, what was measured."""

    temperature_k: float
    equilibrium: Equilibrium
    run: Run | None = None
    density_g_cm3: Measured | None = None
    diffusivities: list[Diffusivity] = []
    structure: StructureAnalysis | None = None


class Activation(FrozenModel):
    """Arrhenius fit of one species: ln D = ln D0 - Ea / kT."""

    species: str
    activation_energy_ev: Measured | None
    ln_d0: Measured | None
    """D0 in cm^2/s."""
    covariance: float | None = None
    """Between ln D0 and Ea, in eV."""
    temperatures_k: list[float]
    extrapolated_300k_cm2_s: float | None = None
    extrapolated_300k_interval_cm2_s: Interval | None = None
    reason: str | None = None
    """Why there is no fit."""


class Relaxation(Document):
    """A structure relaxed to zero force (and, with the cell, zero stress), with its energy."""

    kind: Literal["relaxation"] = "relaxation"
    label: str
    status: Literal["converged", "failed"]
    reason: str | None = None
    formula: str
    n_atoms: int
    relax_cell: bool
    steps: int
    energy_ev_per_atom: float
    max_force_ev_a: float
    pressure_gpa: float
    stress_gpa: list[list[float]] | None = None
    """The static stress, tension positive, (3, 3)."""
    state: State
    provenance: Provenance


class References(Document):
    """What formation energies of a cohort are measured against, relaxed with the same engine."""

    kind: Literal["references"] = "references"
    elements: dict[str, Relaxation]
    crystals: list[Relaxation | None]
    """Crystals given for the members, in the order of the cohort."""


class Snapshot(FrozenModel):
    """One inherent structure of the melt."""

    time_fs: float
    relaxation: Relaxation
    formation_energy_ev_per_atom: float | None


class AmorphousLimit(Document):
    """The lowest formation energy among relaxed snapshots (Aykol et al. 2018, DOI 10.1126/sciadv.aaq0148)."""

    kind: Literal["amorphous_limit"] = "amorphous_limit"
    snapshots: list[Snapshot]
    formation_energy_ev_per_atom: float | None
    """The amorphous limit: the lowest of the snapshots."""
    mean_formation_energy_ev_per_atom: Measured | None
    above_crystal_ev_per_atom: float | None = None
    reference_energies_ev_per_atom: dict[str, float]
    reason: str | None = None


class Glass(FrozenModel):
    """A melt quenched along a ramp, held, then relaxed."""

    final_temperature_k: float
    cooling_rate_k_s: float
    run: Run
    relaxation: Relaxation | None = None
    structure: StructureAnalysis | None = None
    density_g_cm3: float | None = None
    """Of the relaxed glass."""
    formation_energy_ev_per_atom: float | None = None
    above_crystal_ev_per_atom: float | None = None
    transition: GlassTransition | None = None
    """Of the ramp, at constant volume."""
    heat_capacity: HeatCapacity | None = None
    """From the fluctuations of the energy in the hold."""
    elasticity: Elasticity | None = None
    """Of the relaxed glass, where the protocol asks for it."""


class Material(Document):
    """Everything a protocol gave for one member: what `tachylite query` and `tachylite report` read."""

    kind: Literal["material"] = "material"
    material_id: str
    """Same input, protocol, engine and seed: same id."""
    formula: str
    elements: list[str]
    n_atoms: int
    status: Literal["completed", "partial", "failed"]
    failures: list[Failure]
    melt: Melt | None
    anneals: list[Melt]
    activations: list[Activation]
    expansion: ThermalExpansion | None = None
    """From the volumes of the anneals."""
    glass: Glass | None
    amorphous_limit: AmorphousLimit | None
    protocol: Protocol
    provenance: Provenance
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    """To the second: stores keep less than Python does."""
