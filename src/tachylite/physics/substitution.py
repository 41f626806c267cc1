"""Replacing atoms of a crystal: how many, whether the result can be neutral, and on which sites."""

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pymatgen.core import Composition, Element

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel

_SHELLS = 4
"""Shells of neighbours whose correlation is made small; a shell counts by the inverse of its number."""

_SAME_SHELL_A = 0.3
"""Distances that differ less belong to one shell."""

_RADIUS = 2.5
"""Distance up to which shells are looked for, in edges of the cube that a site has."""

_SWAPS_PER_SITE = 50

_LARGEST_CORRELATED = 2000
"""Sites above which a random choice is taken as it is: its correlations fall as one over the root of their number."""


class Replacement(FrozenModel):
    """A fraction of the sites of one element that gets another one."""

    element: str
    by: str
    fraction: Annotated[float, Field(gt=0, le=1)]

    @property
    def title(self) -> str:
        """For reading: `Si on 0.5 of Ge`."""
        return f"{self.by} on {self.fraction:g} of {self.element}"

    def number_of(self, sites: int) -> int:
        """How many of so many sites are replaced."""
        return round(self.fraction * sites)


def replaced_counts(counts: Mapping[str, int], replacements: Sequence[Replacement]) -> dict[str, int]:
    """Atoms of each element after replacements, each fraction rounded to whole atoms of what the crystal had.

    Raises InputError for an element that is not there, for more of it than there is, and where no atom would be
    replaced.
    """
    after = dict(counts)
    for replacement in replacements:
        sites = counts.get(replacement.element, 0)
        number = replacement.number_of(sites)
        if not sites:
            raise InputError(f"{replacement.title}: there is no {replacement.element}, only {', '.join(counts)}")
        if not number:
            raise InputError(f"{replacement.title} is no atom of {sites}; take a larger --atoms or fraction")
        if after[replacement.element] < number:
            raise InputError(f"{replacement.title} and what else is replaced are more than its {sites} sites")
        after[replacement.element] -= number
        after[replacement.by] = after.get(replacement.by, 0) + number
    return {symbol: count for symbol, count in after.items() if count}


def check_neutral(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Raise InputError where usual oxidation states make a crystal neutral, and none does once atoms are replaced.

    An element, and a crystal that they do not make neutral itself, as an alloy, are not judged.
    """
    if len(before) > 1 and _can_be_neutral(before) and not _can_be_neutral(after):
        formula = Composition(after).reduced_formula
        raise InputError(
            f"{formula} cannot be neutral with usual oxidation states; "
            "replace by an element of the same valence, or several elements whose charges cancel"
        )


def _can_be_neutral(counts: Mapping[str, int]) -> bool:
    """Whether charges of the atoms, each one that the element is found with, can add up to zero."""
    unit = gcd(*counts.values())
    sums = {0}
    for symbol, count in counts.items():
        charges = Element(symbol).icsd_oxidation_states or Element(symbol).oxidation_states
        for _ in range(count // unit):
            sums = {total + charge for total in sums for charge in charges}
    return len(counts) == 1 or 0 in sums


def quasirandom_sites(positions: Array, cell: Array, number: int, rng: np.random.Generator) -> list[int]:
    r"""Choose sites whose pairs are as uncorrelated as in an infinite random alloy of the same fraction.

    Warren-Cowley parameters of the nearest shells are made small by swaps that are kept where they do not make the
    weighted sum of their absolute values larger (the idea of DOI 10.1103/PhysRevLett.65.353).

        alpha_s = 1 - P_s / (1 - x)

    ======  ===================================================================
    symbol  meaning
    ======  ===================================================================
    P_s     probability that a neighbour in shell s of a chosen site is not chosen
    x       fraction of chosen sites
    ======  ===================================================================

    Args:
        positions: Cartesian positions of the sites, in A, (N, 3).
        cell: Lattice vectors as rows, in A, (3, 3).
        number: How many are chosen, 1 to N.
        rng: Where the first choice and the swaps come from.

    Returns:
        Chosen sites, ascending.

    """
    n_sites = len(positions)
    chosen = np.zeros(n_sites, dtype=bool)
    chosen[rng.permutation(n_sites)[:number]] = True
    if number < n_sites <= _LARGEST_CORRELATED and len(pairs := _pairs_by_shell(positions, cell)):
        _swap_until_uncorrelated(chosen, pairs, rng)
    return [int(site) for site in np.flatnonzero(chosen)]


def _swap_until_uncorrelated(chosen: NDArray[np.bool_], pairs: Array, rng: np.random.Generator) -> None:
    """Swap chosen and other sites, in place, as long as their correlation does not grow."""
    weights = 1 / np.arange(1, len(pairs) + 1)
    neighbours = pairs.sum(axis=2)
    others = 1 - chosen.mean()

    def correlation(neighbours_of_chosen: Array, alike: Array) -> float:
        unlike = 1 - alike / np.maximum(neighbours_of_chosen, 1.0)
        return float(weights @ np.abs(1 - unlike / others))

    # of every site the chosen neighbours; of all chosen sites the neighbours, and the chosen ones among them
    around = pairs @ chosen
    total, alike = neighbours @ chosen, around @ chosen
    present = correlation(total, alike)
    for _ in range(_SWAPS_PER_SITE * len(chosen)):
        i, j = rng.choice(np.flatnonzero(chosen)), rng.choice(np.flatnonzero(~chosen))
        new_total = total + neighbours[:, j] - neighbours[:, i]
        new_alike = alike + 2 * (around[:, j] - around[:, i] - pairs[:, i, j]) + pairs[:, i, i] + pairs[:, j, j]
        if (changed := correlation(new_total, new_alike)) <= present:
            chosen[[i, j]] = ~chosen[[i, j]]
            around += pairs[:, :, j] - pairs[:, :, i]
            total, alike, present = new_total, new_alike, changed


def _pairs_by_shell(positions: Array, cell: Array) -> Array:
    """For every shell of neighbours how often two sites are such neighbours, images included, (shells, N, N)."""
    from ase import Atoms
    from ase.neighborlist import neighbor_list

    sites = Atoms(f"H{len(positions)}", positions=positions, cell=cell, pbc=True)
    radius = _RADIUS * float(abs(np.linalg.det(cell)) / len(positions)) ** (1 / 3)
    first, second, distances = neighbor_list("ijd", sites, radius)
    order = np.argsort(distances, kind="stable")
    shell = np.empty(len(order), dtype=int)
    shell[order] = np.cumsum(np.diff(distances[order], prepend=distances[order[:1]]) > _SAME_SHELL_A)
    pairs = np.zeros((min(_SHELLS, shell.max(initial=-1) + 1), len(positions), len(positions)))
    near = shell < _SHELLS
    np.add.at(pairs, (shell[near], first[near], second[near]), 1.0)
    return pairs
