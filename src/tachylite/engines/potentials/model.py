"""What the potentials of this package share: TorchSim's interface, switches for what is computed, a cache to drop."""

import torch
from torch_sim.models.interface import ModelInterface

from tachylite.engines.potentials.neighbors import VerletList


class Model(ModelInterface):
    """A TorchSim model in double precision that says on request energies, forces and stresses.

    `forward` is left to the potential: energies alone where `compute_forces` is off, no stress where
    `compute_stress` is off, and NaN for a system that cannot be computed, never an exception.
    """

    def __init__(self, device: str | torch.device = "cpu", *, compute_stress: bool = True) -> None:
        super().__init__()
        self._device, self._dtype = torch.device(device), torch.float64
        self._compute_stress, self._compute_forces = compute_stress, True

    @ModelInterface.compute_stress.setter
    def compute_stress(self, compute_stress: bool) -> None:
        """Say whether to answer with the stress."""
        self._compute_stress = compute_stress

    @ModelInterface.compute_forces.setter
    def compute_forces(self, compute_forces: bool) -> None:
        """Say whether to answer with forces (and stress), or with the energy alone."""
        self._compute_forces = compute_forces

    @property
    def reasons(self) -> dict[int, str]:
        """Why systems of the last call have NaN, by their position in the batch, where there is more to say."""
        return {}

    def reset(self) -> None:
        """Forget what was kept from earlier calls; the answers stay the same."""


class NeighborModel(Model):
    """A model of pairs: atoms within `cutoff` (A) from a list that reaches by `skin` (A) beyond it."""

    def __init__(
        self, cutoff: float, skin: float, device: str | torch.device = "cpu", *, compute_stress: bool = True
    ) -> None:
        super().__init__(device, compute_stress=compute_stress)
        self.neighbors = VerletList(cutoff, skin)

    def reset(self) -> None:
        """Forget the neighbour list; the answers stay the same."""
        self.neighbors.reset()
