"""Constant pressure by stochastic cell rescaling, constant temperature by stochastic velocity rescaling."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_sim.integrators.md import momentum_step

from tachylite.engines.torchsim.thermal_noise import CellNoise
from tachylite.schemas.run import CellShape

type Forces = Callable[[Any], dict[str, Tensor]]

_PROBED_STRAIN = 0.005
"""Relative change of the lengths, to either side, by which a compressibility is estimated: a third of the volume's."""


def cell_rescaling_step(
    state: Any,
    potential: Forces,
    stress: Tensor,
    *,
    dt: Tensor,
    kT: Tensor,
    tau: float,
    pressure: Tensor,
    rate: Tensor,
    shape: CellShape | None,
    noise: CellNoise,
) -> Any:
    r"""Take one step at constant temperature and pressure, in TorchSim's units.

    Half a velocity rescaling (Bussi et al., DOI 10.1063/1.2408420), half a kick, cell rescaling with the drift of the
    atoms (Bernetti and Bussi, DOI 10.1063/5.0020514), forces, and the two halves in reverse order. Of the volume

    $$ d\sqrt{V} = -\frac{r\sqrt{V}}{2} \left(P_0 - P - \frac{kT}{2V}\right) dt + \sqrt{\frac{r\,kT}{2}}\, dW $$

    where P is the mean of the normal pressures, or, for the shape `normal`, the one along the normal of the first two
    lattice vectors, which stay as they are to the last bit. Where the cell is `free`, it is also deformed by the
    exponential of the traceless symmetric (Del Tatto et al., DOI 10.3390/app12031139)

    $$ \frac{r}{3} \left(\mathbf{P} - P\right) dt + \sqrt{\frac{2\,r\,kT}{3V}}\, d\mathbf{W} $$

    in which symmetric noise keeps the cell from turning.

    | symbol | variable |
    |---|---|
    | P, V | internal pressure, of the momenta and `stress` (n_systems, 3, 3); volume |
    | P_0, k T | `pressure` in eV/A^3, `kT` in eV, both (n_systems,) |
    | r | `rate` (n_systems,): compressibility over relaxation time of the volume |

    `tau` is the relaxation time of the kinetic energy.
    """
    state = _rescale_velocities(state, dt / 2, kT, tau, noise.before)
    state = momentum_step(state, dt / 2)
    state = _rescale_cell(state, stress, dt, kT, pressure, rate, shape, noise)
    result = potential(state)
    state.energy, state.forces = result["energy"], result["forces"]
    state = momentum_step(state, dt / 2)
    return _rescale_velocities(state, dt / 2, kT, tau, noise.after)


def _rescale_velocities(state: Any, dt: Tensor, kT: Tensor, tau: float, noise: tuple[Tensor, Tensor]) -> Any:
    """Rescale velocities so that the kinetic energy takes a step of its canonical random walk (eq. A7)."""
    normal, chi_squared = noise
    kinetic = _kinetic_tensor(state).diagonal(dim1=1, dim2=2).sum(dim=1) / 2
    kept = torch.exp(-dt / tau)
    drawn = (1 - kept) * kT / (2 * kinetic)
    squared = kept + drawn * (normal**2 + chi_squared) + 2 * normal * torch.sqrt(kept * drawn)
    state.momenta = state.momenta * squared.sqrt()[state.system_idx, None]
    return state


