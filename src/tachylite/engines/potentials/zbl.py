"""Repulsion of nuclei at short distances, to add to a potential that was not trained on such pairs."""

from typing import Any

import numpy as np
import torch
from ase.data import covalent_radii
from torch import Tensor
from torch_sim.state import SimState

from tachylite.engines.potentials.model import NeighborModel, PotentialModel, PotentialSum
from tachylite.engines.potentials.neighbors import collect

_COULOMB_EV_A = 14.399645478
"""e^2 / (4 pi eps0) in eV A (CODATA 2018, DOI 10.1103/RevModPhys.93.025010)."""

_SCREENING_LENGTH_A = 0.8854 * 0.529177210903
"""Universal screening length, for Z1^0.23 + Z2^0.23 = 1."""

_AMPLITUDES = (0.18175, 0.50986, 0.28022, 0.02817)
_EXPONENTS = (3.1998, 0.94229, 0.4029, 0.20162)

INNER, OUTER = 0.3, 0.55
"""Distances, in sums of the covalent radii, between which the repulsion is switched off.

The shortest bonds, in uranyl and vanadyl, have 0.68 and 0.72, the closest pair in a melt of Li3PO4 at 5000 K 0.56.
CHGNet without repulsion attracts most pairs below 0.5.
"""


class ZblPotential(NeighborModel):
    r"""Universal screened repulsion of nuclei, switched off smoothly inside the shortest bonds.

    Ziegler, Biersack and Littmark, The Stopping and Range of Ions in Solids, Pergamon 1985 (summed up in
    DOI 10.1016/j.nimb.2010.02.091). Energy, force and force constant are continuous everywhere.

    $$ u(r) = \frac{e^2}{4 \pi \epsilon_0} \frac{Z_1 Z_2}{r} \phi\!\left(\frac{r}{a}\right) s(x), \quad
       \phi(y) = \sum_k A_k e^{-B_k y}, \quad a = \frac{0.8854\, a_0}{Z_1^{0.23} + Z_2^{0.23}} $$
    $$ s(x) = 1 - 10 x^3 + 15 x^4 - 6 x^5, \quad x = \frac{r / (R_1 + R_2) - x_i}{x_o - x_i} \in [0, 1] $$

    | symbol | variable |
    |---|---|
    | A_k, B_k | `_AMPLITUDES`, `_EXPONENTS` |
    | a | `_SCREENING_LENGTH_A` over Z1^0.23 + Z2^0.23, A |
    | R | covalent radii, A (Cordero et al. 2008, DOI 10.1039/B801115J) |
    | x_i, x_o | `INNER`, `OUTER` |
    """

    def __init__(self, *, device: str | torch.device = "cpu", compute_stress: bool = True, skin: float = 1.0) -> None:
        super().__init__(2 * OUTER * float(covalent_radii.max()), skin, device, compute_stress=compute_stress)
        self._radii = torch.as_tensor(covalent_radii, dtype=torch.float64, device=self._device)
        numbers = np.arange(len(covalent_radii))
        self._powers = torch.as_tensor(numbers**0.23, dtype=torch.float64, device=self._device)
        self._amplitudes = torch.tensor(_AMPLITUDES, dtype=torch.float64, device=self._device)
        self._exponents = torch.tensor(_EXPONENTS, dtype=torch.float64, device=self._device)

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN.
        """
        pairs = self.neighbors.pairs(state)
        first, second = state.atomic_numbers[pairs.first], state.atomic_numbers[pairs.second]
        bonds = self._radii[first] + self._radii[second]
        near = torch.nonzero(pairs.distances < OUTER * bonds).squeeze(1)
        energy = torch.zeros_like(pairs.distances)
        slope = torch.zeros_like(pairs.distances)
        energy[near], slope[near] = self._pair(pairs.distances[near], first[near], second[near], bonds[near])
        energies = energy.new_zeros(len(state.positions)).index_add_(0, pairs.first, energy)
        if not self._compute_forces:
            return collect(state, pairs, energies, None, compute_stress=False)
        gradient = (slope / pairs.distances)[:, None] * pairs.vectors
        return collect(state, pairs, energies, gradient, compute_stress=self._compute_stress)

    def _pair(self, r: Tensor, first: Tensor, second: Tensor, bonds: Tensor) -> tuple[Tensor, Tensor]:
        """Energy u(r) in eV and u'(r) in eV/A, each (n_pairs,)."""
        inverse_length = (self._powers[first] + self._powers[second]) / _SCREENING_LENGTH_A
        terms = self._amplitudes * torch.exp(-self._exponents * (r * inverse_length)[:, None])
        screening = terms.sum(dim=1)
        screening_slope = -inverse_length * (self._exponents * terms).sum(dim=1)
        bare = _COULOMB_EV_A * (first * second).to(r.dtype) / r
        x = ((r / bonds - INNER) / (OUTER - INNER)).clamp(min=0.0)
        switch = 1 - x**3 * (10 - 15 * x + 6 * x**2)
        switch_slope = -30 * (x * (1 - x)).square() / (OUTER - INNER) / bonds
        energy = bare * screening
        slope = bare * (screening_slope - screening / r)
        return energy * switch, slope * switch + energy * switch_slope


def with_zbl(potential: PotentialModel) -> PotentialSum:
    """Add the repulsion of nuclei to a potential; energies at ordinary bond lengths stay as they are."""
    return PotentialSum(potential, ZblPotential(device=potential.device))
