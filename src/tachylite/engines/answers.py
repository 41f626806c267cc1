"""Answers of an engine: the document of a run from its time series, and finished answers kept in a work folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.base import Answer
from tachylite.engines.workdir import write_answer, write_atomically
from tachylite.errors import InputError
from tachylite.physics.statistics import detect_equilibration, estimate_mean
from tachylite.schemas import Measured, Provenance, Request, Run, Segment, State, Trajectory
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import SegmentResult
from tachylite.units import GPA_PER_EV_A3, KB_EV

_RUN, _RELAXATION = "run.json", "relaxation.json"


SERIES = (
    *("time_fs", "segment", "target_temperature_k", "temperature_k", "energy_ev"),
    *("pressure_virial_gpa", "pressure_total_gpa", "volume_a3"),
)
"""What an engine records of every step; the first two are the same for all members of a batch."""


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
    stated_force_error_ev_a: float | None = None,
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
        stated_force_error_ev_a=stated_force_error_ev_a,
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


def total_pressure_gpa(virial_gpa: Array, temperature_k: Array, n_atoms: int, volume_a3: float | Array) -> Array:
    r"""Pressure with the kinetic part that the stress of a static calculation lacks: P = P_virial + N k T / V.

    ======  =======================================================
    symbol  meaning
    ======  =======================================================
    P       total pressure, in GPa
    N       atoms in the cell of volume V, in A^3
    k T     Boltzmann constant times the temperature, in K
    ======  =======================================================
    """
    return np.asarray(virial_gpa + n_atoms * KB_EV * temperature_k / volume_a3 * GPA_PER_EV_A3)


def load_answer(folder: Path, label: str) -> Answer | None:
    """The finished answer in a work folder, under a label; None where there is none."""
    finished = folder / _RUN
    if not finished.exists():
        return None
    run = Run.model_validate_json(finished.read_bytes()).model_copy(update={"label": label})
    frames = folder / f"{run.trajectory_id}.h5"
    return Answer(run, None if run.trajectory_id is None else Trajectory.load(frames))


def keep_answer(folder: Path, answer: Answer) -> bool:
    """Write a completed answer to its work folder, and say whether it was one.

    A failed run is not kept, so that it is tried again: the reason may lie with the machine.
    """
    if answer.run.status != "completed":
        return False
    if answer.trajectory is not None:
        write_atomically(folder / f"{answer.trajectory.sha256}.h5", answer.trajectory.h5md)
    write_answer(folder / _RUN, answer.run.model_dump_json().encode())
    return True


def load_relaxation(folder: Path, label: str) -> Relaxation | None:
    """The finished relaxation in a work folder, under a label; None where there is none."""
    finished = folder / _RELAXATION
    if not finished.exists():
        return None
    return Relaxation.model_validate_json(finished.read_bytes()).model_copy(update={"label": label})


def keep_relaxation(folder: Path, relaxation: Relaxation) -> bool:
    """Write a converged relaxation to its work folder, and say whether it was one."""
    if relaxation.status != "converged":
        return False
    write_answer(folder / _RELAXATION, relaxation.model_dump_json().encode())
    return True


def relaxation_by_calls(
    state: State,
    last: Mapping[str, Any],
    stress_gpa: Array | None,
    provenance: Provenance,
    *,
    program: str,
    details: dict[str, Any],
    **fields: Any,
) -> Relaxation:
    """The document of a relaxation by successive calls of a program, from the record of the last of them.

    The record (empty where no call made a step) holds `energy_ev`, `max_force_ev_a` and the program's `version`.
    Provenance gets that version and the `details`; `fields` are the document's others that do not follow from these.
    """
    n_atoms = len(state.numbers)
    versions = {program: last["version"]} if last else {}
    return Relaxation(
        status="converged" if fields["reason"] is None else "failed",
        formula=state.formula,
        n_atoms=n_atoms,
        energy_ev_per_atom=last.get("energy_ev", float("nan")) / n_atoms,
        max_force_ev_a=last.get("max_force_ev_a", float("nan")),
        pressure_gpa=float("nan") if stress_gpa is None else -float(np.trace(stress_gpa)) / 3,
        stress_gpa=None if stress_gpa is None else stress_gpa.tolist(),
        state=state,
        provenance=provenance.model_copy(
            update={"versions": provenance.versions | versions, "options": provenance.options | details}
        ),
        **fields,
    )


def reason_against(check: Callable[[], object]) -> str | None:
    """The message of an InputError that a check raises, which ends one member and not the others; None without."""
    try:
        check()
    except InputError as error:
        return str(error)
    return None
