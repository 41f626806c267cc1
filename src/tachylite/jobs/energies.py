"""Energies at zero temperature: snapshots, glasses, elements and crystals, relaxed with one engine."""

from collections.abc import Sequence

import numpy as np
from jobflow import Job, Response, job
from pymatgen.core import Structure

from tachylite.jobs.engine import EngineLike, Relaxed, in_place, relax
from tachylite.physics.elements import reference_crystal
from tachylite.schemas import Protocol, References, Relaxation, Run, State, Trajectory
from tachylite.units import FS_PER_PS


@job
def relax_references(
    engine: EngineLike, starts: Sequence[Structure | State], crystals: Sequence[Structure | None]
) -> References | Response:
    """Relax the elements of a cohort, each in its ground state, and the crystals given for its members.

    The answers are kept: another campaign with the same elements does not compute them again.
    """
    states = [State.from_structure(s) if isinstance(s, Structure) else s for s in starts]
    elements = sorted({symbol for state in states for symbol in state.elements})
    known = [State.from_structure(c) for c in crystals if c is not None]
    wanted = {f"element {e}": _element(e) for e in elements}
    wanted |= {f"crystal {s.formula} {i}": s for i, s in enumerate(known)}
    relaxed, jobs = relax(engine, list(wanted.values()), relax_cell=True, labels=list(wanted), shared=True)
    if jobs:
        gathering = gather_references(elements, relaxed, crystals)
        return in_place([*jobs, gathering], gathering.output)
    return _references(elements, relaxed, crystals)


@job
def gather_references(
    elements: Sequence[str], relaxed: Sequence[Relaxation], crystals: Sequence[Structure | None]
) -> References:
    """Gather what jobs of their own relaxed."""
    return _references(elements, relaxed, crystals)


def _references(
    elements: Sequence[str], relaxed: Sequence[Relaxed], crystals: Sequence[Structure | None]
) -> References:
    found = iter(relaxed)
    return References(
        elements={e: next(found) for e in elements},
        crystals=[next(found) if c is not None else None for c in crystals],
    )


@job
def relax_snapshots(
    engine: EngineLike, trajectories: Sequence[Trajectory | None], protocol: Protocol
) -> list[list[tuple[float, Relaxed]]] | Response:
    """Relax frames of every production run, evenly spaced up to its end; time in fs beside each."""
    settings = protocol.snapshots
    if settings is None:
        raise ValueError(f"protocol {protocol.name} has no snapshots")
    results: list[list[tuple[float, Relaxed]]] = []
    jobs: list[Job] = []
    for trajectory in trajectories:
        if trajectory is None:
            results.append([])
            continue
        frames = _snapshot_frames(trajectory, settings.count, settings.interval_ps)
        relaxed, more = relax(
            engine,
            [trajectory.frame(i) for i in frames],
            relax_cell=settings.relax_cell,
            labels=[f"snapshot {n + 1}" for n in range(len(frames))],
        )
        jobs += more
        results.append([(float(trajectory.times_fs[i]), r) for i, r in zip(frames, relaxed, strict=True)])
    answer: list[list[tuple[float, Relaxed]]] | Response = in_place(jobs, results)
    return answer


@job
def relax_glasses(engine: EngineLike, runs: Sequence[Run | None]) -> list[Relaxed | None] | Response:
    """Relax the end of every quench, with its cell."""
    states = [r.final for r in runs if r is not None and r.status == "completed"]
    relaxed, jobs = relax(
        engine,
        [s.model_copy(update={"velocities": None}) for s in states],
        relax_cell=True,
        labels=["glass"] * len(states),
    )
    found = iter(relaxed)
    results = [next(found) if r is not None and r.status == "completed" else None for r in runs]
    answer: list[Relaxed | None] | Response = in_place(jobs, results)
    return answer


def _snapshot_frames(trajectory: Trajectory, count: int, interval_ps: float) -> list[int]:
    """Frames nearest to `count` times an interval apart, the last of them at the end of the run."""
    times = np.asarray(trajectory.times_fs)
    wanted = times[-1] - interval_ps * FS_PER_PS * np.arange(count)
    return sorted({int(np.abs(times - t).argmin()) for t in wanted if t > 0})


def _element(symbol: str) -> State:
    crystal = reference_crystal(symbol)
    return State(numbers=crystal.numbers.tolist(), positions=crystal.positions.tolist(), cell=crystal.cell.tolist())
