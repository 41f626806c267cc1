"""Learning a potential while exploring with it, until it agrees with its teacher along fresh runs."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore, Maker, OutputReference, Response, job

from tachylite.configs import load_protocol
from tachylite.engines.workdir import content_key, use_workdir
from tachylite.flows.local import run_here
from tachylite.flows.steps import Outputs, follow
from tachylite.flows.steps.base import EngineMaker, Starts
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.potential import ask_teacher, collect_frames, train_committee, write_members
from tachylite.jobs.starts import make_structures
from tachylite.learning.potentials.exploration import holds
from tachylite.schemas import Protocol, Result
from tachylite.schemas.potential import LearnedPotential, LearningRound, PotentialCard, PotentialFiles
from tachylite.schemas.start import PackedStart


@dataclass
class LearnPotentialMaker(Maker):
    """Learn a NEP from a teacher: first frames by the teacher, then rounds of training, exploring and asking.

    In every round a committee is trained on all frames so far, and its first member takes the structures through the
    protocol. The teacher computes frames of these runs, some drawn at random, which tell the error along the runs, and
    those that the committee disagrees most about. It ends when that error, with twice its own, is below the target
    and no run ended early, or when the rounds have ended.

    The flow's output holds `learned` (a `LearnedPotential`) and `archive` (the files by name, in base64).
    """

    name: str = "learn potential"
    teacher: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    """What the student is for; it is tested along these runs."""
    first: Protocol = field(default_factory=lambda: load_protocol("frames"))
    """A short one, by which the teacher makes the first frames."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the training of a NEP."""
    committee: int = 3
    labels: int = 40
    """Frames that the teacher computes in a round."""
    target_ev_a: float = 0.15
    """Root mean square error of the force components along fresh runs."""
    rounds: int = 5
    seed: int = 0

    def make(self, structures: Starts) -> Flow:
        """Learn from structures, each an independent start of the runs."""
        exploring = EngineMaker("first frames", self.teacher, self.first, self.seed)
        flows, outputs = follow(exploring, self.first.steps, structures)
        collecting = collect_frames(trajectories_of(outputs), resolve_engine(self.teacher).provenance().level)
        first = start_round(self, structures, 1, [collecting.output["frames"]], [])
        return Flow([*flows, collecting, first], output=first.output, name=self.name)

    def flow_of(self, formulas: Sequence[str]) -> Flow:
        """Learn from packed structures of formulas."""
        packing = make_structures([PackedStart(formula=formula) for formula in formulas], self.first, self.seed)
        making = self.make([packing.output[index] for index in range(len(formulas))])
        return Flow([packing, making], output=making.output, name=", ".join(formulas))

    def campaign_id(self, formulas: Sequence[str]) -> str:
        """Name of its folder in the work folder: not of the target and the rounds, so that more go on from there."""
        protocols = [protocol.model_dump_json() for protocol in (self.first, self.protocol)]
        numbers = [self.committee, self.labels, self.seed]
        return f"potential-{content_key([*formulas], repr(self.teacher), protocols, self.settings, numbers)}"

    def round(
        self, structures: Starts, number: int, frames: Sequence[str], rounds: Sequence[LearningRound]
    ) -> tuple[list[Any], OutputReference]:
        """Jobs of a round, and the output of the last; `frames` are the names of those that are there so far."""
        training = train_committee(frames, self.settings, self.committee, self.seed + 1000 * number)
        exploring = explore(self, structures, number, training.output)
        asking = ask_teacher(
            exploring.output["trajectories"],
            training.output,
            self.teacher,
            self.labels,
            number,
            self.seed + number,
            exploring.output["failures"],
        )
        known = [*frames, asking.output["frames"]]
        ending = end_round(self, structures, number, known, list(rounds), asking.output["round"], training.output)
        for step in (training, exploring, asking, ending):
            step.name = f"round {number}: {str(step.name).replace('_', ' ')}"
        return [training, exploring, asking, ending], ending.output


def trajectories_of(outputs: Outputs) -> dict[str, Any]:
    """References to the trajectories of the steps that have some."""
    return {name: output["trajectories"] for name, output in outputs.items() if "trajectories" in output}


def run_learn_potential(
    formulas: Sequence[str], maker: LearnPotentialMaker, *, store: JobStore, workdir: Path, file: Path
) -> LearnedPotential:
    """Learn a potential of packed formulas on this machine, and write it with its card; what `maker.make` does.

    After an interruption the same call goes on, and one with more rounds or another target too: what has been computed,
    trained and asked stays in `workdir`.
    """
    campaign = maker.campaign_id(formulas)
    with use_workdir(workdir, campaign):
        responses = run_here(maker.flow_of(formulas), store, campaign)
    outputs = [response.output for index in responses.values() for response in index.values()]
    (output,) = [output for output in outputs if isinstance(output, dict) and "learned" in output]
    learned = PotentialFiles(file).write_learned(LearnedPotential.model_validate(output["learned"]), output["archive"])
    if learned.reached:
        shutil.rmtree(workdir / campaign, ignore_errors=True)
    return learned


@job
def start_round(
    maker: LearnPotentialMaker,
    structures: Starts,
    number: int,
    frames: Sequence[str],
    rounds: Sequence[LearningRound],
) -> Response[None]:
    """Put the jobs of a round in this place."""
    jobs, output = maker.round(structures, number, frames, rounds)
    return Response(replace=Flow(jobs, output=output))


@job
def explore(maker: LearnPotentialMaker, structures: Starts, number: int, potential: dict[str, Any]) -> Response[None]:
    """Put the runs of the student in this place; the output holds `trajectories` by step, and why runs ended early."""
    file, *_ = write_members(PotentialCard.model_validate(potential["card"]), potential["archive"])
    student = EngineMaker("exploration", f"nep:{file}", maker.protocol, maker.seed + 7919 * number)
    flows, outputs = follow(student, maker.protocol.steps, structures)
    failing = failures_of({name: output["results"] for name, output in outputs.items()})
    output = {"trajectories": trajectories_of(outputs), "failures": failing.output}
    return Response(replace=Flow([*flows, failing], output=output))


@job
def failures_of(results: dict[str, Sequence[Result]]) -> list[str]:
    """Why steps failed, each reason once."""
    reasons = [
        f"{name}: {result.reason}"
        for name, members in results.items()
        for result in members
        if result.status == "failed"
    ]
    return list(dict.fromkeys(reasons))


@job(data="archive")
def end_round(
    maker: LearnPotentialMaker,
    structures: Starts,
    number: int,
    frames: Sequence[str],
    rounds: Sequence[LearningRound],
    latest: LearningRound,
    potential: dict[str, Any],
) -> dict[str, Any] | Response[None]:
    """The potential, where it holds along its runs or the rounds have ended; else the next round, in this place."""
    done = [*rounds, latest]
    reached = holds(done, maker.target_ev_a)
    if not reached and number < maker.rounds:
        jobs, output = maker.round(structures, number + 1, frames, done)
        return Response(replace=Flow(jobs, output=output))
    learned = LearnedPotential(
        teacher=resolve_engine(maker.teacher).provenance().level,
        protocol=maker.protocol.name,
        target_ev_a=maker.target_ev_a,
        reached=reached,
        reason=None if reached else f"the rounds have ended, {number} in all",
        rounds=done,
        card=potential["card"],
    )
    return {"learned": learned, "archive": potential["archive"]}
