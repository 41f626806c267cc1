"""Bonds within given distances: how many neighbours atoms have, the angles between bonds, the network they make."""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from tachylite.arrays import Array, FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, Frames, GroupSums, ratio_of_sums
from tachylite.physics.neighbors import Neighbors, find_neighbors
from tachylite.physics.structure.network import Network, NetworkCounts, NetworkElements, find_network
from tachylite.physics.structure.pair_distribution import PairStructure

type Integers = NDArray[np.int64]

_MOST_NEIGHBORS = 32
_ANGLE_BINS = 180
BOND_OVER_RADII = 1.25


class CoordinationNumbers(FrozenModel):
    """How many neighbours of one element the atoms of another have: AlO4, AlO5, AlO6 as fractions."""

    center: str
    neighbor: str
    cutoff_a: float
    mean: Measured
    fractions: dict[int, Measured]
    """Fraction of the central atoms with this number of neighbours; numbers that occur, without gaps."""


class BondAngles(FrozenModel):
    """Distribution of the angle between two bonds of a central atom."""

    triplet: str
    """The central element in the middle, the ends in alphabetical order, like O-Si-O."""
    mean_deg: Measured
    deviation_deg: float
    """Standard deviation of the angles."""
    density_per_deg: FloatList
    """Normalised to 1 over bins of one degree, not divided by the sine, shape (180,)."""
    density_error_per_deg: FloatList


class BondStatistics(FrozenModel):
    """Coordination numbers of every pair with a cutoff, the angles between such bonds, and their network."""

    coordinations: list[CoordinationNumbers] = []
    angles_deg: FloatList = []
    """Bin centres, shape (180,)."""
    angles: list[BondAngles] = []
    """Triplets that occur."""
    network: Network | None = None
    """Bridges between network formers and Qn; None where no bond joins a former and an anion."""


def bond_cutoffs(structure: PairStructure) -> dict[str, float]:
    """Bond cutoffs in A: the first minimum of g(r) of every pair that forms bonds, by pair like `O-Si`.

    A bond is a pair with a first peak below 1.25 times the sum of the covalent radii (DOI 10.1039/b801115j):
    in silica Si-O, not O-O.
    """
    cutoffs = {}
    for partial in structure.partials:
        radii = sum(float(covalent_radii[atomic_numbers[symbol]]) for symbol in partial.pair.split("-"))
        is_bond = partial.first_peak_a is not None and partial.first_peak_a < BOND_OVER_RADII * radii
        if is_bond and partial.first_minimum_a is not None:
            cutoffs[partial.pair] = partial.first_minimum_a
    return cutoffs


def analyse_bonds(
    frames: Frames, cutoffs_a: Mapping[str, float], elements: NetworkElements | None = None
) -> BondStatistics:
    """Coordination numbers, bond angles and network in a periodic trajectory, for bonds up to given distances in A.

    Takes cutoffs by pair, like `Si-O`, in any order, and the elements of the network; without them those that
    `find_network` finds. Periodic images are neighbours too. Errors are standard errors over frames by blocking; for
    fewer than four frames those of counting independent central atoms.

    Raises InputError for a cutoff that is not positive, of elements that are not there, or so long that an atom
    has more than 32 neighbours, and for atoms at the same place.
    """
    symbols, kinds = frames.symbols, frames.kinds
    table = cutoff_table(cutoffs_a, symbols)
    coordination, angles = _Coordination(len(symbols)), _Angles(len(symbols))
    elements = elements or find_network(cutoffs_a)
    network = None if elements is None else NetworkCounts(elements, symbols, kinds)
    for frame, cell in frames:
        bonds = bonds_within(frame, cell, kinds, table)
        coordination.add(bonds, kinds)
        angles.add(bonds, kinds)
        if network is not None:
            network.add(bonds)
    directed = [(a, b) for a in range(len(symbols)) for b in range(len(symbols)) if table[a, b] > 0]
    return BondStatistics(
        coordinations=[coordination.numbers(symbols, a, b, float(table[a, b])) for a, b in directed],
        angles_deg=np.linspace(0.5, _ANGLE_BINS - 0.5, _ANGLE_BINS),
        angles=angles.distributions(symbols),
        network=None if network is None else network.network(),
    )


