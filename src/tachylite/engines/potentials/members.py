"""A model of a batch from a potential that computes one system at a time."""

import logging
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_sim.state import SimState

from tachylite.arrays import Array
from tachylite.engines.potentials.model import PotentialModel
from tachylite.engines.potentials.neighbors import find_broken

log = logging.getLogger(__name__)


class SingleSystem(Protocol):
    """A potential that computes one system at a time; it may raise any exception."""

    def compute(
        self, numbers: NDArray[np.int64], positions: Array, cell: Array, pbc: NDArray[np.bool_], *, stress: bool
    ) -> tuple[float, Array, Array | float]:
        """Energy in eV, forces (n_atoms, 3) in eV/A, stress (3, 3) in eV/A^3, or NaN where `stress` is false.

        Takes atomic numbers (n_atoms,), positions (n_atoms, 3) and cell vectors as rows (3, 3), both in A.
        """

    def reset(self) -> None:
        """Clear what is cached from earlier calls."""


class MemberModel(PotentialModel):
    """A model of a batch whose systems are computed one by one, on the CPU.

    A system with invalid positions or cell, and one whose calculation raises, gets NaN and leaves the others as they
    are; the reason is kept in `reasons` and logged once.
    """

    def __init__(self, single: SingleSystem, *, compute_stress: bool = True) -> None:
        super().__init__("cpu", compute_stress=compute_stress)
        self.single = single
        self._reasons: dict[int, str] = {}

    @property
    def reasons(self) -> dict[int, str]:
        """Why systems of the last call have NaN, by their position in the batch: the first reason of each."""
        return self._reasons

    def reset(self) -> None:
        """Clear what is cached from earlier calls; results stay the same."""
        self.single.reset()

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3."""
        cells = state.row_vector_cell
        broken = find_broken(state.positions, cells, state.pbc, state.system_idx).tolist()
        ends = torch.bincount(state.system_idx, minlength=len(cells)).cumsum(0).tolist()
        numbers, positions, rows, pbc = (
            tensor.detach().cpu().numpy() for tensor in (state.atomic_numbers, state.positions, cells, state.pbc)
        )
        energy, stress = np.full(len(cells), np.nan), np.full((len(cells), 3, 3), np.nan)
        forces = np.full(positions.shape, np.nan)
        reasons: dict[int, str] = {}
        for index, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if broken[index]:
                reasons[index] = "its positions or cell are no geometry"
                continue
            atoms = slice(start, end)
            try:
                energy_forces_stress = self.single.compute(
                    numbers[atoms], positions[atoms], rows[index], pbc, stress=self._compute_stress
                )
                energy[index], forces[atoms], stress[index] = energy_forces_stress
            except Exception as error:  # a calculator may raise anything, and the other members go on
                energy[index], forces[atoms] = np.nan, np.nan
                reasons[index] = " ".join(f"{type(error).__name__}: {error}".split())
        self._remember(reasons)
        results = {"energy": torch.from_numpy(energy)}
        if self._compute_forces:
            results["forces"] = torch.from_numpy(forces)
            if self._compute_stress:
                results["stress"] = torch.from_numpy(stress)
        return results

    def _remember(self, reasons: dict[int, str]) -> None:
        """Keep the first reason of each system: NaN forces lead to NaN positions, which hide the cause."""
        for index, reason in reasons.items():
            if index not in self._reasons:
                log.warning("system %d of a batch has no energy: %s", index, reason)
        self._reasons = {index: self._reasons.get(index, reason) for index, reason in reasons.items()}
