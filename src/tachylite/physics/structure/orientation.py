"""Tetrahedral groups, like PO4 and PO3N: how regular their shape is, and how their orientations correlate."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy.special import sph_harm_y

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, Frames
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.bonds import bonds_within, check_cutoffs, cutoff_table

_RANKS = (3, 4)
"""Ranks of the correlation. A tetrahedron has no dipole and no quadrupole, so that 3 is the first rank that depends on
its orientation. Rank 4 is the same for a group and its inverse, which stands on its tip instead of its base."""

_LIGANDS = 4


class GroupOrientation(FrozenModel):
    """Shape and mutual orientation of tetrahedral groups, over the frames of a trajectory."""

    group: str
    """The centre and its ligands, like `P:O,N`."""
    fraction: Measured
    """Of the central atoms, those with four ligands; only these are counted."""
    tetrahedrality: Measured
    """1 for regular tetrahedra, 0 on average for bonds in random directions."""
    order: dict[int, Measured]
    """By rank, 3 and 4: 1 where all groups are turned alike, 0 where they are turned at random."""
    by_chance: dict[int, float]
    """By rank: standard deviation of the order of as many groups turned at random, in one frame."""


def analyse_orientation(
    frames: Frames, cutoffs_a: Mapping[str, float], center: str, ligands: Sequence[str]
) -> GroupOrientation:
    r"""Tetrahedral order and orientational correlation of groups, for bonds up to given distances in A.

        q = 1 - 3/8 sum_{j<k} (cos psi_jk + 1/3)^2
        S_l = mean_{g != h} T_g . T_h / mean_g T_g . T_g,   T_g . T_h = sum_{b in g, c in h} P_l(u_b . u_c)

    q is the tetrahedral order of Errington and Debenedetti (DOI 10.1038/35053024): 1 for a regular tetrahedron, 0 on
    average for four bonds in random directions. S_l correlates different groups only,
    so that it is 0 on average for any number of groups turned at random.

    ======  ==============================================================================
    symbol  meaning
    ======  ==============================================================================
    psi_jk  angle between the bonds to two of the four ligands
    u_b     direction of a bond of the group
    P_l     Legendre polynomial of rank l; the sums are those over spherical harmonics
    ======  ==============================================================================

    Errors are those of the mean over frames, by blocking; for fewer than four frames infinite. A glass does not turn
    its groups within a run, so that these errors do not tell how S_l scatters between glasses; `by_chance` does.

    Raises InputError for elements that are not there, a bond without a cutoff, and no frame with two such groups.
    """
    symbols = frames.symbols
    missing = [symbol for symbol in (center, *ligands) if symbol not in symbols]
    if missing or not ligands:
        raise InputError(f"group {center}:{','.join(ligands)}: {', '.join(missing) or 'no ligand'} of {symbols}")
    cutoff_of = {"-".join(sorted(pair.split("-"))): cutoff for pair, cutoff in cutoffs_a.items()}
    pairs = ["-".join(sorted((center, ligand))) for ligand in ligands]
    check_cutoffs(cutoffs_a, pairs)
    table = cutoff_table({pair: cutoff_of[pair] for pair in pairs}, symbols)
    is_center = frames.numbers == atomic_numbers[center]
    rows, counts = [], []
    for positions, cell in frames:
        bonds = bonds_within(positions, cell, frames.kinds, table)
        groups = _groups(bonds.first, bonds.vectors_a / bonds.distances_a[:, None], is_center)
        counts.append(len(groups))
        if len(groups) > 1:
            correlations = [_correlation(groups, rank) for rank in _RANKS]
            rows.append([len(groups) / is_center.sum(), _tetrahedrality(groups), *correlations])
    if not rows:
        raise InputError(f"no frame has two {center} with four of {', '.join(ligands)} around them; check the cutoffs")
    fraction, tetrahedrality, *orders = (_mean(series) for series in np.array(rows).T)
    n = float(np.mean(counts))
    return GroupOrientation(
        group=f"{center}:{','.join(ligands)}",
        fraction=fraction,
        tetrahedrality=tetrahedrality,
        order=dict(zip(_RANKS, orders, strict=True)),
        by_chance={rank: (2 / ((2 * rank + 1) * n * (n - 1))) ** 0.5 for rank in _RANKS},
    )


def _groups(first: NDArray[np.int64], directions: Array, is_center: NDArray[np.bool_]) -> Array:
    """Directions of the bonds of central atoms that have four, (n_groups, 4, 3); bonds are in the order of atoms."""
    counts = np.bincount(first, minlength=len(is_center))
    chosen = is_center & (counts == _LIGANDS)
    return np.asarray(directions[chosen[first]].reshape(-1, _LIGANDS, 3))


def _tetrahedrality(groups: Array) -> float:
    """Mean q of groups of four directions, (n_groups, 4, 3)."""
    cosines = np.einsum("gbi,gci->gbc", groups, groups)[:, *np.triu_indices(_LIGANDS, 1)]
    return float(np.mean(1 - 3 / 8 * ((cosines + 1 / 3) ** 2).sum(axis=1)))


def _correlation(groups: Array, rank: int) -> float:
    """S_l of groups of directions, (n_groups, 4, 3), through sums of spherical harmonics."""
    polar, azimuth = np.arccos(np.clip(groups[..., 2], -1, 1)), np.arctan2(groups[..., 1], groups[..., 0])
    orders = np.arange(-rank, rank + 1)
    tensors = sph_harm_y(rank, orders, polar[..., None], azimuth[..., None]).sum(axis=1)
    same_group = float((np.abs(tensors) ** 2).sum())
    all_pairs = float((np.abs(tensors.sum(axis=0)) ** 2).sum())
    return (all_pairs - same_group) / (len(groups) - 1) / same_group


def _mean(series: Array) -> Measured:
    """Mean over frames; with an infinite error for fewer than four."""
    mean = estimate_mean(series).measured
    return mean if len(series) >= FEWEST_GROUPS else Measured(value=mean.value, error=float("inf"))
