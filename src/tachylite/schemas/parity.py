"""Parity documents: how well a method reproduces published melts, composition by composition."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document, Provenance
from tachylite.schemas.protocol import Protocol


class ParityReference(FrozenModel):
    """A published melt: its partial g(r) and, where known, its volume, diffusivities and descriptors."""

    formula: str
    r_a: list[float] = Field(min_length=2)
    g: dict[str, list[float]] = Field(min_length=1)
    """By pair, like Li-O, symbols in alphabetical order; as long as `r_a`."""
    smoothing_a: float = Field(default=0.0, ge=0)
    """Width (standard deviation) of the Gaussian that the curves were smoothed with."""
    temperature_k: float | None = None
    n_atoms: int | None = Field(default=None, gt=0)
    volume_a3_per_atom: float | None = None
    diffusivities_cm2_s: dict[str, float] = {}
    """Tracer diffusivities by element."""
    species: str = "Li"
    """The mobile element of the descriptors."""
    descriptors: dict[str, float] = {}
    """By the names of `tachylite.descriptors`, in the convention of the published table (`zheng2024`)."""
    source: str = ""

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        lengths = {pair: len(values) for pair, values in self.g.items()}
        if set(lengths.values()) != {len(self.r_a)}:
            raise ValueError(f"{self.formula}: {len(self.r_a)} distances, but values of g(r): {lengths}")
        return self


class DiffusivityParity(FrozenModel):
    """One element's diffusivity against that of the reference; intervals are those of 95 %."""

    species: str
    reference_cm2_s: float | None
    reference_interval_cm2_s: Interval | None = None
    """None where a single number was published."""
    diffusivity_cm2_s: float | None
    interval_cm2_s: Interval | None = None
    ratio: float | None = None
    """Over the reference."""
    ratio_interval: Interval | None = None
    agree: bool | None = None
    """Whether the interval of the ratio contains 1."""
    reason: str | None = None
    """Why there is no ratio."""


class DescriptorParity(FrozenModel):
    """One descriptor against that of the reference."""

    name: str
    reference: Measured
    value: Measured


class ParityScore(FrozenModel):
    """One composition against its reference."""

    formula: str
    status: Literal["scored", "failed"]
    reason: str | None = None
    """Why there is no score, or which part of it is missing."""
    n_atoms: int | None = None
    temperature_k: float | None = None
    r2: Measured | None = None
    """Of all partial g(r) together; the error is infinite where the curves come without frames."""
    r2_by_pair: dict[str, Measured] = {}
    noise: float | None = None
    """By how much the noise of finite trajectories lowers R^2 on average; part of its error."""
    r_a: list[float] = []
    """Distances that both have."""
    reference_g: dict[str, list[float]] = {}
    g: dict[str, list[float]] = {}
    volume_a3_per_atom: Measured | None = None
    reference_volume_a3_per_atom: float | None = None
    diffusivities: list[DiffusivityParity] = []
    descriptors: list[DescriptorParity] = []


class FractionAbove(FrozenModel):
    """How many of the compositions have an R^2 above a threshold; the interval is Wilson's."""

    threshold: float
    count: int
    of: int
    """All references, those that failed included."""
    fraction: float
    interval: Interval


class ParityReport(Document):
    """Parity of many compositions: a score for every reference, and how the scores are distributed."""

    kind: Literal["parity_report"] = "parity_report"
    reference: str
    other: str
    scores: list[ParityScore]
    n_failed: int
    """References without a score; they count as below every threshold."""
    fractions: list[FractionAbove]
    left_out: list[str] = []
    """Compositions that were compared with nothing, as they have no reference."""
    ln_diffusivity_r2: float | None = None
    """R^2 of ln D over compositions and elements; None for fewer than three."""
    descriptor_r2: dict[str, float] = {}
    """R^2 over compositions of every descriptor that three or more have."""
    protocol: Protocol | None = None
    provenance: Provenance | None = None
