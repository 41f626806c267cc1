"""The material: what a protocol gave one member of a cohort, and what follows from several of its results."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.transport.vft import VFTLaw
from tachylite.schemas.base import Document, Failure, Provenance
from tachylite.schemas.glass import ThermalExpansion
from tachylite.schemas.protocol import Protocol
from tachylite.schemas.start import PackedStart, Start
from tachylite.schemas.steps import AnyResult, Result
from tachylite.schemas.steps.base import result_name, result_title
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.transport import ConductivityLaw


class Series(FrozenModel):
    """Results of one step that continue the same state and differ in temperature only."""

    step: str = ""
    """Empty where it is all results of the material."""
    variant: str = ""
    """Which state they continue, where the step continues several: `fast`."""

    @property
    def name(self) -> str:
        """As the names of its results begin: `anneal`, `anneal-fast`."""
        return result_name(self.step, self.variant)

    @property
    def title(self) -> str:
        """Name for reading: `anneal, fast`."""
        return result_title(self.step, self.variant)


class Activation(Series):
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
    reach_300k: float | None = None
    """Distance in 1/T from the coldest measurement to 300 K, over the range of 1/T that was measured."""
    extrapolation_remark: str | None = None
    """Why there is no value at 300 K though there is a fit, or that it is a far extrapolation."""
    conductivity: ConductivityLaw | None = None
    """Of the Nernst-Einstein conductivities of the same states."""
    collective_conductivity: ConductivityLaw | None = None
    """Of those from the collective diffusivities, where two or more are resolved."""
    reason: str | None = None
    """Why there is no fit."""
    vft: VFTLaw | None = None
    """Vogel-Fulcher-Tammann law of the same diffusivities, where they determine it or the reason why not."""


ACTIVATION = Column("Ea_{}", "ev", "activation_energy_ev", "Ea({})", "eV", "error", each="activations")
"""Of a material, as the columns of its results are."""


class Expansion(ThermalExpansion, Series):
    """Thermal expansion from the volumes of one series."""


class Material(Document):
    """Everything a protocol gave for one member: what `tachylite query` and `tachylite report` read."""

    kind: Literal["material"] = "material"
    material_id: str
    """Same start, protocol, engine and seed: same id."""
    start: Start | None = None
    """How it began; documents of earlier versions, whose materials were all packed, do not say it."""
    formula: str
    elements: list[str]
    n_atoms: int
    status: Literal["completed", "partial", "failed"]
    failures: list[Failure]
    results: list[AnyResult]
    """What every step gave, in the order of the protocol."""
    activations: list[Activation] = []
    """From the diffusivities at several temperatures."""
    expansions: list[Expansion] = []
    """From the volumes at several temperatures."""
    protocol: Protocol
    provenance: Provenance
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    """To the second: stores keep less than Python does."""

    @property
    def begins_as(self) -> str | None:
        """The structure that it was made from, in words; None where it was packed."""
        return None if self.start is None or isinstance(self.start, PackedStart) else self.start.title

    def result(self, name: str) -> Result:
        """The result of a name, or the only one of a step; raises KeyError, naming those there are."""
        matching = [result for result in self.results if name == result.name] or self.results_of(name)
        if len(matching) != 1:
            raise KeyError(f"{len(matching)} results are named {name!r}; there are {[r.name for r in self.results]}")
        return matching[0]

    def results_of(self, step: str) -> list[Result]:
        """Results of a step, in order."""
        return [result for result in self.results if result.step == step]

    @property
    def is_above_crystal(self) -> bool:
        """Whether every energy that could be compared with the crystal's was."""
        field = "above_crystal_ev_per_atom"
        relaxed = [r for r in self.results if r.status == "completed" and field in type(r).model_fields]
        return all(getattr(result, field) is not None for result in relaxed)

    def answers(self, *, above_crystal: bool) -> bool:
        """Whether it need not be computed again; where a crystal is given, only if its energies are above that."""
        return self.status != "failed" and (not above_crystal or self.is_above_crystal)

    def of_kind[R: Result](self, kind: type[R]) -> list[R]:
        """Results of one kind, like `HoldResult`, in order."""
        return [result for result in self.results if isinstance(result, kind)]


def by_step[R: Result](results: Sequence[R]) -> Iterator[tuple[str, list[R]]]:
    """Results of each step together, in order."""
    for step in dict.fromkeys(result.step for result in results):
        yield step, [result for result in results if result.step == step]
