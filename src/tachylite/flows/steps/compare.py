"""Step `compare`: frames of runs computed by another engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jobflow import Flow, job

from tachylite.analysis.evaluation import errors_of_frames, mean_over_frames
from tachylite.engines import get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.engines.workdir import current_workdir
from tachylite.flows.steps.base import Inputs, Member, Start, StepMaker
from tachylite.schemas import Trajectory
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.steps.compare import Compare, CompareResult
from tachylite.stores.labels import label_frames
from tachylite.units import GPA_PER_EV_A3


@job
def compare_frames(
    maker: "CompareMaker", sources: Sequence[Sequence[Start]], trajectories: Sequence[Sequence[Trajectory | None]]
) -> list[CompareResult]:
    """Compute frames of every run with the other engine, and say how far it is from them."""
    settings = maker.step
    # trajectories lie beside the results of the same steps, so their branches are the same
    recorded = [member.source for member in maker.members(trajectories)]
    return [
        _compare(settings, member, trajectory)
        if member.state is not None and isinstance(settings, Compare)
        else CompareResult(**member.skipped_fields())
        for member, trajectory in zip(maker.members(sources), recorded, strict=True)
    ]


@dataclass
class CompareMaker(StepMaker):
    """Compare frames of the runs of every member with another engine."""

    jobs: ClassVar = {"relaxation": (compare_frames,)}

    def make(self, inputs: Inputs) -> Flow:
        """Compute and compare in one job."""
        comparison = compare_frames(self, inputs.sources, inputs.trajectories)
        comparison.name = self.name
        return Flow([comparison], output={"results": comparison.output}, name=self.name)


def _compare(settings: Compare, member: Member, trajectory: Start) -> CompareResult:
    fields = member.result_fields | {"state": member.state}
    frames = list(label_frames(trajectory, "", "")) if isinstance(trajectory, Trajectory) else []
    if not frames:
        reason = "the run that it continues has recorded no frame with forces"
        return CompareResult(status="failed", reason=reason, **fields)
    every = sorted({round(i) for i in np.linspace(0, len(frames) - 1, settings.frames + 1)[1:].tolist()})
    chosen = [frames[i] for i in every]
    engine = get_engine(settings.engine, **settings.options)
    points = compute_single_points(engine, [frame.state for frame in chosen], current_workdir())
    pairs = [(frame, point) for frame, point in zip(chosen, points, strict=True) if point.reason is None]
    fields["level"] = engine.provenance().level
    reasons = list(dict.fromkeys(point.reason for point in points if point.reason is not None))
    if len(pairs) < 2:
        return CompareResult(status="failed", reason=f"fewer than two frames were computed: {reasons[0]}", **fields)
    return CompareResult(status="completed", partial_reasons=reasons, **_differences(pairs), **fields)


def _differences(pairs: Sequence[tuple[LabelledFrame, SinglePoint]]) -> dict[str, Any]:
    """What the run has above the other engine, over frames."""
    frames, points = zip(*pairs, strict=True)
    energies = np.array([(f.label.energy_ev - p.energy_ev) / len(f.state.numbers) for f, p in pairs])
    pressures = [
        float(np.trace(p.stress_ev_a3 - f.label.stress_ev_a3) / 3 * GPA_PER_EV_A3)
        for f, p in pairs
        if f.label.stress_ev_a3 is not None and p.stress_ev_a3 is not None
    ]
    return {
        "n_frames": len(pairs),
        "energy_above_ev_per_atom": mean_over_frames(energies),
        "energy_scatter_ev_per_atom": float(energies.std(ddof=1)),
        "force_rmse_ev_a": errors_of_frames(frames, points)[1],
        "pressure_above_gpa": mean_over_frames(np.array(pressures)) if len(pressures) == len(pairs) else None,
    }
