"""Base classes of the potentials of this package, and the sum of several potentials."""

import ctypes
import sys
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch_sim.models.interface import ModelInterface
from torch_sim.state import SimState

from tachylite.engines.potentials.neighbors import VerletList

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 1024**2
"""Larger values are refused on 64-bit systems (mallopt(3))."""


class PotentialModel(ModelInterface):
    """A TorchSim model in double precision, with switches for forces and stress.

    Potentials implement `forward`: energies alone where `compute_forces` is off, no stress where
    `compute_stress` is off, and NaN for a system that cannot be computed, never an exception.
    """

    def __init__(self, device: str | torch.device = "cpu", *, compute_stress: bool = True) -> None:
        super().__init__()
        self._device, self._dtype = torch.device(device), torch.float64
        self._compute_stress, self._compute_forces = compute_stress, True

    @property
    def compute_stress(self) -> bool:
        """Whether the stress is computed."""
        return self._compute_stress

    @compute_stress.setter
    def compute_stress(self, compute_stress: bool) -> None:
        """Switch the stress on or off."""
        self._compute_stress = compute_stress

    @property
    def compute_forces(self) -> bool:
        """Whether forces are computed, and the stress if it is switched on."""
        return self._compute_forces

    @compute_forces.setter
    def compute_forces(self, compute_forces: bool) -> None:
        """Switch forces and stress on or off."""
        self._compute_forces = compute_forces

    @property
    def reasons(self) -> dict[int, str]:
        """Why systems of the last call have NaN, by their position in the batch, where the potential knows."""
        return {}

    def reset(self) -> None:
        """Clear what is cached from earlier calls; results stay the same."""


class NeighborModel(PotentialModel):
    """A model with a neighbour list: pairs within `cutoff` (A), searched to `skin` (A) beyond it."""

    def __init__(
        self, cutoff: float, skin: float, device: str | torch.device = "cpu", *, compute_stress: bool = True
    ) -> None:
        super().__init__(device, compute_stress=compute_stress)
        self.neighbors = VerletList(cutoff, skin)

    def reset(self) -> None:
        """Clear the neighbour list; results stay the same."""
        self.neighbors.reset()


class PotentialSum(PotentialModel):
    """Sum of several potentials on one device.

    A system that one of them cannot compute has NaN in the sum.
    """

    def __init__(self, *parts: PotentialModel) -> None:
        super().__init__(parts[0].device)
        self.parts = parts

    @property
    def compute_stress(self) -> bool:
        """Whether the stress is computed."""
        return self._compute_stress

    @compute_stress.setter
    def compute_stress(self, compute_stress: bool) -> None:
        """Switch the stress on or off."""
        for part in self.parts:
            part.compute_stress = compute_stress
        self._compute_stress = compute_stress

    @property
    def compute_forces(self) -> bool:
        """Whether forces are computed, and the stress if it is switched on."""
        return self._compute_forces

    @compute_forces.setter
    def compute_forces(self, compute_forces: bool) -> None:
        """Switch forces and stress on or off."""
        for part in self.parts:
            part.compute_forces = compute_forces
        self._compute_forces = compute_forces

    @property
    def reasons(self) -> dict[int, str]:
        """Why systems of the last call have NaN, by their position in the batch, where a part knows."""
        return {index: reason for part in self.parts for index, reason in getattr(part, "reasons", {}).items()}

    def reset(self) -> None:
        """Clear what the parts have cached from earlier calls; results stay the same."""
        for part in self.parts:
            part.reset()

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3."""
        total: dict[str, Tensor]
        total, *addends = (part(state) for part in self.parts)
        for addend in addends:
            total = {name: value + addend[name] for name, value in total.items()}
        return total


@cache
def keep_freed_memory() -> bool:
    """Stop the GNU C library from returning freed memory to the kernel; True where this was possible.

    A force call allocates and frees the same few megabytes again and again. By default they are returned to the
    kernel each time and mapped again page by page, which takes up to a third of the call on the CPU.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_M_TRIM_THRESHOLD, 2**30))