def _rescale_cell(
    state: Any,
    stress: Tensor,
    dt: Tensor,
    kT: Tensor,
    pressure: Tensor,
    rate: Tensor,
    shape: CellShape | None,
    noise: CellNoise,
) -> Any:
    """Rescale cell, positions and momenta, and let the atoms drift meanwhile."""
    volume = state.volume
    internal = _kinetic_tensor(state) / volume[:, None, None] - stress
    root = volume.sqrt()
    drift = -rate * root / 2 * (pressure - _pressure(state, internal, shape) - kT / (2 * volume)) * dt
    swollen = root + drift + torch.sqrt(rate * kT * dt / 2) * noise.volume
    stretch = _stretch(state, (swollen / root) ** 2, shape)
    if shape == "free":
        shear = rate[:, None, None] / 3 * _traceless(internal) * dt
        shear = shear + torch.sqrt(2 * rate * kT * dt / 3)[:, None, None] / swollen[:, None, None] * noise.shear
        stretch = stretch @ torch.linalg.matrix_exp(_traceless(shear))
    back = torch.linalg.inv_ex(stretch)[0]
    velocities = state.momenta / state.masses[:, None]
    state.positions = _apply(stretch, state, state.positions) + _apply(stretch + back, state, velocities) * (dt / 2)
    state.momenta = _apply(back, state, state.momenta)
    cell = state.row_vector_cell @ stretch
    if shape == "normal":  # the others may have lost their last digit
        cell[:, :2] = state.row_vector_cell[:, :2]
    state.row_vector_cell = cell
    return state


def _normals(state: Any) -> Tensor:
    """Unit vectors normal to the first two lattice vectors, (n_systems, 3)."""
    cell = state.row_vector_cell
    return torch.nn.functional.normalize(torch.linalg.cross(cell[:, 0], cell[:, 1]), dim=1)


def _pressure(state: Any, tensors: Tensor, shape: CellShape | None) -> Tensor:
    """Pressure that changes a cell of this shape, from pressure tensors, (n_systems,)."""
    if shape == "normal":
        normals = _normals(state)
        return torch.einsum("si,sij,sj->s", normals, tensors, normals)
    return tensors.diagonal(dim1=1, dim2=2).mean(dim=1)


def _stretch(state: Any, growth: Tensor, shape: CellShape | None) -> Tensor:
    """Deformation by which the volume grows by a factor (n_systems,): of all lengths alike, or along the normal."""
    identity = torch.eye(3, dtype=growth.dtype, device=growth.device)
    if shape == "normal":
        normals = _normals(state)
        return identity + (growth - 1)[:, None, None] * normals[:, :, None] * normals[:, None, :]
    return growth.pow(1 / 3)[:, None, None] * identity


def _kinetic_tensor(state: Any) -> Tensor:
    """Sum of p p / m over the atoms of every system, (n_systems, 3, 3)."""
    products = state.momenta[:, :, None] * state.momenta[:, None, :] / state.masses[:, None, None]
    total = torch.zeros((state.n_systems, 3, 3), dtype=products.dtype, device=products.device)
    return total.index_add_(0, state.system_idx, products)


def _traceless(tensors: Tensor) -> Tensor:
    mean = tensors.diagonal(dim1=1, dim2=2).mean(dim=1)
    return tensors - mean[:, None, None] * torch.eye(3, dtype=tensors.dtype, device=tensors.device)


def _apply(matrices: Tensor, state: Any, vectors: Tensor) -> Tensor:
    """Symmetric matrices of the systems times vectors of their atoms."""
    return (vectors[:, None, :] @ matrices[state.system_idx]).squeeze(1)


def estimate_compressibility(state: Any, potential: Forces, kT: Tensor, shape: CellShape | None = None) -> Tensor:
    """Estimate the compressibility of every system in A^3/eV, (n_systems,), from its response to a sudden compression.

    The compression is that of a cell of this shape. Atoms that have no time to rearrange resist more than a liquid
    does, so it is a lower bound; the volume relaxes so much more slowly, and its distribution does not depend on it. At
    least an ideal gas resists.
    """
    virials, volumes = [], []
    for factor in (1 - _PROBED_STRAIN, 1 + _PROBED_STRAIN):
        strained = state.clone()
        stretch = _stretch(state, torch.full_like(state.volume, factor**3), shape)
        strained.positions = _apply(stretch, strained, strained.positions)
        strained.row_vector_cell = strained.row_vector_cell @ stretch
        virials.append(_pressure(strained, -potential(strained)["stress"], shape))
        volumes.append(strained.volume)
    modulus = (virials[0] - virials[1]) / torch.log(volumes[1] / volumes[0])
    ideal: Tensor = state.n_atoms_per_system * kT / state.volume
    return 1 / (torch.nan_to_num(modulus).clamp(min=0) + ideal)
