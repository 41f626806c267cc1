"""Langevin dynamics with noise that is given, so that each member of a batch can have its own."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_sim.integrators.md import momentum_step, position_step


def langevin_step(
    state: Any, potential: Callable[[Any], dict[str, Tensor]], *, dt: Tensor, kT: Tensor, gamma: float, noise: Tensor
) -> Any:
    r"""Take one step of Langevin dynamics by the splitting BAOAB (DOI 10.1098/rspa.2016.0138).

    Kicks and drifts by TorchSim, in its units; between the two half drifts

    $$ p \leftarrow e^{-\gamma \Delta t} p + \sqrt{m k T (1 - e^{-2 \gamma \Delta t})}\, R $$

    | symbol | variable |
    |---|---|
    | p, m | `state.momenta` (n_atoms, 3), `state.masses` (n_atoms,) |
    | k T | `kT` (n_systems,), eV |
    | R | `noise` (n_atoms, 3), standard normal |
    """
    kept = torch.exp(-gamma * dt)
    state = position_step(momentum_step(state, dt / 2), dt / 2)
    width = (state.masses * kT[state.system_idx] * (1 - kept**2)).sqrt()
    state.momenta = kept * state.momenta + width[:, None] * noise
    state = position_step(state, dt / 2)
    result = potential(state)
    state.energy, state.forces = result["energy"], result["forces"]
    return momentum_step(state, dt / 2)
