"""Makers of the stages of a usual protocol: melt, anneal, quench, amorphous limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from jobflow import Flow, OutputReference

from tachylite.flows.steps import follow
from tachylite.flows.steps.base import EngineMaker, Starts
from tachylite.schemas import Protocol, Step, Trajectory
from tachylite.schemas.relaxation import References


@dataclass
class MeltMaker(EngineMaker):
    """Melt every structure: the steps of the protocol up to its first hold.

    The flow's output holds `results` (a `HoldResult` for each) and `trajectories`, in the order of the cohort.
    """

    name: str = "melt"

    def make(self, structures: Starts) -> Flow:
        """Melt from packed structures, or whatever else."""
        return _stage(self, melt_steps(self.protocol), structures)


@dataclass
class AnnealMaker(EngineMaker):
    """Take melts (or structures) to every temperature at which the protocol holds them after the melt.

    The flow's output is that of `MeltMaker`, the temperatures of one member beside each other.
    """

    name: str = "anneal"

    def make(self, structures: Starts) -> Flow:
        """Anneal what `MeltMaker` left; raises ValueError where the protocol has no such step."""
        melt = melt_steps(self.protocol)
        holding = {step.kind for step in melt}
        return _stage(self, _continuing(self.protocol, melt[-1].name, holding), structures)


@dataclass
class QuenchMaker(EngineMaker):
    """Quench melts along the ramps of the protocol, and whatever it does with the glass: relax, strain.

    The flow's output holds `results` of the last of these steps, and `by_step` those of each.
    """

    name: str = "quench"

    def make(self, structures: Starts, references: References | OutputReference | None = None) -> Flow:
        """Quench what `MeltMaker` left; formation energies where references are given."""
        ramps = [step for step in self.protocol.steps if step.kind == "ramp"]
        names = {name for ramp in ramps for name in (ramp.name, *_descendants(self.protocol, ramp.name))}
        steps = [step for step in self.protocol.steps if step.name in names]
        return _stage(self, steps, structures, references=references)


@dataclass
class AmorphousLimitMaker(EngineMaker):
    """Relax snapshots of production runs to their inherent structures (DOI 10.1126/sciadv.aaq0148).

    The flow's output holds `results`: a `SnapshotsResult` for each.
    """

    name: str = "amorphous limit"

    def make(
        self,
        structures: Sequence[Trajectory | None] | OutputReference,
        references: References | OutputReference | None = None,
    ) -> Flow:
        """Take snapshots from the trajectories that `MeltMaker` left."""
        steps = [step for step in self.protocol.steps if step.needs_trajectories]
        return _stage(self, steps, structures, trajectories=structures, references=references)


def melt_steps(protocol: Protocol) -> list[Step]:
    """The steps up to the first that is no mere preparation."""
    preparing = list(takewhile(lambda step: step.prepares, protocol.steps))
    return protocol.steps[: len(preparing) + 1]


def held_at(protocol: Protocol, temperature_k: float) -> Protocol:
    """The melt of a protocol, and after it the same steps at another temperature.

    The hold at that temperature is as long as the longest of the protocol.
    """
    melt = melt_steps(protocol)
    if protocol.branches_of(melt[-1].name)[0].temperature_k == temperature_k:
        return protocol.model_copy(update={"steps": melt})
    length = max(step.recorded_ps for step in protocol.steps if step.kind == melt[-1].kind)
    before, steps = melt[-1].name, list(melt)
    for step in melt:
        changes: dict[str, Any] = {
            "name": f"{step.name}-at-{temperature_k:g}K",
            "sources": [before],
            "temperature_k": [temperature_k],
        }
        changes |= {"time_ps": length} if step is melt[-1] else {}
        steps.append(step.model_copy(update=changes))
        before = steps[-1].name
    return protocol.model_copy(update={"steps": steps})


def _continuing(protocol: Protocol, name: str, kinds: set[str]) -> list[Step]:
    """Steps of some kinds that continue a step, or one another after it."""
    reached, steps = {name}, []
    for step in protocol.steps:
        if step.kind in kinds and step.name not in reached and reached.issuperset(step.sources) and step.sources:
            reached.add(step.name)
            steps.append(step)
    return steps


def _descendants(protocol: Protocol, name: str) -> set[str]:
    reached = {name}
    for step in protocol.steps:
        if reached.intersection(step.sources):
            reached.add(step.name)
    return reached - {name}


def _stage(
    maker: EngineMaker,
    steps: Sequence[Step],
    structures: Starts,
    *,
    trajectories: Sequence[Trajectory | None] | OutputReference = (),
    references: References | OutputReference | None = None,
) -> Flow:
    if not steps:
        raise ValueError(f"protocol {maker.protocol.name} has no step for {maker.name}")
    flows, outputs = follow(maker, steps, structures, trajectories=trajectories, references=references)
    return Flow([*flows], output=outputs[steps[-1].name] | {"by_step": outputs}, name=maker.name)
