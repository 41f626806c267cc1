"""Energies, forces and stresses of many structures, in batches."""

from collections.abc import Iterator, Sequence

import torch
from torch_sim.io import atoms_to_state

from tachylite.engines.torchsim.batch import Potential
from tachylite.schemas import State
from tachylite.schemas.evaluation import SinglePoint


def compute_batch(potential: Potential, states: Sequence[State]) -> Iterator[SinglePoint]:
    """Compute structures at once; those that the potential cannot compute are NaN, with its reason."""
    answer = potential(atoms_to_state([state.atoms for state in states], potential.device, torch.float64))
    energies, forces, stresses = (answer[name].detach().cpu().numpy() for name in ("energy", "forces", "stress"))
    reasons = getattr(potential, "reasons", {})
    start = 0
    for index, state in enumerate(states):
        end = start + len(state.numbers)
        yield SinglePoint(float(energies[index]), forces[start:end], stresses[index], reasons.get(index))
        start = end
