"""What all kinds of steps share: settings, and the result that a step gives one member."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.run import CellShape, Run, State
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity, StructureAnalysis
from tachylite.schemas.transport import Diffusivity
from tachylite.units import FS_PER_PS

Temperature = Annotated[float, Field(gt=0, le=20000)]
"""In K."""

Time = Annotated[float, Field(gt=0)]
"""In ps."""

NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_-]*$"

VARIANT_SEPARATOR = ", "
"""Between the parts of a variant: the state that is continued, the temperature."""

NAME_RULE = "begin with a letter and hold only letters, digits, - and _"
"""The pattern in words."""

Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=40)]
"""Of a step; columns and files are named after it."""


def _as_list(value: object) -> list[object]:
    if not isinstance(value, str | list):
        raise ValueError("must be the name of a step, or a list of names")
    return value if isinstance(value, list) else [value]


Names = Annotated[list[Name], BeforeValidator(_as_list)]


class Step(FrozenModel):
    """Settings of one step of a protocol. Every kind of step is a subclass in a module of its own."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    kind: str
    name: Name = ""
    """If not given, the kind."""
    sources: Names = Field(default=[], alias="from")
    """The steps whose final states this one continues; if not given, the step before. `start` begins again."""

    draws_random_numbers: ClassVar[bool] = False
    """Whether it needs a seed of its own."""
    prepares: ClassVar[bool] = False
    """Whether it is a means for the step after it, and gives no state or property that somebody asked for."""
    needs_trajectories: ClassVar[bool] = False
    """Whether it reads the trajectories of the steps that it continues."""

    @property
    def recorded_ps(self) -> float:
        """Length in ps of the trajectory that it leaves for later steps; 0 for none."""
        return 0.0

    @property
    def temperatures_k(self) -> Sequence[float | None]:
        """A temperature in K for each result; None is that of the state which the step continues."""
        return [None]

    @property
    def other_engines(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """Names and options of engines that it asks beside that of the campaign."""
        return ()

    @property
    def added_elements(self) -> Sequence[str]:
        """Elements that it brings in, whatever it continues."""
        return ()

    def check(self, sources: Sequence["Step"], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """Raise ValueError where this step cannot follow those.

        Temperatures in K are those of the state which is continued and of the result; None where there is none.
        """

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """Say, a line each, what one result of this step takes."""
        yield self.kind

    def force_calls(self, timestep_fs: float) -> int:
        """Estimate how often the forces are computed for one result."""
        return round(self.recorded_ps * FS_PER_PS / timestep_fs)

    def document_bytes(self, n_atoms: int) -> int:
        """Estimate, from above, the bytes that one result adds to the largest document of a flow."""
        return STATE_BYTES * n_atoms


class Ensemble(Step):
    """What steps with molecular dynamics have in common."""

    pressure_gpa: float | None = None
    """Total pressure to hold; if not given, the volume is constant."""
    cell: CellShape = "isotropic"
    """At constant pressure: whether the cell keeps its shape, as that of a liquid or a glass, is `free`, or changes
    along the `normal` of its first two vectors only, as that of an interface; the pressure is then the one along it."""

    draws_random_numbers: ClassVar[bool] = True

    @property
    def ensemble(self) -> str:
        """In words, of an outline; empty at constant volume."""
        return "" if self.pressure_gpa is None else f" at {self.pressure_gpa:g} GPa"


class Dynamics(Ensemble):
    """What steps that are molecular dynamics have in common: they record a trajectory."""

    record: Literal["positions", "forces"] = "forces"
    """What frames hold; with forces also energies and stresses, to learn a potential from."""


def temperature_label(temperature_k: float) -> str:
    """Write a temperature as variants hold it: `1500K`."""
    return f"{temperature_k:g}K"


def result_name(step: str, variant: str) -> str:
    """Give the name of a step's result: `anneal-fast-600K` of the variant `fast, 600K`."""
    return "-".join(part for part in (step, *variant.split(VARIANT_SEPARATOR)) if part)


def result_title(step: str, variant: str) -> str:
    """Write a step with the variant: `anneal, fast, 600K`."""
    return VARIANT_SEPARATOR.join(part for part in (step, variant) if part)


class Result(FrozenModel):
    """What one step gave one member. Every kind of step has a subclass beside its settings."""

    kind: str
    name: str
    """Unique within the material: the step's name and, where the step has several results, the variant."""
    step: str
    variant: str = ""
    """What tells this result from others of the same step: a temperature, the state it continues."""
    source: str | None = None
    """Name of the result that this one continues; None is the start."""
    status: Literal["completed", "failed", "skipped"]
    """Skipped: what it should continue is not there."""
    reason: str | None = None
    """Why it is not completed."""
    formula: str
    n_atoms: int
    temperature_k: float | None = None

    columns: ClassVar[tuple[Column, ...]] = ()
    """What a row of a table holds of it."""
    prepares: ClassVar[bool] = False
    """As of its step."""

    @property
    def series_variant(self) -> str:
        """The variant without the temperature of this result: what it shares with others of its series."""
        *others, last = self.variant.split(VARIANT_SEPARATOR)
        own = self.temperature_k is not None and last == temperature_label(self.temperature_k)
        return VARIANT_SEPARATOR.join(others) if own else self.variant

    @property
    def title(self) -> str:
        """Name of the step and variant: `anneal, 1500K`."""
        return result_title(self.step, self.variant)

    @property
    def final(self) -> State | None:
        """The state that a later step continues; None where there is none."""
        return None

    @property
    def shown_state(self) -> State | None:
        """The state to look at and to save; also the last good one of a run that failed."""
        return self.final

    @property
    def trajectory_ids(self) -> Sequence[str]:
        """Ids of the trajectories it was computed from."""
        return ()

    @property
    def measured_diffusivities(self) -> Sequence[Diffusivity]:
        """Diffusivities at its temperature, of every element."""
        return ()

    @property
    def measured_structure(self) -> StructureAnalysis | None:
        """Structure at its temperature."""
        return None

    @property
    def measured_volume_a3(self) -> Measured | None:
        """Mean volume at the pressure of its state, with error; None where only an instant of it is known."""
        return None

    @property
    def measured_order(self) -> Crystallinity | None:
        """Whether its state is a crystal; None where that was not asked."""
        return self.measured_structure

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Questions that were not answered, each with the reason."""
        order = self.measured_order
        if order is not None and order.crystalline_reason is not None:
            yield "crystal or glass", order.crystalline_reason

    def partial_failures(self) -> Iterator[tuple[str, str]]:
        """Parts that failed although the result is completed, each with the reason."""
        yield from ()


class RunResult(Result):
    """What a step of molecular dynamics gave."""

    run: Run | None = None
    volume_a3: Measured | None = None
    """Its mean at constant pressure. At constant volume its error is that of the search which found it, or of the mean
    at the pressure which it was taken from; 0 for a volume that was given."""
    density_g_cm3: Measured | None = None

    @property
    def measured_volume_a3(self) -> Measured | None:
        """That of the run."""
        return self.volume_a3

    @property
    def final(self) -> State | None:
        """The last frame."""
        return self.run.final if self.run is not None and self.status == "completed" else None

    @property
    def shown_state(self) -> State | None:
        """The last frame, or the last good one."""
        return self.run.final if self.run is not None else None

    @property
    def trajectory_ids(self) -> Sequence[str]:
        """That of the run."""
        return [self.run.trajectory_id] if self.run is not None and self.run.trajectory_id is not None else []


RELAXATION_STEPS = 200
"""Of a glass with its cell, as they usually take (151 and 211 for two snapshots of molten Li3PO4)."""

STATE_BYTES = 95
"""Bytes of BSON for an atom's number, position and velocity."""

ANALYSES_BYTES = 60_000
"""Bytes of BSON for g(r), mean squared displacements and what is made of them."""
