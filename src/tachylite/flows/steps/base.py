"""What the Makers of all kinds of steps share: who computes, and what each member continues."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from jobflow import Flow, Maker, OutputReference, Response, job
from pymatgen.core import Structure

from tachylite.analysis.structure import crystallinity_of
from tachylite.configs import load_protocol
from tachylite.jobs.engine import EngineLike, simulate
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.energies import density
from tachylite.schemas import Protocol, Request, Result, Run, Segment, State, Step, Trajectory
from tachylite.schemas.protocol import Branch
from tachylite.schemas.relaxation import References
from tachylite.schemas.steps.base import Dynamics, Ensemble, RunResult
from tachylite.schemas.structure import Crystallinity
from tachylite.units import FS_PER_PS

type Start = Structure | State | Result | Trajectory | None
"""What a step continues; None where nothing was left to continue."""

type Starts = Sequence[Start | OutputReference] | OutputReference
"""Those of a cohort, the branches of one member beside each other."""

type Resource = Literal["dynamics", "relaxation", "analysis"]
"""What a job needs of a machine."""


SAME_VOLUME = 1e-6
"""Relative difference below which a run has the volume of the state that it continues."""


@dataclass
class EngineMaker(Maker):
    """Who computes, by which protocol, from which seed."""

    name: str = "steps"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0


@dataclass(frozen=True)
class Inputs:
    """What a step of a cohort starts from: a list for each of the steps that it continues."""

    sources: Sequence[Starts]
    trajectories: Sequence[Sequence[Trajectory | None] | OutputReference] = ()
    references: References | OutputReference | None = None


@dataclass
class StepMaker(EngineMaker, ABC):
    """Take a cohort through the step of the protocol that has this Maker's name.

    The flow's output holds `results`, the branches of one member beside each other, and after molecular dynamics
    `trajectories` in the same order.
    """

    jobs: ClassVar[Mapping[Resource, Sequence[Callable[..., Any]]]] = {}
    """Its jobs by what they need, where an engine does a whole cohort in one."""

    @property
    def step(self) -> Step:
        """Settings of the step."""
        return self.protocol.step(self.name)

    @property
    def step_seed(self) -> int:
        """Seed of the first branch of the first member."""
        return self.seed + self.protocol.seed_offset(self.name)

    @abstractmethod
    def make(self, inputs: Inputs) -> Flow:
        """Make the flow of the step."""

    def first_request(self, start: State) -> Request | None:
        """The first molecular dynamics that the step asks an engine for; None where it asks for none."""
        return None

    def members(self, sources: Sequence[Sequence[Start]]) -> "list[Member]":
        """Every branch of the step for every member of a cohort, the branches of one member beside each other."""
        return _members_of(self.protocol, self.step, sources)


@dataclass
class DynamicsMaker(StepMaker):
    """Run molecular dynamics of every member, then say what the run means."""

    @abstractmethod
    def request(self, member: "Member", seed: int) -> Request | None:
        """What an engine is asked for; None where there is nothing to continue."""

    @abstractmethod
    def result(self, member: "Member", run: Run | None, trajectory: Trajectory | None) -> Result:
        """What a run gave; without a run, the result that is skipped."""

    def make(self, inputs: Inputs) -> Flow:
        """Run, then analyse."""
        run = run_members(self, inputs.sources)
        run.name = self.name
        runs, trajectories = run.output["runs"], run.output["trajectories"]
        analysis = analyse_runs(self, inputs.sources, runs, trajectories)
        analysis.name = f"{self.name} analysis"
        return Flow([run, analysis], output={"results": analysis.output, "trajectories": trajectories}, name=self.name)

    def first_request(self, start: State) -> Request | None:
        """The run itself."""
        return self.request(self.members([[start]])[0], self.step_seed)


@job(data=Trajectory)
def run_members(maker: DynamicsMaker, sources: Sequence[Sequence[Start]]) -> dict[str, list[Any]] | Response[None]:
    """Run molecular dynamics of every member; None for those without a state to start from."""
    requests = [maker.request(member, maker.step_seed + i) for i, member in enumerate(maker.members(sources))]
    return simulate(maker.engine, requests)


@job
def analyse_runs(
    maker: DynamicsMaker,
    sources: Sequence[Sequence[Start]],
    runs: Sequence[Run | None],
    trajectories: Sequence[Trajectory | None],
) -> list[Result]:
    """Say what every run gave."""
    return [
        maker.result(member, run, trajectory)
        for member, run, trajectory in zip(maker.members(sources), runs, trajectories, strict=True)
    ]


DynamicsMaker.jobs = {"dynamics": (run_members,), "analysis": (analyse_runs,)}


@dataclass(frozen=True)
class Member:
    """A branch of one member of a cohort, with what it continues."""

    branch: Branch
    source: Start
    number: int
    """Of the member in its cohort."""

    @property
    def state(self) -> State | None:
        """The state that is continued; None where there is none."""
        match self.source:
            case Structure():
                return State.from_structure(self.source)
            case Result():
                return self.source.final
            case Trajectory():
                return self.source.frame(-1)
        return self.source

    @property
    def is_crystal(self) -> bool:
        """Whether what is continued is a crystal, so that a crystal after it is no surprise."""
        order = self.source.measured_order if isinstance(self.source, Result) else None
        if order is None and self.state is not None:
            order = crystallinity_of(self.state)
        return order is not None and order.crystalline is True

    @property
    def result_fields(self) -> dict[str, Any]:
        """What every result says of where it comes from."""
        known = self.source if isinstance(self.source, Result) else self.state
        n_atoms = 0 if known is None else known.n_atoms if isinstance(known, Result) else len(known.numbers)
        return {
            "name": self.branch.name,
            "step": self.branch.step,
            "variant": self.branch.variant,
            "source": self.branch.source,
            "formula": "" if known is None else known.formula,
            "n_atoms": n_atoms,
            "temperature_k": self.branch.temperature_k,
        }

    def skipped_fields(self) -> dict[str, Any]:
        """Those of a result that has nothing to continue."""
        reason: str | None = "there is no state to continue"
        if isinstance(self.source, Result):
            failed = self.source.status == "failed"
            reason = f"{self.source.title}: {self.source.reason}" if failed else self.source.reason or reason
        return self.result_fields | {"status": "skipped", "reason": reason}


def _members_of(protocol: Protocol, step: Step, sources: Sequence[Sequence[Start]]) -> list[Member]:
    """Every branch of a step for every member of a cohort, the branches of one member beside each other."""
    counts = protocol.counts_of_sources(step)
    size = len(sources[0]) // counts[0]
    members = []
    for number in range(size):
        incoming = [
            start
            for starts, count in zip(sources, counts, strict=True)
            for start in starts[number * count : (number + 1) * count]
        ]
        members += [Member(branch, incoming[branch.origin], number) for branch in protocol.branches_of(step.name)]
    return members


def segment(
    protocol: Protocol, length_ps: float, start_k: float, end_k: float | None = None, *, step: Ensemble | None = None
) -> Segment:
    """Molecular dynamics at a temperature, or along a ramp, with the protocol's time step and the step's ensemble."""
    at_pressure = step is not None and step.pressure_gpa is not None
    ensemble: dict[str, Any] = step.model_dump(include={"pressure_gpa", "cell"}) if step and at_pressure else {}
    return Segment(
        steps=max(1, round(length_ps * FS_PER_PS / protocol.timestep_fs)),
        temperature_k=start_k,
        end_temperature_k=end_k,
        timestep_fs=protocol.timestep_fs,
        record_every=protocol.record_every,
        **ensemble,
    )


def _start_of(member: Member, step: Dynamics) -> State | None:
    """The state that molecular dynamics starts from.

    The last frame of a run at constant pressure has some volume of its fluctuations; constant volume is their mean.
    """
    state, source = member.state, member.source
    if state is None or step.pressure_gpa is not None or not isinstance(source, RunResult) or source.volume_a3 is None:
        return state
    if source.run is not None and source.run.segments and source.run.last.segment.cell == "normal":
        return state.lengthened_to(source.volume_a3.value)
    return state.scaled_to(source.volume_a3.value)


def dynamics_request(
    member: Member, step: Dynamics, label: str, segments: Sequence[Segment], seed: int
) -> Request | None:
    """What an engine is asked for; None where there is no state to start from."""
    state = _start_of(member, step)
    if state is None:
        return None
    forces = step.record == "forces"
    return Request(label=label, state=state, segments=list(segments), seed=seed, record_forces=forces)


def volume_of(member: Member, run: Run) -> dict[str, Any]:
    """Volume and density of a run; at constant volume with the error of what it was taken from."""
    volume = Measured(value=run.final.volume_a3, error=0.0)
    if run.segments and run.last.segment.end_temperature_k is None and run.last.volume_a3 is not None:
        volume = run.last.volume_a3
    elif isinstance(member.source, Result) and (known := member.source.measured_volume_a3) is not None:
        volume = known if abs(known.value / volume.value - 1) < SAME_VOLUME else volume
    mass_density = density(run.final.atoms.get_masses(), volume.value)
    return {
        "volume_a3": volume,
        "density_g_cm3": Measured(value=mass_density, error=mass_density * (volume.error / volume.value)),
    }


def crystallised(order: Crystallinity, *, from_crystal: bool) -> dict[str, Any]:
    """Status and reason of a result that is a crystal though what it continues is none; else nothing."""
    return {"status": "failed", "reason": order.as_failure} if order.crystalline and not from_crystal else {}


def outcome(run_status: str, reason: str | None) -> dict[str, Any]:
    """Status and reason of a result, from those of its run or relaxation."""
    return {"status": "failed" if run_status == "failed" else "completed", "reason": reason}
