"""Soft-sphere repulsion that removes overlaps from a random packing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.engines.potentials.loading import import_torch_sim
from tachylite.schemas import State

if TYPE_CHECKING:
    from torch import Tensor

_MAX_STEPS = 1000
_CHECK_EVERY = 10
_REMAINING_OVERLAP = 0.02
_REMAINING_FORCE_EV_A = 1e-3
"""Below it a minimum is reached, and the overlaps that are left have nowhere to go."""


def remove_overlaps(state: State, symbols: Sequence[str], diameters: NDArray[np.float64]) -> State:
    """Push atoms apart until no pair is closer than 98 % of its diameter, or none gives way, in at most 1,000 steps.

    FIRE (DOI 10.1103/PhysRevLett.97.170201) in a fixed periodic cell on

        E = sum_ij (epsilon / 2) (1 - r_ij / d_ij)^2,  r_ij < d_ij

    =========  ================================================================
    r_ij       distance of a pair, in A
    d_ij       its diameter: `diameters`, in A, rows in the order of `symbols`
    epsilon    1 eV
    =========  ================================================================

    One pair's term is at most E, so sqrt(2 E / epsilon) bounds every overlap. Positions come back wrapped.
    """
    import_torch_sim()
    import torch
    import torch_sim
    from torch_sim.models.pair_potential import PairPotentialModel
    from torch_sim.models.soft_sphere import MultiSoftSpherePairFn
    from torch_sim.optimizers import fire_init, fire_step

    sigma = torch.as_tensor(diameters, dtype=torch.float64)
    spheres = MultiSoftSpherePairFn(
        atomic_numbers=torch.tensor([atomic_numbers[symbol] for symbol in symbols]),
        sigma_matrix=sigma,
        epsilon_matrix=torch.ones_like(sigma),
    )
    model = PairPotentialModel(
        spheres, cutoff=float(sigma.max()), neighbor_list_fn=_sorted_pairs, reduce_to_half_list=True
    )
    bare = torch_sim.initialize_state(state.atoms, device=torch.device("cpu"), dtype=torch.float64)
    fire = fire_init(bare, model)
    for step in range(_MAX_STEPS):
        if step % _CHECK_EVERY == 0 and (
            float(2 * fire.energy) <= _REMAINING_OVERLAP**2 or float(fire.forces.abs().max()) < _REMAINING_FORCE_EV_A
        ):
            break
        fire = fire_step(fire, model, max_step=0.1 * len(state.numbers) ** 0.5)
    cell = np.asarray(state.cell)
    fractional = np.linalg.solve(cell.T, fire.positions.numpy().T).T % 1.0
    return state.model_copy(update={"positions": (fractional @ cell).tolist()})


def _sorted_pairs(**search: Any) -> "tuple[Tensor, Tensor, Tensor]":
    """Pairs in one order, whichever neighbour lists are installed, so that their sums have the same last digit.

    By the first atom, by the lattice shift between the two when they are wrapped into the cell, or by its opposite,
    negative ones first, and by the second atom.
    """
    import torch
    from torch_sim.neighbors import torch_nl_linked_cell

    pairs, systems, shifts = torch_nl_linked_cell(**search)
    shifts = shifts.round()
    cells = (search["positions"] @ torch.linalg.inv(search["cell"][0])).floor()
    between = shifts + cells[pairs[1]] - cells[pairs[0]]
    # that of the first component that is not zero
    sign = (between.sign() @ torch.tensor([9.0, 3.0, 1.0], dtype=between.dtype)).sign()
    outward = torch.where(sign < 0, -1.0, 1.0)[:, None] * between
    order = torch.arange(len(systems))
    for key in (pairs[1], sign, *outward.unbind(dim=1)[::-1], pairs[0]):
        order = order[key[order].argsort(stable=True)]
    return pairs[:, order], systems[order], shifts[order]
