"""Calling an engine from a job."""

import json
from collections.abc import Sequence
from typing import Any

from jobflow import Flow, Job, OutputReference, Response, job

from tachylite.engines import Engine, get_engine
from tachylite.engines.workdir import content_key, current_workdir, shared_workdir, write_atomically
from tachylite.schemas import Request, State, Trajectory
from tachylite.schemas.relaxation import Relaxation

type EngineLike = str | Engine
"""An engine, or the name of one."""

type Relaxed = Relaxation | OutputReference
"""A relaxation, or the output of the job that will make it."""


def resolve_engine(engine: EngineLike) -> Engine:
    """Return the engine itself, given it or its name."""
    return get_engine(engine) if isinstance(engine, str) else engine


def simulate(engine: EngineLike, requests: Sequence[Request | None]) -> dict[str, list[Any]] | Response[None]:
    """Run requests; `runs` and `trajectories` in their order, None where there was no request.

    As one batch, or, where the engine does not batch, as the response that puts a job for each in the place of
    the calling one.
    """
    engine = resolve_engine(engine)
    wanted = [r for r in requests if r is not None]
    if engine.batches or not wanted:
        return _simulated(engine, requests)
    jobs = [_named(simulate_member(engine, r), engine, r.state, r.label) for r in wanted]
    outputs = iter(job.output for job in jobs)
    members = [next(outputs) if r is not None else None for r in requests]
    return in_place(
        jobs,
        {
            "runs": [None if m is None else m["runs"][0] for m in members],
            "trajectories": [None if m is None else m["trajectories"][0] for m in members],
        },
    )


def _simulated(engine: Engine, requests: Sequence[Request | None]) -> dict[str, list[Any]]:
    wanted = [r for r in requests if r is not None]
    answers = iter(engine.run(wanted, current_workdir()) if wanted else [])
    aligned = [next(answers) if r is not None else None for r in requests]
    return {
        "runs": [a.run if a else None for a in aligned],
        "trajectories": [a.trajectory if a else None for a in aligned],
    }


@job(data=Trajectory)
def simulate_member(engine: EngineLike, request: Request) -> dict[str, list[Any]]:
    """Run one request; the output is that of a cohort of one."""
    return _simulated(resolve_engine(engine), [request])


def relax(
    engine: EngineLike, states: Sequence[State], *, relax_cell: bool, labels: Sequence[str], shared: bool = False
) -> tuple[Sequence[Relaxed], list[Job]]:
    """Relax states, and the jobs that do it where the engine does not batch: `in_place` gives them their places.

    `shared` work outlives the campaign, and each answer is kept by itself, so that it is found again whatever it is
    asked for with.
    """
    engine = resolve_engine(engine)
    if not engine.batches:
        jobs = [
            _named(relax_member(engine, state, relax_cell, label, shared), engine, state, label)
            for state, label in zip(states, labels, strict=True)
        ]
        return [job.output for job in jobs], jobs
    if shared:
        return _relax_once(engine, states, relax_cell, labels), []
    return engine.relax(states, current_workdir(), relax_cell=relax_cell, labels=labels) if states else [], []


def _relax_once(engine: Engine, states: Sequence[State], relax_cell: bool, labels: Sequence[str]) -> list[Relaxation]:
    """Relax, as one batch, those states that no earlier call has relaxed at this level of theory."""
    folder, level = shared_workdir(), engine.provenance().model_dump(exclude={"versions", "seed"})
    paths = [folder / f"relaxed-{content_key(level, state.model_dump(), relax_cell)}.json" for state in states]
    missing = list({path: i for i, path in enumerate(paths) if not path.exists()}.values())
    if missing:
        batch, names = [states[i] for i in missing], [labels[i] for i in missing]
        for i, answer in zip(missing, engine.relax(batch, folder, relax_cell=relax_cell, labels=names), strict=True):
            # pydantic's JSON would lose the energy of one that diverged, which is not a number
            write_atomically(paths[i], json.dumps(answer.model_dump()).encode())
    answers = [Relaxation.model_validate(json.loads(path.read_bytes())) for path in paths]
    return [answer.model_copy(update={"label": label}) for answer, label in zip(answers, labels, strict=True)]


@job
def relax_member(engine: EngineLike, state: State, relax_cell: bool, label: str, shared: bool) -> Relaxation:
    """Relax one state."""
    folder = shared_workdir() if shared else current_workdir()
    return resolve_engine(engine).relax([state], folder, relax_cell=relax_cell, labels=[label])[0]


def in_place[Output](jobs: Sequence[Job], output: Output) -> Output | Response[None]:
    """An output as it is, or, where jobs have to be done for it, the response that puts them in the job's place."""
    return Response(replace=Flow(list(jobs), output=output)) if jobs else output


def _named(job: Job, engine: Engine, state: State, label: str) -> Job:
    """Under the engine's name, so that a launcher can give these jobs the machine they need."""
    job.name = f"{engine.name} {state.formula}: {label}"
    return job
