"""Neighbour lists: pairs of atoms within a cutoff, for a batch of periodic systems."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch_sim.state import SimState

_SMALLEST_HEIGHT = 0.5
"""In A: no potential was made for atoms in a periodic cell thinner than this."""

LARGEST_SEARCH = 2_000_000
"""Number of pairs of atoms up to which all are visited; beyond it a cell list is faster and needs less memory."""


@dataclass(frozen=True)
class Pairs:
    """Every pair of atoms within a cutoff once, sorted by first atom, second atom and periodic image.

    An atom and its own periodic images form pairs too. `first` and `second` are atom indices of shape
    (n_pairs,); `vectors` (n_pairs, 3) point from first to second and `distances` (n_pairs,) are their
    lengths, both in A and float64. `broken` (n_systems,) marks invalid systems: with a position or
    cell that is not finite, or a collapsed cell; they have no pairs.
    """

    first: Tensor
    second: Tensor
    vectors: Tensor
    distances: Tensor
    broken: Tensor


class VerletList:
    """Neighbour list for a batch of periodic systems (Verlet 1967, DOI 10.1103/PhysRev.159.98).

    Pairs up to `cutoff + skin` are searched on the device of the positions and kept until an atom has moved
    by more than half the skin, or the batch has changed; of a cell that has changed, its strain counts too.
    Positions may lie outside the cell; cells may be triclinic and smaller than the cutoff. The order of the
    pairs is canonical and the displacements are computed from the given positions in float64, so that the
    result is the same bit for bit, whenever the list was built.
    """

    def __init__(self, cutoff: float, skin: float = 0.5) -> None:
        self.cutoff = cutoff
        self.skin = skin
        self.builds = 0
        """Number of searches so far."""
        self.reset()

    def reset(self) -> None:
        """Clear the list; the next call searches anew."""
        self._key: tuple[Tensor, Tensor] | None = None
        self._positions: Tensor | None = None
        self._cell = self._cell_of_offsets = torch.empty(0)
        self._first = self._second = self._shifts = self._offsets = self._broken = torch.empty(0)

    def pairs(self, state: "SimState") -> Pairs:
        """Pairs within the cutoff in a state (positions and cell in A, cell vectors as columns).

        Raises TypeError for a state that is not in double precision.
        """
        if state.positions.dtype != torch.float64:
            raise TypeError(f"positions are {state.positions.dtype}: give the state in torch.float64")
        if not self._is_valid(state):
            self._build(state)
        if not torch.equal(self._cell_of_offsets, state.cell):
            self._cell_of_offsets = state.cell.clone()
            cell_of_pair = state.row_vector_cell[state.system_idx[self._first]]
            self._offsets = (self._shifts[:, None, :] @ cell_of_pair).squeeze(1)
        positions = state.positions
        vectors = positions[self._second] - positions[self._first] + self._offsets
        squared = vectors.square().sum(dim=1)
        near = torch.nonzero(squared < self.cutoff**2).squeeze(1)
        return Pairs(
            first=self._first.index_select(0, near),
            second=self._second.index_select(0, near),
            vectors=vectors.index_select(0, near),
            distances=squared.index_select(0, near).sqrt(),
            broken=self._broken,
        )

    def _is_valid(self, state: "SimState") -> bool:
        if self._key is None or self._positions is None or state.positions.shape != self._positions.shape:
            return False
        if not all(torch.equal(old, new) for old, new in zip(self._key, (state.system_idx, state.pbc), strict=True)):
            return False
        if torch.equal(self._cell, state.cell):
            moved = (state.positions - self._positions).square().sum(dim=1).max()
            return bool(moved <= (self.skin / 2) ** 2)
        return self._covers_strained(state, self._positions)

    def _covers_strained(self, state: "SimState", before: Tensor) -> bool:
        """Whether all pairs within the cutoff are in the list, though cells have changed since it was built.

        Atoms of positions x0 were carried along to x0 F by the cells h0, now h = h0 F, and moved by d from there. So
        two that are within the cutoff now were within |1/F| (cutoff + 2 |d|) then.
        """
        cell, built = state.row_vector_cell, self._cell.mT
        deformation = torch.linalg.inv_ex(built)[0] @ cell
        back = torch.linalg.inv_ex(cell)[0] @ built
        identity = torch.eye(3, dtype=cell.dtype, device=cell.device)
        stretch = 1 + torch.linalg.matrix_norm(back - identity)  # no smaller than the spectral norm of 1/F
        moved = state.positions - (before[:, None, :] @ deformation[state.system_idx]).squeeze(1)
        reach = stretch[state.system_idx] * (self.cutoff + 2 * moved.norm(dim=1))
        return bool(reach.max() <= self.cutoff + self.skin)

    def _build(self, state: "SimState") -> None:
        cell, system_idx = state.row_vector_cell, state.system_idx
        self._broken = find_broken(state.positions, cell, state.pbc, system_idx)
        intact = torch.nonzero(~self._broken[system_idx]).squeeze(1)
        renumbered = ((~self._broken).cumsum(0) - 1)[system_idx[intact]]
        search = search_pairs if _search_size(system_idx) <= LARGEST_SEARCH else search_pairs_by_cells
        first, second, shifts = search(
            state.positions[intact], cell[~self._broken], state.pbc, renumbered, self.cutoff + self.skin
        )
        self._first, self._second = intact[first], intact[second]
        self._shifts = shifts
        self._cell, self._cell_of_offsets = state.cell.clone(), torch.empty(0)
        self._key = (state.system_idx.clone(), state.pbc.clone())
        self._positions = state.positions.clone()
        self.builds += 1


def search_pairs(
    positions: Tensor, cell: Tensor, pbc: Tensor, system_idx: Tensor, cutoff: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Find every pair within a cutoff once, over all periodic images.

    All pairs of atoms of a system are visited, with those images only that the two perpendicular distances
    allow along each lattice vector: one image in a cell wider than twice the cutoff.

    Takes positions (n_atoms, 3) in A, inside or outside the cell; cells (n_systems, 3, 3) in A, lattice
    vectors as rows; `pbc` (3,), which of them are periodic; `system_idx` (n_atoms,), ascending; the cutoff
    in A. Returns first atom and second atom (n_pairs,) and lattice shifts of the second (n_pairs, 3), whole
    numbers in double precision, sorted by all three.
    """
    inverse = torch.linalg.pinv(cell)
    fractional = (positions[:, None, :] @ inverse[system_idx]).squeeze(1)
    fractional = torch.where(pbc, fractional, 0.0)
    wraps = fractional.floor()
    fractional = fractional - wraps
    wrapped = positions - (wraps[:, None, :] @ cell[system_idx]).squeeze(1)

    # a lattice shift s along one vector is possible where |s + difference| <= reach, in fractional units
    reach = torch.where(pbc, cutoff * inverse.norm(dim=1), 0.0)
    images = torch.where(pbc, (2 * reach).floor() + 1, 1.0).to(torch.int64)

    first, second = _all_pairs(system_idx)
    system = system_idx[first]
    lowest = torch.where(pbc, (-reach[system] - (fractional[second] - fractional[first])).ceil(), 0.0)
    nearest = wrapped[second] - wrapped[first] + _along(lowest, cell, system)
    pair, steps = _image_steps(images, system)
    system = system[pair]
    vectors = nearest.index_select(0, pair) + _along(steps, cell, system)
    within = torch.nonzero(vectors.square().sum(dim=1) < cutoff**2).squeeze(1)
    pair, steps = pair[within], steps[within]
    first, second, shifts = first[pair], second[pair], lowest[pair] + steps
    keep = (first < second) | _is_positive(shifts)
    first, second, shifts = first[keep], second[keep], shifts[keep]
    return first, second, shifts + wraps[first] - wraps[second]


