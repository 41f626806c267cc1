"""Step `snapshots`: inherent structures of runs; the lowest formation energy is the amorphous limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jobflow import Flow, Job, Response, job

from tachylite.analysis.structure import checked_to_be_solid, crystallinity_of
from tachylite.flows.steps.base import Inputs, Member, Start, StepMaker
from tachylite.jobs.engine import Relaxed, in_place, relax
from tachylite.jobs.references import above_crystal, formation_energy_of, reference_energies
from tachylite.physics.thermodynamics.energies import amorphous_limit
from tachylite.schemas import Trajectory
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.steps.snapshots import Snapshot, Snapshots, SnapshotsResult
from tachylite.units import FS_PER_PS

type Relaxations = Sequence[Sequence[tuple[float, Relaxation]]]
"""Of every member: times in fs, and the structures relaxed from them."""


@job
def relax_snapshots(
    maker: "SnapshotsMaker", sources: Sequence[Sequence[Start]], trajectories: Sequence[Sequence[Trajectory | None]]
) -> list[list[tuple[float, Relaxed]]] | Response[None]:
    """Relax frames of every run, evenly spaced up to its end; time in fs beside each."""
    settings = maker.step
    relaxed: list[list[tuple[float, Relaxed]]] = []
    jobs: list[Job] = []
    # trajectories lie beside the results of the same steps, so their branches are the same
    recorded = [member.source for member in maker.members(trajectories)]
    for member, trajectory in zip(maker.members(sources), recorded, strict=True):
        if not isinstance(trajectory, Trajectory) or member.state is None or not isinstance(settings, Snapshots):
            relaxed.append([])
            continue
        frames = _frames(trajectory, settings.count, settings.interval_ps)
        structures, more = relax(
            maker.engine,
            [trajectory.frame(i) for i in frames],
            relax_cell=settings.relax_cell,
            labels=[f"snapshot {n + 1}" for n in range(len(frames))],
        )
        jobs += more
        times = [float(trajectory.times_fs[i]) for i in frames]
        relaxed.append(list(zip(times, structures, strict=True)))
    answer: list[list[tuple[float, Relaxed]]] | Response[None] = in_place(jobs, relaxed)
    return answer


@job
def analyse_snapshots(
    maker: "SnapshotsMaker",
    sources: Sequence[Sequence[Start]],
    relaxations: Relaxations,
    references: References | None,
) -> list[SnapshotsResult]:
    """Formation energies of relaxed snapshots; the lowest is the amorphous limit."""
    members = maker.members(sources)
    return [_result(member, taken, references) for member, taken in zip(members, relaxations, strict=True)]


@dataclass
class SnapshotsMaker(StepMaker):
    """Relax snapshots of the runs of every member."""

    jobs: ClassVar = {"relaxation": (relax_snapshots,), "analysis": (analyse_snapshots,)}

    def make(self, inputs: Inputs) -> Flow:
        """Relax, then compare energies."""
        relaxation = relax_snapshots(self, inputs.sources, inputs.trajectories)
        relaxation.name = self.name
        analysis = analyse_snapshots(self, inputs.sources, relaxation.output, inputs.references)
        analysis.name = f"{self.name} analysis"
        return Flow([relaxation, analysis], output={"results": analysis.output}, name=self.name)


def _frames(trajectory: Trajectory, count: int, interval_ps: float) -> list[int]:
    """Frames nearest to `count` times an interval apart, the last of them at the end of the run."""
    times = np.asarray(trajectory.times_fs)
    wanted = times[-1] - interval_ps * FS_PER_PS * np.arange(count)
    return sorted({int(np.abs(times - time).argmin()) for time in wanted if time > 0})


def _result(
    member: Member, taken: Sequence[tuple[float, Relaxation]], references: References | None
) -> SnapshotsResult:
    if member.state is None:
        return SnapshotsResult(**member.skipped_fields())
    if not taken:
        reason = "the run that it continues has recorded no frame after its start"
        return SnapshotsResult(status="failed", reason=reason, **member.result_fields)
    snapshots = [
        Snapshot(
            time_fs=time,
            relaxation=relaxation,
            formation_energy_ev_per_atom=formation_energy_of(relaxation, references),
            order=crystallinity_of(relaxation.state) if relaxation.status == "converged" else None,
        )
        for time, relaxation in ((time, checked_to_be_solid(relaxation)) for time, relaxation in taken)
    ]
    amorphous = [s for s in snapshots if not s.crystallised]
    energies = [s.formation_energy_ev_per_atom for s in amorphous if s.formation_energy_ev_per_atom is not None]
    converged = [s.relaxation.energy_ev_per_atom for s in amorphous if s.relaxation.status == "converged"]
    lowest = min(converged, default=None)
    limit = amorphous_limit(energies) if energies else None
    return SnapshotsResult(
        status="completed" if energies else "failed",
        reason=None if energies else _why_none(snapshots),
        formation_energy_ev_per_atom=None if limit is None else limit.lowest,
        mean_formation_energy_ev_per_atom=limit.mean if limit is not None and len(energies) > 1 else None,
        above_crystal_ev_per_atom=None if lowest is None else above_crystal(lowest, references, member.number),
        reference_energies_ev_per_atom=reference_energies(references),
        snapshots=snapshots,
        n_crystallised=len(snapshots) - len(amorphous),
        **member.result_fields,
    )


def _why_none(snapshots: Sequence[Snapshot]) -> str:
    """Why no snapshot counts for the amorphous limit."""
    crystal = next((snapshot.order for snapshot in snapshots if snapshot.crystallised), None)
    if crystal is None:
        return "no snapshot has both converged and references to compare with"
    number = sum(snapshot.crystallised for snapshot in snapshots)
    return f"{number} of {len(snapshots)} snapshots have {crystal.as_failure}"
