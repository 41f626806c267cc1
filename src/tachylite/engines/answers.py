"""The document of a run from its time series: averages with errors, final state and trajectory."""

from dataclasses import dataclass

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.base import Answer
from tachylite.physics.statistics import detect_equilibration, estimate_mean
from tachylite.schemas import Measured, Provenance, Request, Run, Segment, State, Trajectory
from tachylite.schemas.run import SegmentResult
from tachylite.units import GPA_PER_EV_A3, KB_EV


@dataclass(frozen=True)
class RecordedFrames:
    """Frames of a run: times (F,) in fs, unwrapped positions (F, N, 3) and cells (F, 3, 3), vectors as rows, in A.

    Where they were asked for, also forces (F, N, 3) in eV/A and stresses (F, 3, 3) in eV/A^3, tension positive,
    without the kinetic part.
    """

    times_fs: Array
    positions: Array
    cells: Array
    forces: Array | None = None
    stresses: Array | None = None


def make_answer(
    request: Request,
    *,
    series: dict[str, Array],
    frames: RecordedFrames,
    final: State,
    reason: str | None,
    wall_time_s: float,
    provenance: Provenance,
) -> Answer:
    """Make the document and the trajectory of a run; `reason` says why it ended early, if it did.

    `series` holds one value per step, (n_steps,), under `time_fs`, `segment`, `temperature_k`, `energy_ev`,
    `pressure_virial_gpa`, `pressure_total_gpa`, `volume_a3`, ...
    """
    if request.constant_volume:
        series = {name: values for name, values in series.items() if name != "volume_a3"}
    trajectory = _trajectory(request.state, series, frames)
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


def _trajectory(state: State, series: dict[str, Array], frames: RecordedFrames) -> Trajectory | None:
    if not len(frames.times_fs):
        return None
    energies = None
    if frames.forces is not None:
        energies = series["energy_ev"][np.searchsorted(series["time_fs"], frames.times_fs)]
    return Trajectory.from_arrays(
        numbers=np.array(state.numbers),
        positions=frames.positions,
        cells=frames.cells,
        times_fs=frames.times_fs,
        series=series,
        energies=energies,
        forces=frames.forces,
        stresses=frames.stresses,
    )


def _summarise(segment: Segment, series: dict[str, Array], n_atoms: int) -> SegmentResult:
    """Averages of a segment over the steps after energy, virial and volume have equilibrated."""
    energy = series["energy_ev"] / n_atoms
    virial = series["pressure_virial_gpa"]
    start = max(detect_equilibration(energy), detect_equilibration(virial))
    at_pressure: dict[str, Measured] = {}
    if segment.pressure_gpa is not None:
        volume = series["volume_a3"]
        start = max(start, detect_equilibration(volume))
        kinetic = 1.5 * KB_EV * series["temperature_k"]
        enthalpy = energy + kinetic + segment.pressure_gpa / GPA_PER_EV_A3 * volume / n_atoms
        at_pressure["volume_a3"] = _mean_with_error(volume[start:])
        at_pressure["enthalpy_ev_per_atom"] = _mean_with_error(enthalpy[start:])
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
        **at_pressure,
    )


def _mean_with_error(values: Array) -> Measured:
    estimate = estimate_mean(values)
    return Measured(value=estimate.mean, error=estimate.error)
