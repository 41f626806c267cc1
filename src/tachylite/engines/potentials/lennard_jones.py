"""The Lennard-Jones potential, cheap and analytic, for tests and teaching."""

from typing import Any

import torch
from torch import Tensor
from torch_sim.state import SimState

from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.model import NeighborModel
from tachylite.engines.potentials.neighbors import collect
from tachylite.errors import InputError

ARGON_SIGMA = 3.405
"""A (Rahman 1964, DOI 10.1103/PhysRev.136.A405)."""
ARGON_EPSILON = 0.0103238
"""eV: 119.8 K times the Boltzmann constant (the same)."""


class LennardJonesPotential(NeighborModel):
    r"""Lennard-Jones 12-6 with shifted force, the same for all elements; the default parameters are those of argon.

    The force is shifted to vanish at the cutoff and the energy is its integral, so that both are continuous
    and energy is conserved (Toxvaerd and Dyre 2011, DOI 10.1063/1.3558787):

    $$ u(r) = v(r) - v(r_c) - (r - r_c) v'(r_c), \quad
       v(r) = 4 \epsilon \left[ (\sigma/r)^{12} - (\sigma/r)^6 \right] $$

    | symbol | variable |
    |---|---|
    | sigma | `sigma`, A |
    | epsilon | `epsilon`, eV |
    | r_c | `cutoff`, A; 2.5 sigma if not given |
    """

    def __init__(
        self,
        sigma: float = ARGON_SIGMA,
        epsilon: float = ARGON_EPSILON,
        *,
        cutoff: float | None = None,
        device: str | torch.device = "cpu",
        compute_stress: bool = True,
        skin: float = 1.0,
    ) -> None:
        reach = 2.5 * sigma if cutoff is None else cutoff
        super().__init__(reach, skin, device, compute_stress=compute_stress)
        self.sigma, self.epsilon, self.cutoff = sigma, epsilon, reach

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN.
        """
        pairs = self.neighbors.pairs(state)
        energy, slope = self._pair(pairs.distances)
        at_cutoff, slope_at_cutoff = self._pair(pairs.distances.new_tensor(self.cutoff))
        energy = energy - at_cutoff - (pairs.distances - self.cutoff) * slope_at_cutoff
        energies = energy.new_zeros(len(state.positions)).index_add_(0, pairs.first, energy)
        if not self._compute_forces:
            return collect(state, pairs, energies, None, compute_stress=False)
        gradient = ((slope - slope_at_cutoff) / pairs.distances)[:, None] * pairs.vectors
        return collect(state, pairs, energies, gradient, compute_stress=self._compute_stress)

    def _pair(self, distances: Tensor) -> tuple[Tensor, Tensor]:
        """Unshifted v(r) in eV and v'(r) in eV/A."""
        sixth = (self.sigma / distances) ** 6
        twelfth = sixth.square()
        return 4 * self.epsilon * (twelfth - sixth), 24 * self.epsilon * (sixth - 2 * twelfth) / distances


def load(model: str | None, device: torch.device) -> LoadedPotential:
    """Make the potential of argon; raises InputError where a model is given, as there is only one."""
    if model is not None:
        raise InputError(f"engine 'lennard-jones' has no model {model!r}; leave the option out")
    argon = LennardJonesPotential(device=device)
    return LoadedPotential(argon, "Lennard-Jones argon", None, frozenset({18}), "float64")
