"""Random numbers of thermostats and barostats, each member of a batch its own, and Langevin dynamics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_sim.integrators.md import momentum_step, position_step

VELOCITIES, THERMOSTAT, BAROSTAT = range(3)
"""Purposes of random numbers, which have separate streams."""

_STEPS_AT_ONCE = 16


def draw(seed: int, purpose: int, count: int, n_atoms: int, *, block: int = 0) -> NDArray[np.float64]:
    """Draw standard normal numbers, (count, n_atoms, 3); the same for the same arguments on every machine.

    The generator is the counter-based Philox (Salmon et al. 2011, DOI 10.1145/2063384.2063405): blocks are 2^128
    numbers apart, so that a run continues at any step without a stored state.
    """
    return _generator(seed, purpose, block).standard_normal((count, n_atoms, 3))


def _generator(seed: int, purpose: int, block: int) -> np.random.Generator:
    bits = np.random.Philox(key=np.array([seed % 2**64, purpose], dtype=np.uint64), counter=[0, 0, block, 0])
    return np.random.Generator(bits)


class Noise:
    """Random forces of a Langevin thermostat: standard normal numbers for a batch at every step."""

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int], device: torch.device, dtype: torch.dtype) -> None:
        self._seeds, self._sizes = seeds, sizes
        self._device, self._dtype = device, dtype
        self._block = -1
        self._numbers = torch.empty(0)

    def at(self, step: int) -> Tensor:
        """Numbers for every atom at a step, (n_atoms, 3)."""
        block, place = divmod(step, _STEPS_AT_ONCE)
        if block != self._block:
            members = zip(self._seeds, self._sizes, strict=True)
            numbers = [draw(seed, THERMOSTAT, _STEPS_AT_ONCE, size, block=block) for seed, size in members]
            self._numbers = torch.from_numpy(np.concatenate(numbers, axis=1)).to(self._device, self._dtype)
            self._block = block
        return self._numbers[place]


@dataclass(frozen=True)
class CellNoise:
    """Random numbers of one step at constant temperature and pressure, for every member."""

    before: tuple[Tensor, Tensor]
    """Of the velocities before the forces are computed: standard normal, and chi squared of the other degrees of
    freedom, both (n_members,)."""
    after: tuple[Tensor, Tensor]
    volume: Tensor
    """Standard normal, (n_members,)."""
    shear: Tensor
    """Symmetric, (n_members, 3, 3): half the sum of a standard normal matrix and its transpose."""


class RescalingNoise:
    """Random numbers of velocity and cell rescaling for a batch at every step."""

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int], device: torch.device, dtype: torch.dtype) -> None:
        self._members = list(zip(seeds, sizes, strict=True))
        self._device, self._dtype = device, dtype
        self._block = -1
        self._normal = self._chi_squared = torch.empty(0)

    def at(self, step: int) -> CellNoise:
        """Numbers for every member at a step."""
        block, place = divmod(step, _STEPS_AT_ONCE)
        if block != self._block:
            drawn = [self._draw(seed, size, block) for seed, size in self._members]
            self._normal, self._chi_squared = (
                torch.from_numpy(np.stack(numbers, axis=1)).to(self._device, self._dtype)
                for numbers in zip(*drawn, strict=True)
            )
            self._block = block
        normal, chi_squared = self._normal[place], self._chi_squared[place]
        matrix = normal[:, 3:].reshape(-1, 3, 3)
        return CellNoise(
            before=(normal[:, 0], chi_squared[:, 0]),
            after=(normal[:, 1], chi_squared[:, 1]),
            volume=normal[:, 2],
            shear=(matrix + matrix.mT) / 2,
        )

    @staticmethod
    def _draw(seed: int, n_atoms: int, block: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        generator = _generator(seed, BAROSTAT, block)
        others = max(3 * n_atoms - 4, 1)  # degrees of freedom without the drift of the cell, less one
        return generator.standard_normal((_STEPS_AT_ONCE, 12)), generator.chisquare(others, (_STEPS_AT_ONCE, 2))


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
    damping = torch.exp(-gamma * dt)
    state = position_step(momentum_step(state, dt / 2), dt / 2)
    width = (state.masses * kT[state.system_idx] * (1 - damping**2)).sqrt()
    state.momenta = damping * state.momenta + width[:, None] * noise
    state = position_step(state, dt / 2)
    result = potential(state)
    state.energy, state.forces = result["energy"], result["forces"]
    return momentum_step(state, dt / 2)
