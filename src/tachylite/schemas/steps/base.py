"""What all kinds of steps share: settings, and the result that a step gives one member."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from tachylite.measured import FrozenModel
from tachylite.schemas.run import Run, State
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity, StructureAnalysis
from tachylite.schemas.transport import Diffusivity

Temperature = Annotated[float, Field(gt=0, le=20000)]
"""In K."""

Time = Annotated[float, Field(gt=0)]
"""In ps."""

NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_-]*$"

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
    """The steps whose final states this one continues; if not given, the step before."""

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

    def check(self, sources: Sequence["Step"], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """Raise ValueError where this step cannot follow those.

        Temperatures in K are those of the state which is continued and of the result; None where there is none.
        """

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """Say, a line each, what one result of this step takes."""
        yield self.kind

    def document_bytes(self, n_atoms: int) -> int:
        """Estimate, from above, the bytes that one result adds to the largest document of a flow."""
        return STATE_BYTES * n_atoms


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
    def title(self) -> str:
        """Name for reading: `anneal, 1500 K`."""
        return f"{self.step}, {self.variant}" if self.variant else self.step

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


STATE_BYTES = 95
"""Bytes of BSON for an atom's number, position and velocity."""

ANALYSES_BYTES = 60_000
"""Bytes of BSON for g(r), mean squared displacements and what is made of them."""
