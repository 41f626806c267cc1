"""London dispersion, DFT-D3 with the damping of Becke and Johnson, to add to a potential without it."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_sim.state import SimState

from tachylite.engines.potentials.dispersion_parameters import Damping, reference_coefficients
from tachylite.engines.potentials.model import NeighborModel, PotentialModel, PotentialSum
from tachylite.engines.potentials.neighbors import Pairs, collect
from tachylite.units import BOHR_A, HARTREE_EV

INNER_A, OUTER_A = 10.0, 18.0
"""Distances between which the pair energies are switched off; what lies beyond is integrated."""

COUNTED_A = 17.0
"""Distance from which on neighbours are no longer counted in full: the function that counts them never vanishes."""

_TAIL_STEPS = 200
"""Intervals of the numerical integral between these distances."""

_STEEPNESS = 16.0
"""k1 of the coordination number."""
_SHARPNESS = 4.0
"""k3 of the weights of the reference systems."""


class _Kinds(NamedTuple):
    """The elements of a batch: each atom's position in the table of elements, and tables over them."""

    kinds: Tensor
    """(n_atoms,)"""
    radii: Tensor
    """Covalent radii times 4/3 in A, (n_kinds,)."""
    ratio: Tensor
    """C8 / C6 in A^2, (n_kinds, n_kinds)."""
    damping: Tensor
    """Damping radii in A, (n_kinds, n_kinds)."""
    coefficients: Tensor
    """C6 in eV A^6 between reference systems, (n_kinds * 5, n_kinds * 5)."""
    coordination: Tensor
    """Coordination numbers of the reference systems, (n_kinds, 5); infinite where there is none."""


