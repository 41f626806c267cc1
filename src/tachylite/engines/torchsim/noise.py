"""Random numbers of the members: each has its own, whoever is in the batch with it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

VELOCITIES, THERMOSTAT = range(2)
"""What the numbers are for."""

_STEPS_AT_ONCE = 16


def draw(seed: int, purpose: int, count: int, n_atoms: int, *, block: int = 0) -> NDArray[np.float64]:
    """Standard normal numbers, (count, n_atoms, 3); the same for the same arguments, on every machine and device.

    By the counter-based generator Philox (Salmon et al. 2011, DOI 10.1145/2063384.2063405): blocks are 2^128
    numbers apart, so that a run goes on at any step without a state to be kept.
    """
    bits = np.random.Philox(key=np.array([seed % 2**64, purpose], dtype=np.uint64), counter=[0, 0, block, 0])
    return np.random.Generator(bits).standard_normal((count, n_atoms, 3))


class Noise:
    """Normal numbers of a batch at a step."""

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int], device: torch.device, dtype: torch.dtype) -> None:
        self._seeds, self._sizes = seeds, sizes
        self._device, self._dtype = device, dtype
        self._block = -1
        self._numbers = torch.empty(0)

    def at(self, step: int) -> Tensor:
        """For every atom, (n_atoms, 3)."""
        block, place = divmod(step, _STEPS_AT_ONCE)
        if block != self._block:
            members = zip(self._seeds, self._sizes, strict=True)
            numbers = [draw(seed, THERMOSTAT, _STEPS_AT_ONCE, size, block=block) for seed, size in members]
            self._numbers = torch.from_numpy(np.concatenate(numbers, axis=1)).to(self._device, self._dtype)
            self._block = block
        return self._numbers[place]
