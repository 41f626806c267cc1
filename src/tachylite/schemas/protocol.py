"""Protocols: an ordered list of steps, as data."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from tachylite.measured import FrozenModel
from tachylite.schemas.steps import AnyStep, Step
from tachylite.schemas.steps.volume import Pressure

SEED_STRIDE = 100_000
"""Between the seeds of two steps."""


class Packing(FrozenModel):
    """How the first structure is made."""

    n_atoms: Annotated[int, Field(gt=0, le=100_000)] = 100
    """Target number of atoms; the nearest number of whole formula units is taken."""
    volume_factor: Annotated[float, Field(gt=0, le=10)] = 1.15
    """Starting volume over the estimated volume of the dense phase."""


class Branch(FrozenModel):
    """One result that a step gives every member: at which temperature, and which result it continues."""

    name: str
    """The step's name and the variant: `anneal-1500K`."""
    step: str
    variant: str
    """Empty where the step gives one result."""
    source: str | None
    """Name of the branch that it continues; None is the start."""
    origin: int
    """Position of `source` among the branches of the steps that its step continues."""
    start_temperature_k: float | None
    temperature_k: float | None
    """At its end; None where it has none, as a relaxed structure."""


class Protocol(FrozenModel):
    """From a start to materials, step by step."""

    name: str
    description: str = ""
    doi: str | None = None
    """The publication whose protocol this is."""
    pressure: Pressure = "total"
    timestep_fs: Annotated[float, Field(gt=0, le=20)] = 2.0
    record_every: Annotated[int, Field(gt=0)] = 10
    """Steps of time between frames kept in a trajectory."""
    packing: Packing = Packing()
    steps: Annotated[list[AnyStep], Field(min_length=1)]

    @field_validator("steps")
    @classmethod
    def _name_all(cls, steps: list[Step]) -> list[Step]:
        """Write out the names and sources that were left to their defaults."""
        named: list[Step] = []
        for step in steps:
            before = [named[-1].name] if named else []
            changes = {"name": step.name or step.kind, "sources": step.sources or before}
            named.append(step.model_copy(update=changes))
        return named

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        """Every step must be able to follow those it continues."""
        earlier: dict[str, Step] = {}
        for step in self.steps:
            if step.name in earlier:
                raise ValueError(f"two steps are named {step.name!r}; give one of them another name")
            unknown = [name for name in step.sources if name not in earlier]
            if unknown:
                known = ", ".join(earlier) or "none, it is the first"
                raise ValueError(f"step {step.name!r}: from {unknown[0]!r} is no earlier step; there are {known}")
            for branch in self.branches_of(step.name):
                try:
                    step.check([earlier[name] for name in step.sources], branch.temperature_k)
                except ValueError as error:
                    raise ValueError(f"step {step.name!r} {error}") from None
            earlier[step.name] = step
        names = [branch.name for branch in self.branches]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two results would be named {twice[0]!r}; rename a step")
        return self

    def _branches(self) -> dict[str, list[Branch]]:
        branches: dict[str, list[Branch]] = {}
        for step in self.steps:
            branches[step.name] = _branches_of(step, [b for name in step.sources for b in branches.get(name, [])])
        return branches

    @property
    def branches(self) -> list[Branch]:
        """Every result that a member will have, in order."""
        return [branch for branches in self._branches().values() for branch in branches]

    def branches_of(self, step: str) -> list[Branch]:
        """Results that a step gives a member, in order."""
        return self._branches()[step]

    def step(self, name: str) -> Step:
        """The step of a name."""
        return next(step for step in self.steps if step.name == name)

    def counts_of_sources(self, step: Step) -> list[int]:
        """How many results each of the steps that this one continues gives a member; [1] for the start."""
        return [len(self.branches_of(name)) for name in step.sources] or [1]

    def seed_offset(self, name: str) -> int:
        """What to add to a member's seed, so that the random numbers of the steps stay apart.

        Steps that draw random numbers are numbered in order; a hold straight after its volume search shares its number.
        """
        number = -1
        before: Step | None = None
        for step in self.steps:
            if step.draws_random_numbers:
                number += not (before is not None and _continues_search(step, before))
                before = step
            if step.name == name:
                break
        return SEED_STRIDE * max(number, 0)


def _continues_search(step: Step, before: Step) -> bool:
    return before.prepares and step.sources == [before.name]


def _branches_of(step: Step, incoming: Sequence[Branch]) -> list[Branch]:
    """Every incoming state at every temperature of the step."""
    several_steps = len(step.sources) > 1
    branches = []
    for origin, source in enumerate(incoming or [None]):
        for temperature in step.temperatures_k:
            before = None if source is None else source.temperature_k
            inherited = () if source is None else (source.step, source.variant) if several_steps else (source.variant,)
            own = f"{temperature:g}K" if len(step.temperatures_k) > 1 else ""
            parts = [part for part in (*inherited, own) if part]
            branches.append(
                Branch(
                    name="-".join([step.name, *parts]),
                    step=step.name,
                    variant=", ".join(parts),
                    source=None if source is None else source.name,
                    origin=origin,
                    start_temperature_k=before,
                    temperature_k=before if temperature is None else temperature,
                )
            )
    return branches
