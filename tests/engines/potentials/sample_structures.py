from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ase import Atoms


def state_of(structures: Sequence[Atoms]) -> Any:
    """A TorchSim state in double precision."""
    from torch_sim.io import atoms_to_state

    return atoms_to_state(list(structures), torch.device("cpu"), torch.float64)


def melt(formula: str, n_units: int, volume_per_atom: float, seed: int, closest: float = 1.6) -> Atoms:
    """Atoms at random in a cubic box, pushed apart until hardly any are closer than `closest` (A)."""
    rng = np.random.default_rng(seed)
    symbols = list(Atoms(formula).symbols) * n_units
    length = (len(symbols) * volume_per_atom) ** (1 / 3)
    positions = rng.random((len(symbols), 3)) * length
    for _ in range(200):
        vectors = positions[:, None] - positions[None]
        vectors -= length * np.round(vectors / length)
        distances = np.linalg.norm(vectors, axis=-1) + 100 * np.eye(len(symbols))
        overlap = np.clip(closest - distances, 0, None) / distances
        positions += 0.25 * (overlap[..., None] * vectors).sum(axis=1)
    return Atoms(symbols, positions=positions, cell=[length] * 3, pbc=True)
