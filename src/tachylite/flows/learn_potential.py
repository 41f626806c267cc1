"""Learning a potential while exploring with it, until it agrees with its teacher along fresh runs."""

import base64
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
        first = start_round(self, structures, 1, [collecting.uuid], [], collecting.output["n_frames"])
        return Flow([*flows, collecting, first], output=first.output, name=self.name)

    def round(
        self, structures: Starts, number: int, frames: Sequence[str], rounds: Sequence[LearningRound]
    ) -> tuple[list[Any], OutputReference]:
        """Jobs of a round, and the output of the last: `frames` are the jobs that have made some so far."""
        archives = [OutputReference(uuid)["frames"] for uuid in frames]
        training = train_committee(archives, self.settings, self.committee, self.seed + 1000 * number)
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
        ending = end_round(
            self, structures, number, [*frames, asking.uuid], list(rounds), asking.output["round"], training.output
        )
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
    packing = make_structures([PackedStart(formula=formula) for formula in formulas], maker.first, maker.seed)
    making = maker.make([packing.output[index] for index in range(len(formulas))])
    flow = Flow([packing, making], output=making.output, name=", ".join(formulas))
    # not of the target and the rounds: more of them go on from what there is
    protocols = [protocol.model_dump_json() for protocol in (maker.first, maker.protocol)]
    numbers = [maker.committee, maker.labels, maker.seed]
    campaign = f"potential-{content_key([*formulas], repr(maker.teacher), protocols, maker.settings, numbers)}"
    with use_workdir(workdir, campaign):
        responses = run_here(flow, store, campaign)
    outputs = [response.output for index in responses.values() for response in index.values()]
    (output,) = [output for output in outputs if isinstance(output, dict) and "learned" in output]
    learned = LearnedPotential.model_validate(output["learned"])
    contents = {name: base64.b64decode(text) for name, text in output["archive"].items()}
    files = PotentialFiles(file)
    card = files.write(learned.card, contents)
    files.rounds.write_text(learned.model_copy(update={"card": card}).model_dump_json(indent=2), encoding="utf-8")
    if learned.reached:
        shutil.rmtree(workdir / campaign, ignore_errors=True)
    return learned.model_copy(update={"card": card})


@job
def start_round(
    maker: LearnPotentialMaker,
    structures: Starts,
    number: int,
    frames: Sequence[str],
    rounds: Sequence[LearningRound],
    after: object,
) -> Response[None]:
    """Put the jobs of a round in this place, when what it is `after` is done."""
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
