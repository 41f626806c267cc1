"""Makers of steps: a module for each kind, found by being here, and the loop that follows a protocol."""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from jobflow import Flow, OutputReference

from tachylite.flows.steps.base import EngineMaker, Inputs, Resource, Starts, StepMaker
from tachylite.schemas import Step, Trajectory
from tachylite.schemas.relaxation import References
from tachylite.schemas.steps import KINDS

type Outputs = dict[str, dict[str, Any]]
"""By the name of a step: references to its `results` and, after molecular dynamics, its `trajectories`."""


def maker_of(step: Step, maker: EngineMaker) -> StepMaker:
    """The Maker of a step, with the engine, protocol and seed of another."""
    module = import_module(f"{__name__}.{step.kind}")
    (kind,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, StepMaker) and value.__module__ == module.__name__
    )
    made: StepMaker = kind(step.name, maker.engine, maker.protocol, maker.seed)
    return made


def follow(
    maker: EngineMaker,
    steps: Sequence[Step],
    start: Starts,
    *,
    trajectories: Sequence[Trajectory | None] | OutputReference = (),
    references: References | OutputReference | None = None,
) -> tuple[list[Flow], Outputs]:
    """Take a cohort through steps of the maker's protocol: their flows, and what these leave.

    Steps that continue none of the others start from `start`, and take snapshots of `trajectories`.
    """
    flows: list[Flow] = []
    outputs: Outputs = {}
    outside = {"results": start, "trajectories": trajectories}
    for step in steps:
        before = [outputs.get(name, outside) for name in step.sources] or [outside]
        inputs = Inputs(
            [output["results"] for output in before],
            [output.get("trajectories", ()) for output in before] if step.needs_trajectories else (),
            references,
        )
        flow = maker_of(step, maker).make(inputs)
        flows.append(flow)
        outputs[step.name] = flow.output
    return flows, outputs


def jobs_by_resource() -> Iterator[tuple[Resource, Callable[..., Any]]]:
    """Every job of every kind of step with what it needs of a machine."""
    for kind in KINDS:
        import_module(f"{__name__}.{kind}")
    for maker in _subclasses(StepMaker):  # type: ignore[type-abstract]  # none of it is made here
        for resource, jobs in maker.jobs.items():
            yield from ((resource, function) for function in jobs)


def _subclasses(kind: type[StepMaker]) -> Iterator[type[StepMaker]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
