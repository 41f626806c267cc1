"""Diffusion documents."""

from typing import Literal

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.transport.arrhenius import ArrheniusLaw
from tachylite.physics.transport.collective import SizeExtrapolation
from tachylite.physics.transport.diffusivity import DiffusivityEstimate, TracerDiffusivity
from tachylite.physics.transport.vft import VFTLaw
from tachylite.schemas.base import Document


class Collective(DiffusivityEstimate):
    """Diffusivity of the sum over all atoms of a species, which moves by more or less than independent atoms would."""

    haven_ratio: float | None = None
    """Tracer over collective diffusivity."""
    haven_ratio_interval: Interval | None = None


class Conductivity(FrozenModel):
    """Ionic conductivity of one species, or why there is none."""

    reason: str | None = None
    charge: float | None = None
    """Of one ion, in elementary charges."""
    charge_source: str | None = None
    nernst_einstein_s_cm: float | None = None
    """From the tracer diffusivity: as if ions moved independently."""
    nernst_einstein_interval_s_cm: Interval | None = None
    collective_s_cm: float | None = None
    """From the collective diffusivity of the species."""
    collective_interval_s_cm: Interval | None = None


class ConductivityLaw(FrozenModel):
    """sigma T = A exp(-Ea / kT): conductivities of one species at several temperatures, and what 300 K is to have."""

    activation_energy_ev: Measured
    """Of sigma T, so that it is that of D where the density of ions does not change."""
    temperatures_k: list[float]
    extrapolated_300k_s_cm: float | None
    extrapolated_300k_interval_s_cm: Interval | None
    reach_300k: float
    """As in `physics.transport.arrhenius.Extrapolation`."""
    extrapolation_remark: str | None = None


class FiniteSize(FrozenModel):
    """By how much periodic images slow diffusion in a liquid (Yeh and Hummer, DOI 10.1021/jp0477147)."""

    length_a: float
    """Cube root of the volume."""
    viscosity_pa_s: float | None = None
    correction_cm2_s: float | None = None
    corrected_cm2_s: float | None = None
    remark: str


class Diffusivity(TracerDiffusivity, Document):
    """Tracer diffusivity of one species at one temperature, with the curve it was read from."""

    kind: Literal["diffusivity"] = "diffusivity"
    species: str
    temperature_k: float
    n_atoms: int | None = None
    """Of the species."""
    n_frames: int | None = None
    frame_spacing_fs: float | None = None
    collective: Collective | None = None
    conductivity: Conductivity | None = None
    finite_size: FiniteSize | None = None


class TransportSeries(Document):
    """Diffusivities of one species from several trajectories, with a fit over temperatures or cell sizes."""

    kind: Literal["transport_series"] = "transport_series"
    species: str
    diffusivities: list[Diffusivity]
    arrhenius: ArrheniusLaw | None = None
    vft: VFTLaw | None = None
    conductivity: ConductivityLaw | None = None
    """Of the Nernst-Einstein conductivities."""
    collective_conductivity: ConductivityLaw | None = None
    """Of those from the collective diffusivities, where two or more are resolved."""
    size: SizeExtrapolation | None = None
    reason: str | None = None
    """Why there is neither a law nor an extrapolation."""
