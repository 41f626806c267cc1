"""Protocols: an ordered list of steps, as data."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from tachylite.measured import FrozenModel
from tachylite.schemas.steps import AnyStep, Step
from tachylite.schemas.steps.base import VARIANT_SEPARATOR, result_name, temperature_label
from tachylite.schemas.steps.volume import Pressure
from tachylite.units import FS_PER_PS

_START = "start"
"""What `from` says of a step that begins at the start again."""

_SEED_STRIDE = 100_000
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
    crystal_samples: Annotated[int, Field(ge=0, le=100)] = 0
    """A structure that is given is the crystal to compare energies with, and so many independent samples of its
    composition are packed at the volume factor times its volume; 0: the structure itself is the start."""
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
        names = [step.name for step in self.steps]
        for place, name in enumerate(names):
            if name == _START:
                raise ValueError(f"step {place + 1}: the name {_START!r} stands for the first state; rename it")
            if name in names[:place]:
                label = f"step {place + 1} ({name})"
                raise ValueError(f"{label}: an earlier step is named {name!r} too; give one of them another name")
        result_names: dict[str, str] = {}
        for place, step in enumerate(self.steps):
            try:
                _check_sources(step.sources, names[:place], names[place + 1 :])
                for branch in self.branches_of(step.name):
                    sources = [self.step(name) for name in step.sources if name != _START]
                    step.check(sources, branch.start_temperature_k, branch.temperature_k)
                    _check_length(step, self.timestep_fs * self.record_every)
                    _check_name(branch, result_names)
                    result_names[branch.name] = step.name
            except ValueError as error:
                raise ValueError(f"step {place + 1} ({step.name}): {error}") from None
        return self

    def _branches(self) -> dict[str, list[Branch]]:
        branches: dict[str, list[Branch]] = {}
        for step in self.steps:
            incoming: list[Branch | None] = []
            for name in step.sources or [_START]:
                incoming += [None] if name == _START else branches.get(name, [])
            branches[step.name] = _branches_of(step, incoming)
        return branches

    @property
    def branches(self) -> list[Branch]:
        """Every result that a member will have, in order."""
        return [branch for branches in self._branches().values() for branch in branches]

    @property
    def added_elements(self) -> list[str]:
        """Elements that its steps bring in, in alphabetical order."""
        return sorted({symbol for step in self.steps for symbol in step.added_elements})

    def branches_of(self, step: str) -> list[Branch]:
        """Results that a step gives a member, in order."""
        return self._branches()[step]

    def with_atoms(self, n_atoms: int | None) -> "Protocol":
        """The protocol with cells of so many atoms; the same where None."""
        if n_atoms is None:
            return self
        return self.model_copy(update={"packing": self.packing.model_copy(update={"n_atoms": n_atoms})})

    def step(self, name: str) -> Step:
        """The step of a name."""
        return next(step for step in self.steps if step.name == name)

    def counts_of_sources(self, step: Step) -> list[int]:
        """How many results each of the steps that this one continues gives a member; [1] for the start."""
        return [1 if name == _START else len(self.branches_of(name)) for name in step.sources or [_START]]

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
        return _SEED_STRIDE * max(number, 0)


def _check_sources(sources: Sequence[str], earlier: Sequence[str], later: Sequence[str]) -> None:
    """Raise ValueError where a step cannot continue those of these names."""
    for name in sources:
        if sources.count(name) > 1:
            raise ValueError(f"from names {name!r} twice")
        if name == _START or name in earlier:
            continue
        if not earlier:
            raise ValueError(f"from = {name!r}, and it is the first: it begins at the start, so leave 'from' out")
        if name in later:
            raise ValueError(f"from = {name!r} comes after it; earlier steps: {', '.join(earlier)}")
        guess = get_close_matches(name, earlier, n=1)
        hint = f"did you mean {guess[0]!r}? " if guess else ""
        raise ValueError(f"from = {name!r} is no earlier step; {hint}earlier steps: {', '.join(earlier)}, or start")


def _check_length(step: Step, interval_fs: float) -> None:
    """Raise ValueError where a trajectory would end before its first frame is kept."""
    if 0 < step.recorded_ps < interval_fs / FS_PER_PS:
        raise ValueError(f"takes {step.recorded_ps:g} ps, and a frame is kept every {interval_fs:g} fs (record_every)")


def _check_name(branch: Branch, steps_by_result: Mapping[str, str]) -> None:
    """Raise ValueError where an earlier result has the same name."""
    step = steps_by_result.get(branch.name)
    if step == branch.step:
        raise ValueError(f"two of its results would be named {branch.name!r}; give every temperature once")
    if step is not None:
        raise ValueError(f"its result and one of step {step!r} would both be named {branch.name!r}; rename a step")


def _continues_search(step: Step, before: Step) -> bool:
    return before.prepares and step.sources == [before.name]


def _branches_of(step: Step, incoming: Sequence[Branch | None]) -> list[Branch]:
    """Every incoming state (None: the start) at every temperature of the step."""
    several_steps = len(step.sources) > 1
    branches = []
    for origin, source in enumerate(incoming):
        before = None if source is None else source.temperature_k
        from_step, from_variant = (_START, "") if source is None else (source.step, source.variant)
        inherited = (from_step, from_variant) if several_steps else (from_variant,)
        for temperature in step.temperatures_k:
            own = temperature_label(temperature) if temperature is not None and len(step.temperatures_k) > 1 else ""
            variant = VARIANT_SEPARATOR.join(part for part in (*inherited, own) if part)
            branches.append(
                Branch(
                    name=result_name(step.name, variant),
                    step=step.name,
                    variant=variant,
                    source=None if source is None else source.name,
                    origin=origin,
                    start_temperature_k=before,
                    temperature_k=before if temperature is None else temperature,
                )
            )
    return branches
