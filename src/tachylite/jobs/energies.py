"""Energies at zero temperature: snapshots, glasses, elements and crystals, relaxed with one engine."""

from collections.abc import Sequence

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from tachylite.engines.workdir import current_workdir, shared_workdir
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.physics.elements import reference_crystal
from tachylite.schemas import Protocol, References, Relaxation, Run, State, Trajectory
from tachylite.units import FS_PER_PS


@job
def relax_references(
    engine: EngineLike, starts: Sequence[Structure | State], crystals: Sequence[Structure | None]
) -> References:
    """Relax the elements of a cohort, each in its ground state, and the crystals given for its members.

    The answers are kept: another campaign with the same elements does not compute them again.
    """
    states = [State.from_structure(s) if isinstance(s, Structure) else s for s in starts]
    elements = sorted({symbol for state in states for symbol in state.elements})
    known = [State.from_structure(c) for c in crystals if c is not None]
    wanted = {f"element {e}": _element(e) for e in elements}
    wanted |= {f"crystal {s.formula} {i}": s for i, s in enumerate(known)}
    engine = resolve_engine(engine)
    relaxed = iter(
        # one by one, so that each is found again whatever it is asked for with
        engine.relax([state], shared_workdir(), relax_cell=True, labels=[label])[0]
        for label, state in wanted.items()
    )
    return References(
        elements={e: next(relaxed) for e in elements},
        crystals=[next(relaxed) if c is not None else None for c in crystals],
    )


@job
def relax_snapshots(
    engine: EngineLike, trajectories: Sequence[Trajectory | None], protocol: Protocol
) -> list[list[tuple[float, Relaxation]]]:
    """Relax frames of every production run, evenly spaced up to its end; time in fs beside each."""
    settings = protocol.snapshots
    if settings is None:
        raise ValueError(f"protocol {protocol.name} has no snapshots")
    results: list[list[tuple[float, Relaxation]]] = []
    for trajectory in trajectories:
        if trajectory is None:
            results.append([])
            continue
        frames = _snapshot_frames(trajectory, settings.count, settings.interval_ps)
        relaxed = resolve_engine(engine).relax(
            [trajectory.frame(i) for i in frames],
            current_workdir(),
            relax_cell=settings.relax_cell,
            labels=[f"snapshot {n + 1}" for n in range(len(frames))],
        )
        results.append([(float(trajectory.times_fs[i]), r) for i, r in zip(frames, relaxed, strict=True)])
    return results


@job
def relax_glasses(engine: EngineLike, runs: Sequence[Run | None]) -> list[Relaxation | None]:
    """Relax the end of every quench, with its cell."""
    states = [r.final for r in runs if r is not None and r.status == "completed"]
    answers = iter(
        resolve_engine(engine).relax(
            [s.model_copy(update={"velocities": None}) for s in states],
            current_workdir(),
            relax_cell=True,
            labels=["glass"] * len(states),
        )
        if states
        else []
    )
    return [next(answers) if r is not None and r.status == "completed" else None for r in runs]


def _snapshot_frames(trajectory: Trajectory, count: int, interval_ps: float) -> list[int]:
    """Frames nearest to `count` times an interval apart, the last of them at the end of the run."""
    times = np.asarray(trajectory.times_fs)
    wanted = times[-1] - interval_ps * FS_PER_PS * np.arange(count)
    return sorted({int(np.abs(times - t).argmin()) for t in wanted if t > 0})


def _element(symbol: str) -> State:
    crystal = reference_crystal(symbol)
    return State(numbers=crystal.numbers.tolist(), positions=crystal.positions.tolist(), cell=crystal.cell.tolist())
