"""Structural descriptors of one frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.descriptors.atoms import Roles, sphere_radii
from tachylite.descriptors.packing import union_volume
from tachylite.descriptors.path import measure_paths, nearest_distances
from tachylite.descriptors.registry import CUTOFF_A, Convention
from tachylite.errors import InputError
from tachylite.physics.neighbors import Neighbors, find_neighbors
from tachylite.units import G_CM3_PER_U_A3

_ROUNDING_A = 1e-8
"""Added to cutoffs, so that a neighbour at the cutoff counts however its position was rounded."""

_FIRST_REACH_A = 5.0
_GROWTH = 1.5
"""Distance up to which neighbours are looked for at first, and its factor where that is too short."""

_ANION_SHELL_A = 1.0


@dataclass(frozen=True)
class _Bonds:
    """Neighbours within 4 A: their number, and means over those of each atom, shape (n_atoms,)."""

    first: NDArray[np.int64]
    ionicity: Array
    """Difference of electronegativity of every bond, shape (n_bonds,)."""
    counts: NDArray[np.int64]
    alike: int
    """Bonds between mobile atoms, counted from both ends."""
    mean_ionicity: Array
    surroundings: Array


def compute_frame_descriptors(
    positions: Array, cell: Array, roles: Roles, convention: Convention = "exact", *, packing: bool = True
) -> dict[str, float]:
    """Structural descriptors of one frame by name, in the units of the registry.

    Takes positions (n_atoms, 3), wrapped or not, and the cell (3, 3), lattice vectors as rows, in A, and the
    roles of the atoms. Neighbours are looked for as far as the answers need, periodic images included.
    Definitions from Sendek et al., DOI 10.1039/C6EE02697D, and Zheng et al., DOI 10.1038/s41524-024-01469-2.
    Raises InputError where an average has nothing to average, as in a gas without neighbours.
    """
    reach = _FIRST_REACH_A
    while True:
        neighbors = find_neighbors(positions, cell, reach + _ROUNDING_A)
        bonds = _bonds(neighbors, roles)
        radii = sphere_radii(roles, bonds.mean_ionicity, bonds.surroundings)
        distances, needed = _distances(neighbors, roles, convention)
        paths = measure_paths(neighbors, roles.mobile, radii, roles.electronegativity, convention)
        needed = max(needed, paths.needed_reach_a)
        if needed <= reach:
            break
        reach = needed if np.isfinite(needed) else reach * _GROWTH
    surfaces = paths.surface_a if convention == "zheng2024" else np.maximum(paths.surface_a, 0.0)
    values = {
        **_densities(cell, roles),
        **_bonding(bonds, roles, convention),
        **distances,
        "SLPW": float(surfaces.mean()),
        "SLPW_pp": float(paths.centre_a.mean()),
        "SLPE": float(paths.electronegativity.mean()),
    }
    return values | (_packing(positions, cell, roles, radii, convention) if packing else {})


def _densities(cell: Array, roles: Roles) -> dict[str, float]:
    volume = float(abs(np.linalg.det(cell)))
    return {
        "AAV": volume / len(roles.symbols),
        "VPA": volume / int(roles.anion.sum()),
        "density": G_CM3_PER_U_A3 * roles.mass_u / volume,
    }


def _bonds(neighbors: Neighbors, roles: Roles) -> _Bonds:
    bonded = neighbors.distances_a <= CUTOFF_A + _ROUNDING_A
    first, second = neighbors.first[bonded], neighbors.second[bonded]
    chi = roles.electronegativity
    ionicity = np.abs(chi[first] - chi[second])
    counts = np.bincount(first, minlength=len(chi))
    divisor = np.maximum(counts, 1)
    return _Bonds(
        first=first,
        ionicity=ionicity,
        counts=counts,
        alike=int((roles.mobile[first] & roles.mobile[second]).sum()),
        mean_ionicity=np.bincount(first, ionicity, minlength=len(chi)) / divisor,
        surroundings=np.bincount(first, chi[second], minlength=len(chi)) / divisor,
    )


def _bonding(bonds: _Bonds, roles: Roles, convention: Convention) -> dict[str, float]:
    mobile = roles.mobile
    of_mobile, of_others = bonds.ionicity[mobile[bonds.first]], bonds.ionicity[~mobile[bonds.first]]
    species = roles.symbols[int(np.argmax(mobile))]
    for atom, bonds_of_atom in ((species, of_mobile), (f"atom besides {species}", of_others)):
        if not len(bonds_of_atom):
            raise InputError(f"no {atom} has a neighbour within {CUTOFF_A:g} A; a gas has no bonds to describe")
    # the published mean and deviation divide by one less than the number of bonds
    fewer = max(len(of_mobile) - 1, 1)
    mean = float(of_mobile.sum() / (fewer if convention == "zheng2024" else len(of_mobile)))
    others = float(of_others.mean())
    if others == 0:
        raise InputError("no atom has a neighbour of another electronegativity within 4 A; RBI, a ratio, is undefined")
    counts = bonds.counts[mobile]
    return {
        "LBI": mean,
        "SDLI": float((((of_mobile - mean) ** 2).sum() / fewer) ** 0.5),
        "SBI": others,
        "RBI": mean / others,
        "LNC": float(counts.mean()),
        "SDLC": float(counts.std(ddof=1)) if len(counts) > 1 else 0.0,
        "LLB": bonds.alike / len(counts),
        "SNC": float(bonds.counts[~mobile].mean()),
        "RNC": float(counts.mean() / bonds.counts[~mobile].mean()),
    }


def _distances(neighbors: Neighbors, roles: Roles, convention: Convention) -> tuple[dict[str, float], float]:
    """Mean nearest distances and the anion shell, and up to which distance in A neighbours are needed for them."""
    first, distance = neighbors.first, neighbors.distances_a
    to_anion = roles.anion[neighbors.second]
    between = roles.anion[first] & to_anion
    n_atoms = len(roles.symbols)
    anions = nearest_distances(neighbors, between, n_atoms)
    shell = between & (distance <= anions[first] + _ANION_SHELL_A + _ROUNDING_A)
    anion, mobile = roles.anion, roles.mobile
    to_mobile = mobile[neighbors.second]
    mobile_anion = nearest_distances(neighbors, to_anion, n_atoms)[mobile]
    mobile_mobile = nearest_distances(neighbors, to_mobile, n_atoms)[mobile]
    in_shell = np.bincount(first[shell], minlength=n_atoms)[anion]
    between_anions = anions[anion]
    if convention == "zheng2024":  # the published distance is the mean over the shell
        between_anions = np.bincount(first[shell], distance[shell], minlength=n_atoms)[anion] / np.maximum(in_shell, 1)
    values = {
        "AFC": float(in_shell.mean()),
        "AASD": float(between_anions.mean()),
        "LASD": float(mobile_anion.mean()),
        "LLSD": float(mobile_mobile.mean()),
    }
    needed = max(anions[anion].max() + _ANION_SHELL_A, mobile_anion.max(), mobile_mobile.max())
    return values, float(needed)


def _packing(positions: Array, cell: Array, roles: Roles, radii: Array, convention: Convention) -> dict[str, float]:
    volume = float(abs(np.linalg.det(cell)))
    rest = ~roles.mobile
    if convention == "zheng2024":  # spheres that overlap count twice
        spheres = 4 / 3 * np.pi * radii**3
        return {"PF": float(spheres.sum() / volume), "SPF": float(spheres[rest].sum() / volume)}
    return {
        "PF": union_volume(positions, radii, cell) / volume,
        "SPF": union_volume(positions[rest], radii[rest], cell) / volume,
    }
