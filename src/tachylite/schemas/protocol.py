"""Protocols: what to do, as data."""

from typing import Annotated, Literal

from pydantic import Field

from tachylite.measured import FrozenModel

Pressure = Literal["total", "virial"]
"""Which pressure vanishes at equilibrium: the total (virial plus kinetic), or the virial alone as VASP prints it."""

Temperature = Annotated[float, Field(gt=0, le=20000)]
Time = Annotated[float, Field(gt=0)]


class Packing(FrozenModel):
    """How the first structure is made."""

    n_atoms: Annotated[int, Field(gt=0, le=100_000)] = 100
    """Target number of atoms; the nearest number of whole formula units is taken."""
    volume_factor: Annotated[float, Field(gt=0, le=10)] = 1.15
    """Starting volume over the estimated volume of the dense phase."""


class VolumeSearch(FrozenModel):
    """How the volume of zero pressure is found."""

    fractions: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2)] = [0.8, 1.0, 1.2]
    """First volumes, over the starting volume."""
    equilibrate_ps: Time = 1.0
    """Stochastic thermostat, before every sample."""
    sample_ps: Time = 4.0
    """Nose-Hoover, averaged."""
    pressure_tolerance_gpa: Annotated[float, Field(gt=0)] = 0.5
    volume_tolerance: Annotated[float, Field(gt=0)] = 0.03
    """Relative error of the volume: what the pressure's error means depends on how stiff the liquid is."""
    energy_drift_tolerance: Annotated[float, Field(gt=0)] = 1e-3
    max_attempts: Annotated[int, Field(gt=0)] = 15
    """Rounds of simulation after the first scan."""


class Stage(FrozenModel):
    """A melt or an anneal."""

    temperature_k: Temperature
    production_ps: Time = 20.0


class Anneal(FrozenModel):
    """States below the melt, each with its own volume search."""

    temperatures_k: Annotated[list[Temperature], Field(min_length=1)]
    production_ps: Time = 20.0


class Quench(FrozenModel):
    """Cooling of the melt along a linear ramp, then a hold at the final temperature."""

    final_temperature_k: Temperature = 300.0
    ramp_ps: Time = 5.0
    hold_ps: Time = 3.0
    elastic: bool = False
    """Whether to strain the relaxed glass for its elastic constants: 12 more relaxations of its atoms."""


class Snapshots(FrozenModel):
    """Snapshots of the melt's production that are relaxed for the amorphous limit."""

    count: Annotated[int, Field(gt=0)] = 10
    interval_ps: Time = 2.0
    relax_cell: bool = True


class Protocol(FrozenModel):
    """From a formula to an amorphous material, step by step."""

    name: str
    description: str = ""
    doi: str | None = None
    """The publication whose protocol this is."""
    pressure: Pressure = "total"
    timestep_fs: Annotated[float, Field(gt=0, le=20)] = 2.0
    record_every: Annotated[int, Field(gt=0)] = 10
    """Steps between frames kept in a production trajectory."""
    packing: Packing = Packing()
    volume_search: VolumeSearch | None = VolumeSearch()
    """None keeps the starting volume."""
    melt: Stage
    anneal: Anneal | None = None
    quench: Quench | None = None
    snapshots: Snapshots | None = None
