"""What a trajectory says, as documents; also for trajectories that were not made here."""

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from tachylite.physics import transport
from tachylite.physics.structure import analyse_structure
from tachylite.schemas import Diffusivity, Interval, StructureAnalysis, Trajectory


def measure_diffusivity(trajectory: Trajectory, species: str, temperature_k: float) -> Diffusivity:
    """Measure the tracer diffusivity of one element; frames must be equally spaced in time."""
    numbers = trajectory.numbers
    spacing_fs = float(np.diff(trajectory.times_fs[:2])[0]) if trajectory.n_frames > 1 else 1.0
    indices = np.flatnonzero(numbers == atomic_numbers[species])
    found = transport.diffusivity(trajectory.positions, indices, atomic_masses[numbers], spacing_fs)
    interval = found.interval_cm2_s
    return Diffusivity(
        species=species,
        temperature_k=temperature_k,
        diffusive=found.diffusive,
        reason=found.reason,
        diffusivity_cm2_s=found.diffusivity_cm2_s,
        diffusivity_interval_cm2_s=None if interval is None else Interval(low=interval[0], high=interval[1]),
        upper_bound_cm2_s=found.upper_bound_cm2_s,
        n_independent=found.n_independent,
        lags_fs=found.lags_fs.tolist(),
        msd_a2=found.msd_a2.tolist(),
        msd_error_a2=found.msd_error_a2.tolist(),
        fit_start_fs=found.fit_start_fs,
        intercept_a2=found.intercept_a2,
    )


def measure_structure(
    trajectory: Trajectory, temperature_k: float | None = None, since_fs: float = 0.0
) -> StructureAnalysis:
    """Measure partial g(r) and coordination over the frames from a time on.

    Up to 8 A, and short of the shortest cell edge, where an atom meets its own image.
    """
    frames = trajectory.times_fs >= since_fs
    cells = trajectory.cells[frames]
    r_max_a = min(8.0, float(np.linalg.norm(cells, axis=-1).min()) - 0.1)
    found = analyse_structure(trajectory.positions[frames], cells, trajectory.numbers, r_max_a)
    return StructureAnalysis.model_validate(
        {"temperature_k": temperature_k, "n_frames": int(frames.sum()), **found.as_dict()}
    )
