"""Thermostats between the calls of pw.x: its own fail with given velocities, and draw from a seed that nobody knows."""

from typing import Literal

import numpy as np

from tachylite.arrays import Array
from tachylite.units import EV_PER_U_A2_FS2, KB_EV

type Thermostat = Literal["nose-hoover", "langevin", "none"]
"""As segments name them."""

_RELAXATION_TIME_FS = 100.0
"""Of both thermostats, as in the other engines."""


def apply_thermostat(
    velocities: Array,
    masses: Array,
    thermostat: Thermostat,
    temperature_k: float,
    elapsed_fs: float,
    rng: np.random.Generator,
) -> Array:
    """Velocities (N, 3) in A/fs after a thermostat has acted for a time at once; masses (N,) in u.

    `langevin` replaces a part of every velocity by a random one (Ornstein-Uhlenbeck); `nose-hoover` stands for
    constant temperature with little effect on the motion, and rescales all of them by one random factor (Bussi et
    al., DOI 10.1063/1.2408420). Both leave the canonical distribution as it is, whatever the time. The centre of mass
    stays at rest, as pw.x keeps it.
    """
    if thermostat == "none":
        return velocities
    decay = float(np.exp(-elapsed_fs / _RELAXATION_TIME_FS))
    if thermostat == "langevin":
        width = np.sqrt(KB_EV * temperature_k / EV_PER_U_A2_FS2 / masses)[:, None]
        mixed = decay * velocities + np.sqrt(1 - decay**2) * width * rng.standard_normal(velocities.shape)
        return np.asarray(mixed - (masses[:, None] * mixed).sum(axis=0) / masses.sum())
    freedoms = max(3 * len(masses) - 3, 1)
    kinetic = kinetic_energy(velocities, masses)
    if kinetic <= 0:
        return velocities
    share = KB_EV * temperature_k / 2 / kinetic  # of one degree of freedom at the target
    first = rng.standard_normal()
    others = float(rng.chisquare(freedoms - 1)) if freedoms > 1 else 0.0
    factor = decay + share * (1 - decay) * (first**2 + others) + 2 * first * np.sqrt(decay * (1 - decay) * share)
    return np.asarray(velocities * np.sqrt(max(factor, 0.0)))


def kinetic_energy(velocities: Array, masses: Array) -> float:
    """Kinetic energy in eV of velocities (N, 3) in A/fs and masses (N,) in u."""
    return float((masses[:, None] * np.square(velocities)).sum() / 2 * EV_PER_U_A2_FS2)
