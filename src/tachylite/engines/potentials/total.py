"""A sum of potentials, as a potential."""

from typing import Any

from torch import Tensor
from torch_sim.models.interface import ModelInterface
from torch_sim.state import SimState

from tachylite.engines.potentials.model import Model


class Total(Model):
    """Energies, forces and stresses of several potentials on one device, added up.

    A system that one of them cannot compute has NaN in the sum.
    """

    def __init__(self, *parts: ModelInterface) -> None:
        super().__init__(parts[0].device)
        self.parts = parts

    @Model.compute_stress.setter
    def compute_stress(self, compute_stress: bool) -> None:
        """Say whether to answer with the stress."""
        for part in self.parts:
            part.compute_stress = compute_stress
        self._compute_stress = compute_stress

    @Model.compute_forces.setter
    def compute_forces(self, compute_forces: bool) -> None:
        """Say whether to answer with forces (and stress), or with the energy alone."""
        for part in self.parts:
            part.compute_forces = compute_forces
        self._compute_forces = compute_forces

    @property
    def reasons(self) -> dict[int, str]:
        """Why systems of the last call have NaN, by their position in the batch, where a part has more to say."""
        return {index: reason for part in self.parts for index, reason in getattr(part, "reasons", {}).items()}

    def reset(self) -> None:
        """Forget what the parts kept from earlier calls; the answers stay the same."""
        for part in self.parts:
            part.reset()

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3."""
        total: dict[str, Tensor]
        total, *others = (part(state) for part in self.parts)
        for answer in others:
            total = {name: value + answer[name] for name, value in total.items()}
        return total
