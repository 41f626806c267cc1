"""Diffusion documents."""

from typing import Literal

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document


class Collective(FrozenModel):
    """Diffusivity of the sum over all atoms of a species, which moves by more or less than independent atoms would."""

    diffusive: bool
    reason: str | None = None
    diffusivity_cm2_s: float | None = None
    diffusivity_interval_cm2_s: Interval | None = None
    upper_bound_cm2_s: float | None = None
    n_independent: float
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


class FiniteSize(FrozenModel):
    """What periodic images take from the diffusivity of a liquid (Yeh and Hummer, DOI 10.1021/jp0477147)."""

    length_a: float
    """Cube root of the volume."""
    viscosity_pa_s: float | None = None
    correction_cm2_s: float | None = None
    corrected_cm2_s: float | None = None
    remark: str


class Diffusivity(Document):
    """Tracer diffusivity of one species at one temperature, with the curve it was read from."""

    kind: Literal["diffusivity"] = "diffusivity"
    species: str
    temperature_k: float
    diffusive: bool
    reason: str | None = None
    """Why there is no number, where the motion is not diffusive."""
    diffusivity_cm2_s: float | None = None
    diffusivity_interval_cm2_s: Interval | None = None
    upper_bound_cm2_s: float | None = None
    """Where the motion is not diffusive: what the mean squared displacement still allows."""
    n_independent: float
    """Independent displacements at the longest lag used."""
    lags_fs: list[float]
    msd_a2: list[float]
    msd_error_a2: list[float]
    fit_start_fs: float | None = None
    intercept_a2: float | None = None
    n_atoms: int | None = None
    """Of the species."""
    n_frames: int | None = None
    frame_spacing_fs: float | None = None
    collective: Collective | None = None
    conductivity: Conductivity | None = None
    finite_size: FiniteSize | None = None


class ArrheniusLaw(FrozenModel):
    """ln D = ln D0 - Ea / kT over several temperatures, D0 in cm^2/s."""

    activation_energy_ev: Measured
    ln_d0: Measured
    covariance_ev: float
    """Between ln D0 and Ea."""
    extrapolated_300k_cm2_s: float
    extrapolated_300k_interval_cm2_s: Interval
    band_temperatures_k: list[float]
    band_cm2_s: list[float]
    band_interval_cm2_s: list[Interval]


class VFTLaw(FrozenModel):
    """ln D = ln D0 - B / (T - T0), D0 in cm^2/s, or why the temperatures do not determine it."""

    determined: bool
    reason: str | None = None
    ln_d0: Measured | None = None
    b_k: Measured | None = None
    t0_k: Measured | None = None
    covariance: list[list[float]] | None = None
    """Of ln D0, B and T0."""
    extrapolated_300k_cm2_s: float | None = None
    """Where 300 K is above T0."""
    extrapolated_300k_interval_cm2_s: Interval | None = None


class SizeExtrapolation(FrozenModel):
    """D(L) = D(infinite) - slope / L over cells of several sizes at one temperature."""

    diffusivity_cm2_s: Measured
    slope_cm2_s_a: Measured
    viscosity_pa_s: float | None = None
    """That Yeh and Hummer's correction would need for this slope."""
    lengths_a: list[float]


class TransportSeries(Document):
    """Diffusivities of one species from several trajectories, and what they say together."""

    kind: Literal["transport_series"] = "transport_series"
    species: str
    diffusivities: list[Diffusivity]
    arrhenius: ArrheniusLaw | None = None
    vft: VFTLaw | None = None
    size: SizeExtrapolation | None = None
    reason: str | None = None
    """Why there is neither a law nor an extrapolation."""