def _along(shifts: Tensor, cell: Tensor, system: Tensor) -> Tensor:
    """Vectors (n, 3) in A of lattice shifts (n, 3), each in the cell of its system."""
    if len(cell) == 1:
        return shifts @ cell[0]
    x, y, z = (shifts[:, axis, None] * cell[:, axis].index_select(0, system) for axis in range(3))
    return x + y + z


def _image_steps(images: Tensor, system: Tensor) -> tuple[Tensor, Tensor]:
    """For every image of every pair the pair's number (n,), and how many shifts (n, 3) it lies above the lowest.

    Takes the numbers of images along the lattice vectors of every system, (n_systems, 3), and the pairs' systems.
    """
    n_images = images.prod(dim=1)[system]
    pair = torch.arange(len(system), device=system.device).repeat_interleave(n_images)
    counter, (_, y, z) = _counters(n_images), images[system[pair]].unbind(dim=1)
    steps = torch.stack([counter // (y * z), counter // z % y, counter % z], dim=1)
    return pair, steps.to(torch.float64)


def search_pairs_by_cells(
    positions: Tensor, cell: Tensor, pbc: Tensor, system_idx: Tensor, cutoff: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the same pairs as `search_pairs`, with a cell list, in time proportional to the number of atoms."""
    from torch_sim.neighbors import torch_nl_linked_cell

    mapping, _, shifts = torch_nl_linked_cell(positions, cell, pbc.expand(len(cell), 3), cutoff, system_idx)
    first, second = mapping
    shifts = shifts.round()
    keep = (first < second) | ((first == second) & _is_positive(shifts))
    first, second, shifts = first[keep], second[keep], shifts[keep]
    order = torch.arange(len(first), device=first.device)
    for key in (*shifts.unbind(dim=1)[::-1], second, first):
        order = order[key[order].argsort(stable=True)]
    return first[order], second[order], shifts[order]


def _search_size(system_idx: Tensor) -> int:
    """Number of pairs of atoms, without images, that `search_pairs` visits."""
    return int((torch.bincount(system_idx).square().sum() + len(system_idx)) // 2)


def find_broken(positions: Tensor, cell: Tensor, pbc: Tensor, system_idx: Tensor) -> Tensor:
    """Mark invalid systems (n_systems,): not finite, or periodic with a cell thinner than 0.5 A."""
    finite = torch.ones(len(cell), dtype=torch.bool, device=cell.device)
    finite.index_fill_(0, system_idx[~positions.isfinite().all(dim=1)], False)
    finite &= cell.isfinite().all(dim=2).all(dim=1)
    inverse = torch.linalg.pinv(torch.where(finite[:, None, None], cell, torch.eye(3).to(cell)))
    thin: Tensor = pbc & (inverse.norm(dim=1) > 1 / _SMALLEST_HEIGHT)
    return thin.any(dim=1) | ~finite


def _all_pairs(system_idx: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs (i, j) with i <= j of atoms in the same system, sorted."""
    counts = torch.bincount(system_idx)
    atoms = torch.arange(len(system_idx), device=system_idx.device)
    partners = counts.cumsum(0)[system_idx] - atoms
    first = atoms.repeat_interleave(partners)
    return first, first + _counters(partners)


def _counters(counts: Tensor) -> Tensor:
    """0 .. n-1 for every n in `counts`, one after the other."""
    ends = counts.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    return torch.arange(total, device=counts.device) - (ends - counts).repeat_interleave(counts)


def _is_positive(shifts: Tensor) -> Tensor:
    """Whether the first component that is not zero is positive."""
    x, y, z = shifts.unbind(dim=1)
    return (x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))


def collect(
    state: "SimState", pairs: Pairs, energies: Tensor, gradient: Tensor | None, *, compute_stress: bool
) -> dict[str, Tensor]:
    r"""Sum energies of atoms and gradients of pairs to the results of a TorchSim model.

    $$ F_i = \sum_{(i,j)} g_{ij} - \sum_{(j,i)} g_{ji}, \quad
       \sigma = \frac{1}{V} \sum_{(i,j)} r_{ij} \otimes g_{ij}, \quad g_{ij} = \partial E / \partial r_{ij} $$

    | symbol | variable |
    |---|---|
    | r_ij | `pairs.vectors`, from first to second atom |
    | g_ij | `gradient` (n_pairs, 3), eV/A; None for the energy alone |

    `energies` (n_atoms,) are in eV. Invalid systems get NaN.
    """
    n_systems = len(state.cell)
    invalid = torch.where(pairs.broken, torch.nan, 0.0).to(torch.float64)
    energy = energies.new_zeros(n_systems).index_add_(0, state.system_idx, energies)
    results = {"energy": energy + invalid}
    if gradient is None:
        return results
    # the same sums as by index_add_, which takes four times as long on a CPU
    first, second = (atoms[:, None].expand_as(gradient) for atoms in (pairs.first, pairs.second))
    forces = torch.zeros_like(state.positions).scatter_add_(0, first, gradient).scatter_add_(0, second, -gradient)
    results["forces"] = forces + invalid[state.system_idx, None]
    if compute_stress:
        products = (pairs.vectors[:, :, None] * gradient[:, None, :]).flatten(1)
        virial = products.new_zeros(n_systems, 9).index_add_(0, state.system_idx[pairs.first], products)
        volume = torch.linalg.det(state.cell).abs()
        results["stress"] = virial.view(-1, 3, 3) / volume[:, None, None] + invalid[:, None, None]
    return results