def check_cutoffs(cutoffs_a: Mapping[str, float], pairs: Sequence[str]) -> None:
    """Raise InputError where one of the pairs of elements, like `O-Si`, has no cutoff."""
    known = {"-".join(sorted(pair.split("-"))) for pair in cutoffs_a}
    without = [pair for pair in pairs if pair not in known]
    if without:
        raise InputError(f"{', '.join(without)} has no bond length; give a cutoff such as --cutoff {without[0]}=2.0")


def bonds_within(positions: Array, cell: Array, kinds: Integers, table_a: Array) -> Neighbors:
    """Neighbours nearer than the cutoff of their kinds, from a table of shape (n_kinds, n_kinds) in A.

    Raises InputError for two atoms at the same place.
    """
    neighbors = find_neighbors(positions, cell, float(table_a.max()))
    bonds = neighbors[neighbors.distances_a < table_a[kinds[neighbors.first], kinds[neighbors.second]]]
    if not bonds.distances_a.all():
        raise InputError("two atoms are at the same place; their bond has no direction")
    return bonds


def cutoff_table(cutoffs_a: Mapping[str, float], symbols: list[str]) -> Array:
    """Cutoff of every pair of kinds in A, symmetric, zero where there is none, shape (n_kinds, n_kinds).

    Raises InputError for a cutoff that is not positive, pairs of other elements and no cutoff at all.
    """
    table = np.zeros((len(symbols), len(symbols)))
    for pair, cutoff in cutoffs_a.items():
        ends = pair.split("-")
        if len(ends) != 2 or not set(ends) <= set(symbols):
            raise InputError(f"{pair} is no pair of elements like {symbols[0]}-{symbols[-1]}; there are {symbols}")
        if not 0 < cutoff < np.inf:
            raise InputError(f"cutoff {pair}={cutoff:g} must be greater than 0 A")
        a, b = (symbols.index(end) for end in ends)
        table[a, b] = table[b, a] = cutoff
    if not table.any():
        raise InputError("there is no bond to count; give a cutoff such as Si-O=2.0")
    return table


class _Coordination:
    """Atoms of kind a with n neighbours of kind b, summed over groups of frames."""

    def __init__(self, n_kinds: int) -> None:
        self.n_kinds = n_kinds
        self.groups = GroupSums(n_kinds, n_kinds, _MOST_NEIGHBORS + 1)

    def add(self, bonds: Neighbors, kinds: Integers) -> None:
        n_kinds = self.n_kinds
        places = bonds.first * n_kinds + kinds[bonds.second]
        counts = np.bincount(places, minlength=len(kinds) * n_kinds).reshape(-1, n_kinds)
        if counts.max() > _MOST_NEIGHBORS:
            raise InputError(f"an atom has {counts.max()} neighbours within the cutoff; give a shorter --cutoff")
        np.add.at(self.groups.next_frame(), (kinds[:, None], np.arange(n_kinds), counts), 1)

    def numbers(self, symbols: list[str], center: int, neighbor: int, cutoff_a: float) -> CoordinationNumbers:
        atoms = self.groups.sums[:, center, neighbor]
        values = np.arange(_MOST_NEIGHBORS + 1.0)
        columns = np.concatenate([atoms, (atoms @ values)[:, None]], axis=1)
        means, errors = ratio_of_sums(columns, atoms.sum(axis=1))
        fractions, mean = means[:-1], float(means[-1])
        if len(atoms) < FEWEST_GROUPS:
            variances = np.append(fractions * (1 - fractions), fractions @ (values - mean) ** 2)
            errors = np.sqrt(variances / atoms.sum())
        occurring = np.flatnonzero(fractions)
        return CoordinationNumbers(
            center=symbols[center],
            neighbor=symbols[neighbor],
            cutoff_a=cutoff_a,
            mean=Measured(value=mean, error=float(errors[-1])),
            fractions={
                n: Measured(value=float(fractions[n]), error=float(errors[n]))
                for n in range(int(occurring[0]), int(occurring[-1]) + 1)
            },
        )


