"""The document of a run from its time series: averages with errors, final state and trajectory."""

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.base import Answer
from tachylite.physics.statistics import detect_equilibration, estimate_mean
from tachylite.schemas import Measured, Provenance, Request, Run, Segment, State, Trajectory
from tachylite.schemas.run import SegmentResult


def make_answer(
    request: Request,
    *,
    series: dict[str, Array],
    times_fs: Array,
    frames: Array,
    final: State,
    reason: str | None,
    wall_time_s: float,
    provenance: Provenance,
) -> Answer:
    """Make the document and the trajectory of a run; `reason` says why it ended early, if it did.

    `series` holds one value per step, (n_steps,), under `time_fs`, `segment`, `temperature_k`, `energy_ev`,
    `pressure_virial_gpa`, `pressure_total_gpa`, ...; frames are positions (F, N, 3) in A at their times (F,).
    """
    trajectory = _trajectory(request.state, series, times_fs, frames)
    run = Run(
        label=request.label,
        status="completed" if reason is None else "failed",
        reason=reason,
        formula=request.state.formula,
        n_atoms=len(request.state.numbers),
        volume_a3=request.state.volume_a3,
        steps=len(series["time_fs"]),
        segments=[
            _summarise(segment, {k: v[series["segment"] == i] for k, v in series.items()}, len(final.numbers))
            for i, segment in enumerate(request.segments)
            if (series["segment"] == i).sum() == segment.steps
        ],
        final=final,
        trajectory_id=None if trajectory is None else trajectory.sha256,
        wall_time_s=wall_time_s,
        provenance=provenance.model_copy(update={"seed": request.seed}),
    )
    return Answer(run=run, trajectory=trajectory)


def _trajectory(state: State, series: dict[str, Array], times: Array, frames: Array) -> Trajectory | None:
    if not len(frames):
        return None
    return Trajectory.from_arrays(
        numbers=np.array(state.numbers),
        positions=frames,
        cells=np.array(state.cell),
        times_fs=times,
        series=series,
    )


def _summarise(segment: Segment, series: dict[str, Array], n_atoms: int) -> SegmentResult:
    """Averages of a segment over the steps after both energy and virial have equilibrated."""
    energy = series["energy_ev"] / n_atoms
    virial = series["pressure_virial_gpa"]
    start = max(detect_equilibration(energy), detect_equilibration(virial))
    half = len(energy) // 2
    drift = float(energy[half:].mean() - energy[:half].mean()) if half else 0.0
    return SegmentResult(
        segment=segment,
        equilibration_steps=start,
        temperature_k=_mean_with_error(series["temperature_k"][start:]),
        energy_ev_per_atom=_mean_with_error(energy[start:]),
        pressure_total_gpa=_mean_with_error(series["pressure_total_gpa"][start:]),
        pressure_virial_gpa=_mean_with_error(virial[start:]),
        energy_drift=drift / max(abs(float(energy.mean())), 1e-12),
    )


def _mean_with_error(values: Array) -> Measured:
    estimate = estimate_mean(values)
    return Measured(value=estimate.mean, error=estimate.error)