class DispersionPotential(NeighborModel):
    r"""Pairwise dispersion energy D3(BJ).

    Grimme, Antony, Ehrlich and Krieg 2010 (DOI 10.1063/1.3382344) with the damping of Grimme, Ehrlich and Goerigk
    2011 (DOI 10.1002/jcc.21759); without the three-body term, as is usual in plane-wave codes.

    $$ E = -\sum_{(i,j)} C_6^{ij} \left[ \frac{s_6}{r^6 + f^6} + \frac{3 s_8 q_i q_j}{r^8 + f^8} \right],
       \quad f = a_1 \sqrt{3 q_i q_j} + a_2 $$
    $$ C_6^{ij} = \sum_{ab} w_a^i w_b^j C_6^{ab}, \quad w_a^i \propto e^{-k_3 (N_i - N_a)^2}, \quad
       N_i = \sum_j \frac{1}{1 + e^{-k_1 (R_{ij} / r - 1)}} $$

    | symbol | variable |
    |---|---|
    | s6, s8, a1, a2 | `damping`, fitted to a functional |
    | C_6^ab, N_a | C6 between reference systems, their coordination numbers |
    | q_i q_j | C8 / 3 C6 |
    | R_ij | 4/3 of the sum of covalent radii |
    | k1, k3 | `_STEEPNESS`, `_SHARPNESS` |

    The sum is over all periodic images: pairs are switched off smoothly between `INNER_A` and `OUTER_A`, and the
    remainder is integrated at the mean density, in cells that are periodic in all directions. Against a sum over
    the reciprocal lattice this leaves less than 1e-5 eV/atom in crystals and glasses. Energy and forces are continuous.
    """

    def __init__(
        self,
        damping: Damping,
        *,
        device: str | torch.device = "cpu",
        compute_stress: bool = True,
        skin: float = 3.0,
    ) -> None:
        super().__init__(OUTER_A, skin, device, compute_stress=compute_stress)
        self.damping = damping
        tables = reference_coefficients()
        self._radii = self._tensor(tables.radii_bohr) * BOHR_A
        self._charges = self._tensor(tables.charges_bohr) * BOHR_A
        self._coefficients = self._tensor(tables.c6_hartree_bohr6) * HARTREE_EV * BOHR_A**6
        self._coordination = self._tensor(tables.coordination)

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN.
        """
        pairs = self.neighbors.pairs(state)
        elements = self._kinds(state)
        first, second = elements.kinds[pairs.first], elements.kinds[pairs.second]
        count, count_slope = _counting(pairs.distances, elements.radii[first] + elements.radii[second])
        coordination = count.new_zeros(len(state.positions))
        coordination.index_add_(0, pairs.first, count).index_add_(0, pairs.second, count)

        places = _Places(state)
        weights, weight_slopes = _weights(coordination, elements)
        weights, weight_slopes = places.scatter(weights), places.scatter(weight_slopes)
        c6 = weights @ elements.coefficients @ weights.mT
        geometry, geometry_slope = self._geometry(pairs.distances, elements, first * len(elements.radii) + second)
        pair_places = places.of_pairs(pairs)
        sums = torch.zeros_like(c6)
        sums.view(-1).index_add_(0, pair_places, geometry)
        tail = self._tail(state, elements, places)
        energies = places.gather((c6 * (sums + tail)).sum(dim=2))
        if not self._compute_forces:
            return collect(state, pairs, energies, None, compute_stress=False)

        both = sums + sums.mT + 2 * tail
        by_coordination = places.gather(((weight_slopes @ elements.coefficients @ weights.mT) * both).sum(dim=2))
        slope = c6.view(-1)[pair_places] * geometry_slope
        slope += (by_coordination[pairs.first] + by_coordination[pairs.second]) * count_slope
        gradient = (slope / pairs.distances)[:, None] * pairs.vectors
        results = collect(state, pairs, energies, gradient, compute_stress=self._compute_stress)
        if self._compute_stress:  # the tail goes with the density
            tail_stress = -(c6 * tail).sum(dim=(1, 2)) / torch.linalg.det(state.cell).abs()
            if bool(state.pbc.all()):
                results["stress"] += tail_stress[:, None, None] * torch.eye(3, dtype=self.dtype, device=self.device)
        return results

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=self._device)

    def _kinds(self, state: SimState) -> _Kinds:
        numbers, kinds = torch.unique(state.atomic_numbers, return_inverse=True)
        charges = self._charges[numbers]
        ratio = 3 * charges[:, None] * charges
        blocks = self._coefficients[numbers[:, None], numbers]
        return _Kinds(
            kinds=kinds,
            radii=self._radii[numbers],
            ratio=ratio,
            damping=self.damping.a1 * ratio.sqrt() + self.damping.a2_bohr * BOHR_A,
            coefficients=blocks.transpose(1, 2).reshape(5 * len(numbers), 5 * len(numbers)),
            coordination=self._coordination[numbers],
        )

    def _geometry(self, r: Tensor, elements: _Kinds, pair_kinds: Tensor) -> tuple[Tensor, Tensor]:
        """Pair energy over C6 in A^-6 and its slope in A^-7, each (n_pairs,)."""
        s6, c8 = self.damping.s6, (self.damping.s8 * elements.ratio).view(-1)[pair_kinds]
        r2 = r.square()
        r6 = r2 * r2 * r2
        q6 = 1 / (r6 + elements.damping.pow(6).view(-1)[pair_kinds])
        q8 = 1 / (r6 * r2 + elements.damping.pow(8).view(-1)[pair_kinds])
        energy = -(s6 * q6 + c8 * q8)
        slope = r2 * r2 * r * (6 * s6 * q6.square() + 8 * c8 * r2 * q8.square())
        switch, switch_slope = _switch(r, INNER_A)
        return energy * switch, slope * switch + energy * switch_slope

    def _tail(self, state: SimState, elements: _Kinds, places: "_Places") -> Tensor:
        """Energy over C6 of every pair of atoms (n_systems, n, n), from images that are switched off, in A^-6."""
        if not bool(state.pbc.all()):
            return torch.zeros((), dtype=torch.float64, device=self._device)
        by_kind = self.damping.s6 * _tail_integral(6, elements.damping)
        by_kind += self.damping.s8 * elements.ratio * _tail_integral(8, elements.damping)
        kinds = places.scatter(torch.nn.functional.one_hot(elements.kinds, len(elements.radii)).to(torch.float64))
        volumes: Tensor = torch.linalg.det(state.cell).abs()
        return -2 * math.pi / volumes[:, None, None] * (kinds @ by_kind @ kinds.mT)


class _Places:
    """Where the atoms of a batch stand in arrays of one row a system, padded to the largest."""

    def __init__(self, state: SimState) -> None:
        sizes = torch.bincount(state.system_idx, minlength=len(state.cell))
        starts = sizes.cumsum(0) - sizes
        self._systems = state.system_idx
        self._ranks = torch.arange(len(state.system_idx), device=sizes.device) - starts[state.system_idx]
        self._shape = (len(sizes), int(sizes.max()))

    def scatter(self, rows: Tensor) -> Tensor:
        """Rows of the atoms (n_atoms, m) as (n_systems, n, m), zero where there is no atom."""
        padded = rows.new_zeros(*self._shape, rows.shape[1])
        padded[self._systems, self._ranks] = rows
        return padded

    def gather(self, padded: Tensor) -> Tensor:
        """Entries (n_systems, n) of the atoms, as (n_atoms,)."""
        rows: Tensor = padded[self._systems, self._ranks]
        return rows

    def of_pairs(self, pairs: Pairs) -> Tensor:
        """Places of pairs in a flattened array (n_systems, n, n)."""
        rows: Tensor = self._systems[pairs.first] * self._shape[1] + self._ranks[pairs.first]
        return rows * self._shape[1] + self._ranks[pairs.second]


def _counting(r: Tensor, bonds: Tensor) -> tuple[Tensor, Tensor]:
    """By how much a neighbour at distance r adds to a coordination number, and the slope in 1/A."""
    ratio = bonds / r
    count = torch.sigmoid(_STEEPNESS * (ratio - 1))
    slope = -_STEEPNESS * count * (1 - count) * ratio / r
    switch, switch_slope = _switch(r, COUNTED_A)
    return count * switch, slope * switch + count * switch_slope


def _weights(coordination: Tensor, elements: _Kinds) -> tuple[Tensor, Tensor]:
    """Weights of the reference systems of all elements for each atom, (n_atoms, n_kinds * 5), and their slopes."""
    difference = coordination[:, None] - elements.coordination[elements.kinds]
    weights = torch.softmax(-_SHARPNESS * difference.square(), dim=1)
    logarithmic = torch.where(weights > 0, -2 * _SHARPNESS * difference, 0.0)
    slopes = weights * (logarithmic - (weights * logarithmic).sum(dim=1, keepdim=True))
    own = torch.nn.functional.one_hot(elements.kinds, len(elements.radii)).to(weights.dtype)[:, :, None]
    return (own * weights[:, None, :]).flatten(1), (own * slopes[:, None, :]).flatten(1)


def _switch(r: Tensor, inner: float) -> tuple[Tensor, Tensor]:
    """From 1 at `inner` (A) to 0 at `OUTER_A`, with a continuous slope and curvature, and the slope in 1/A."""
    x = ((r - inner) / (OUTER_A - inner)).clamp(0.0, 1.0)
    return 1 - x**3 * (10 - 15 * x + 6 * x.square()), -30 * (x * (1 - x)).square() / (OUTER_A - inner)


def _tail_integral(power: int, damping: Tensor) -> Tensor:
    """Integral of the part of r^2 / (r^power + damping^power) that is switched off, over all r, in A^(3 - power).

    Takes damping radii of any shape in A; beyond `OUTER_A` they are neglected, where they change 0.1 % at most.
    """
    width = (OUTER_A - INNER_A) / _TAIL_STEPS
    r = INNER_A + width * (torch.arange(_TAIL_STEPS, dtype=damping.dtype, device=damping.device) + 0.5)
    switched_off: Tensor = (1 - _switch(r, INNER_A)[0]) * r.square() / (r**power + damping[..., None] ** power)
    return switched_off.sum(dim=-1) * width + OUTER_A ** (3 - power) / (power - 3)


def with_dispersion(potential: PotentialModel, damping: Damping) -> PotentialSum:
    """Add dispersion to a potential."""
    return PotentialSum(potential, DispersionPotential(damping, device=potential.device))
