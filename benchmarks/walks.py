"""Trajectories whose diffusivity is known: Brownian walks, and Langevin particles with memory of their velocity."""

import numpy as np
from scipy.signal import lfilter

from tachylite.arrays import Array

STEP_A2 = 0.06
"""Mean squared displacement that diffusion adds in one frame; 6 D in A^2 a frame."""


def brownian(n_frames: int, n_atoms: int, seed: int) -> Array:
    """Independent Gaussian steps, (n_frames, n_atoms, 3) in A."""
    steps = np.random.default_rng(seed).normal(0, (STEP_A2 / 3) ** 0.5, (n_frames, n_atoms, 3))
    return np.cumsum(steps, axis=0)


def langevin(n_frames: int, n_atoms: int, seed: int, memory: float = 5.0) -> Array:
    """Ornstein-Uhlenbeck velocities that last `memory` frames, integrated exactly (Gillespie, DOI
    10.1103/PhysRevE.54.2084), (n_frames, n_atoms, 3) in A."""
    rng = np.random.default_rng(seed)
    variance = STEP_A2 / 6 / memory
    decay = np.exp(-1 / memory)
    vv = variance * (1 - decay**2)
    xx = variance * memory**2 * (2 / memory - 3 + 4 * decay - decay**2)
    xv = variance * memory * (1 - decay) ** 2
    noise = rng.standard_normal((n_frames, n_atoms, 3, 2)) @ np.linalg.cholesky([[vv, xv], [xv, xx]]).T
    start = rng.normal(0, variance**0.5, (1, n_atoms, 3))
    velocities = lfilter([1.0], [1.0, -decay], noise[..., 0], axis=0, zi=decay * start)[0]
    before = np.concatenate([start, velocities[:-1]])
    return np.cumsum(before * (1 - decay) * memory + noise[..., 1], axis=0)
