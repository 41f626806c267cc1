"""What a trajectory says, as documents; also for trajectories that were not made here."""

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from tachylite.jobs.transport import as_document
from tachylite.physics import transport
from tachylite.schemas import Diffusivity, Trajectory


def measure_diffusivity(trajectory: Trajectory, species: str, temperature_k: float) -> Diffusivity:
    """Measure the tracer diffusivity of one element; frames must be equally spaced in time."""
    numbers = trajectory.numbers
    spacing_fs = float(np.diff(trajectory.times_fs[:2])[0]) if trajectory.n_frames > 1 else 1.0
    indices = np.flatnonzero(numbers == atomic_numbers[species])
    found = transport.diffusivity(trajectory.positions, indices, atomic_masses[numbers], spacing_fs)
    return as_document(found, species, temperature_k)