class _Angles:
    """Angles in bins, their sums and those of their squares, for every triplet, over groups of frames."""

    def __init__(self, n_kinds: int) -> None:
        self.ends = list(combinations_with_replacement(range(n_kinds), 2))
        self.place = np.zeros((n_kinds, n_kinds), dtype=np.int64)
        for i, (a, b) in enumerate(self.ends):
            self.place[a, b] = self.place[b, a] = i
        n_triplets = n_kinds * len(self.ends)
        # behind the bins stands the sum of the angles
        self.groups = GroupSums(n_triplets, _ANGLE_BINS + 1)
        self.squares = np.zeros(n_triplets)
        self.centers = np.zeros(n_triplets)

    def add(self, bonds: Neighbors, kinds: Integers) -> None:
        first, second = _pairs_of_bonds(bonds.first)
        units = bonds.vectors_a / bonds.distances_a[:, None]
        cosines = np.clip(np.einsum("ai,ai->a", units[first], units[second]), -1.0, 1.0)
        angles = np.degrees(np.arccos(cosines))
        ends = self.place[kinds[bonds.second[first]], kinds[bonds.second[second]]]
        triplet = kinds[bonds.first[first]] * len(self.ends) + ends
        # acos loses half of the digits near 180 degrees, and 109.4712 must not depend on rounding either
        bins = np.minimum((angles + 1e-6).astype(np.int64), _ANGLE_BINS - 1)
        n = len(self.squares)
        sums = self.groups.next_frame()
        sums[:, :-1] += np.bincount(triplet * _ANGLE_BINS + bins, minlength=n * _ANGLE_BINS).reshape(n, -1)
        sums[:, -1] += np.bincount(triplet, angles, minlength=n)
        self.squares += np.bincount(triplet, angles**2, minlength=n)
        of_centers = np.unique(triplet * len(kinds) + bonds.first[first]) // len(kinds)
        self.centers += np.bincount(of_centers, minlength=n)

    def distributions(self, symbols: list[str]) -> list[BondAngles]:
        groups = self.groups.sums
        occurring = np.flatnonzero(groups[..., :-1].sum(axis=(0, 2)))
        return [self._distribution(symbols, int(triplet), groups[:, triplet]) for triplet in occurring]

    def _distribution(self, symbols: list[str], triplet: int, groups: Array) -> BondAngles:
        center, (a, b) = triplet // len(self.ends), self.ends[triplet % len(self.ends)]
        means, errors = ratio_of_sums(groups, groups[:, :-1].sum(axis=1))
        mean, total = float(means[-1]), float(groups[:, :-1].sum())
        variance = max(float(self.squares[triplet]) / total - mean**2, 0.0)
        if len(groups) < FEWEST_GROUPS:
            errors = np.append(np.sqrt(means[:-1] / total), (variance / self.centers[triplet]) ** 0.5)
        return BondAngles(
            triplet=f"{symbols[a]}-{symbols[center]}-{symbols[b]}",
            mean_deg=Measured(value=mean, error=float(errors[-1])),
            deviation_deg=variance**0.5,
            density_per_deg=means[:-1],
            density_error_per_deg=errors[:-1],
        )


def _pairs_of_bonds(first: Integers) -> tuple[Integers, Integers]:
    """Every two bonds that share their first atom, as two arrays of indices; bonds are in the order of first atoms."""
    n_bonds = np.bincount(first) if first.size else np.zeros(0, dtype=np.int64)
    ends = np.cumsum(n_bonds)[first]
    later = ends - np.arange(len(first)) - 1
    earlier_bond = np.repeat(np.arange(len(first)), later)
    later_bond = np.arange(later.sum()) - np.repeat(np.cumsum(later) - later, later) + earlier_bond + 1
    return earlier_bond, later_bond
