"""Diffusion documents."""

from typing import Literal

from tachylite.schemas.base import Document, Interval


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
