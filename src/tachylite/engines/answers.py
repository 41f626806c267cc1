"""From the series of a run to its document: averages with errors, health of the end, a trajectory."""

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.base import Answer
from tachylite.physics.statistics import detect_equilibration, estimate_mean
from tachylite.schemas import Measured, Provenance, Request, Run, Segment, SegmentResult, State, Trajectory


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
    """Summarise what a request gave; `reason` says why it ended before its time.

    `series` holds a value a step, (n_steps,), under `time_fs`, `segment`, `temperature_k`, `energy_ev`,
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
    """Averages over the part in which both energy and virial have settled."""
    energy = series["energy_ev"] / n_atoms
    virial = series["pressure_virial_gpa"]
    start = max(detect_equilibration(energy), detect_equilibration(virial))
    half = len(energy) // 2
    drift = float(energy[half:].mean() - energy[:half].mean()) if half else 0.0
    return SegmentResult(
        segment=segment,
        equilibration_steps=start,
        temperature_k=_measured(series["temperature_k"][start:]),
        energy_ev_per_atom=_measured(energy[start:]),
        pressure_total_gpa=_measured(series["pressure_total_gpa"][start:]),
        pressure_virial_gpa=_measured(virial[start:]),
        energy_drift=drift / max(abs(float(energy.mean())), 1e-12),
    )


def _measured(values: Array) -> Measured:
    estimate = estimate_mean(values)
    return Measured(value=estimate.mean, error=estimate.error)
