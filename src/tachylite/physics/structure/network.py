"""Networks of glasses: which anions bridge network formers, and how many bridges each former has (Qn)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element

from tachylite.arrays import Array
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, GroupSums, ratio_of_sums
from tachylite.physics.neighbors import Neighbors
from tachylite.physics.volume import electronegativity

type Integers = NDArray[np.int64]

_ANIONS = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I"})

_MOST = 32
"""Bonds of an atom; as many as coordination numbers count."""

_NAMED = (2, 3)
"""Numbers of formers around an anion for which the formers are named."""


@dataclass(frozen=True)
class NetworkElements:
    """The elements whose bonds make a network."""

    formers: Sequence[str]
    anions: Sequence[str]

    @property
    def pairs(self) -> list[str]:
        """Pairs that bond, like `O-P`."""
        return ["-".join(sorted((former, anion))) for former in self.formers for anion in self.anions]


class AnionBonding(FrozenModel):
    """How many network formers the anions of one element are bonded to."""

    species: str
    formers: dict[int, Measured]
    """Share of these anions by their number of formers: 0 free, 1 nonbridging, 2 bridging, 3 triclusters; no gaps."""
    bridging: Measured
    """Share with two formers or more."""
    bridges: dict[str, Measured]
    """Share of each kind of bridge: `P-N-P` with two formers, `P-N<PP` with three."""


class FormerBonding(FrozenModel):
    """How many bridging anions the formers of one element are bonded to."""

    species: str
    q: dict[int, Measured]
    """Qn: share of these formers by their number of bridging anions n, without gaps."""
    mean: Measured
    """Mean number of bridging anions."""
    by_anion: dict[str, Measured]
    """The same mean by the element of the bridging anion."""


class Network(FrozenModel):
    """Bridges and Qn of a network of formers, like P, and anions, like O and N."""

    anions: list[AnionBonding]
    formers: list[FormerBonding]


def find_network(pairs: Iterable[str]) -> NetworkElements | None:
    """Network formers and anions among pairs of elements that bond, like `O-P`; None where there is no such pair.

    Anions are nitrogen, chalcogens and halogens that bond to nothing more electronegative among these (the sulfur of
    a sulfate is none). Formers are the other elements that bond to them, but hydrogen, alkali, alkaline earth and rare
    earth metals, which modify a network.
    """
    bonded = [sorted(pair.split("-"), key=electronegativity) for pair in pairs]
    bonded = [pair for pair in bonded if pair[0] != pair[1]]
    oxidised = {low for low, high in bonded if low in _ANIONS and high in _ANIONS}
    links = [(low, high) for low, high in bonded if high in _ANIONS - oxidised and low not in _ANIONS - oxidised]
    links = [(former, anion) for former, anion in links if not _modifies(former)]
    if not links:
        return None
    formers, anions = zip(*links, strict=True)
    return NetworkElements(sorted(set(formers)), sorted(set(anions)))


def _modifies(symbol: str) -> bool:
    element = Element(symbol)
    return symbol == "H" or element.is_alkali or element.is_alkaline or element.is_rare_earth


class NetworkCounts:
    """Anions by the formers around them and formers by the bridges around them, summed over groups of frames.

    A former counts once for each of its bonds, also where it is the periodic image of another one.
    """

    def __init__(self, elements: NetworkElements, symbols: Sequence[str], kinds: Integers) -> None:
        """Take the elements of the network, the symbols of all kinds of atoms, and the kind of every atom, (n,)."""
        self.elements = elements
        self.kinds = kinds
        self.of_former = np.array([_place(symbol, elements.formers) for symbol in symbols])[kinds]
        self.of_anion = np.array([_place(symbol, elements.anions) for symbol in symbols])[kinds]
        n_formers, n_anions = len(elements.formers), len(elements.anions)
        self.names = [named for size in _NAMED for named in combinations_with_replacement(range(n_formers), size)]
        # formers around an anion as one number: how many of each are the digits
        self.digits = (max(_NAMED) + 1) ** np.arange(n_formers, dtype=np.int64)
        codes = np.array([self.digits[list(named)].sum() for named in self.names])
        self.order = np.argsort(codes)
        self.codes = codes[self.order]
        self.by_formers = GroupSums(n_anions, _MOST + 1)
        self.by_name = GroupSums(n_anions, len(self.names))
        self.by_bridges = GroupSums(n_formers, _MOST + 1)
        self.by_anion = GroupSums(n_formers, n_anions)

    def add(self, bonds: Neighbors) -> None:
        """Count one frame, from its bonds in both directions; those outside the network are left out."""
        n_atoms, n_formers = len(self.kinds), len(self.elements.formers)
        to_former = (self.of_anion[bonds.first] >= 0) & (self.of_former[bonds.second] >= 0)
        around = np.zeros((n_atoms, n_formers), dtype=np.int64)
        np.add.at(around, (bonds.first[to_former], self.of_former[bonds.second[to_former]]), 1)
        n_around = around.sum(axis=1).clip(max=_MOST)
        is_anion, is_former = self.of_anion >= 0, self.of_former >= 0
        np.add.at(self.by_formers.next_frame(), (self.of_anion[is_anion], n_around[is_anion]), 1)
        named = is_anion & np.isin(n_around, _NAMED)
        names = self.order[np.searchsorted(self.codes, around[named] @ self.digits)]
        np.add.at(self.by_name.next_frame(), (self.of_anion[named], names), 1)
        bridging = (self.of_former[bonds.first] >= 0) & (n_around[bonds.second] > 1)
        bridges = np.bincount(bonds.first[bridging], minlength=n_atoms).clip(max=_MOST)
        np.add.at(self.by_bridges.next_frame(), (self.of_former[is_former], bridges[is_former]), 1)
        places = self.of_former[bonds.first[bridging]], self.of_anion[bonds.second[bridging]]
        np.add.at(self.by_anion.next_frame(), places, 1)

    def network(self) -> Network:
        """Shares and means over all frames, with standard errors by blocking, or of counting for few frames."""
        elements = self.elements
        return Network(
            anions=[self._anions(place, symbol) for place, symbol in enumerate(elements.anions)],
            formers=[self._formers(place, symbol) for place, symbol in enumerate(elements.formers)],
        )

    def _anions(self, place: int, symbol: str) -> AnionBonding:
        numbers, named = self.by_formers.sums[:, place], self.by_name.sums[:, place]
        bridging = numbers[:, 2:].sum(axis=1, keepdims=True)
        shares = _shares(np.concatenate([numbers, bridging, named], axis=1), numbers.sum(axis=1))
        names = (self._bridge(symbol, formers) for formers in self.names)
        bridges = dict(zip(names, shares[_MOST + 2 :], strict=True))
        return AnionBonding(
            species=symbol,
            formers=_without_ends(shares[: _MOST + 1]),
            bridging=shares[_MOST + 1],
            bridges={name: share for name, share in bridges.items() if share.value > 0},
        )

    def _bridge(self, anion: str, formers: Sequence[int]) -> str:
        first, *others = (self.elements.formers[former] for former in formers)
        return f"{first}-{anion}{'-' if len(others) == 1 else '<'}{''.join(others)}"

    def _formers(self, place: int, symbol: str) -> FormerBonding:
        numbers, by_anion = self.by_bridges.sums[:, place], self.by_anion.sums[:, place]
        total = numbers.sum(axis=1)
        mean, *means = _means(np.concatenate([by_anion.sum(axis=1, keepdims=True), by_anion], axis=1), numbers)
        return FormerBonding(
            species=symbol,
            q=_without_ends(_shares(numbers, total)),
            mean=mean,
            by_anion=dict(zip(self.elements.anions, means, strict=True)),
        )


def _place(symbol: str, symbols: Sequence[str]) -> int:
    return list(symbols).index(symbol) if symbol in symbols else -1


def _shares(counts: Array, totals: Array) -> list[Measured]:
    """Shares of counts (n_groups, n) in totals (n_groups,)."""
    shares, errors = ratio_of_sums(counts, totals)
    if len(totals) < FEWEST_GROUPS:
        errors = np.sqrt(shares * (1 - shares) / totals.sum())
    return _measured(shares, errors)


def _means(sums: Array, numbers: Array) -> list[Measured]:
    """Means over atoms of sums (n_groups, n), of atoms counted by their number of bridges, (n_groups, n_numbers)."""
    totals = numbers.sum(axis=1)
    means, errors = ratio_of_sums(sums, totals)
    if len(totals) < FEWEST_GROUPS:
        values = np.arange(numbers.shape[1])
        atoms = numbers.sum(axis=0)
        variance = float(atoms @ (values - means[0]) ** 2) / totals.sum()
        errors = np.full(len(means), (variance / totals.sum()) ** 0.5)
    return _measured(means, errors)


def _measured(values: Array, errors: Array) -> list[Measured]:
    return [Measured(value=v, error=e) for v, e in zip(values.tolist(), errors.tolist(), strict=True)]


def _without_ends(shares: Sequence[Measured]) -> dict[int, Measured]:
    """Shares by number, from the first to the last that occurs."""
    occurring = [number for number, share in enumerate(shares) if share.value > 0]
    return {number: shares[number] for number in range(occurring[0], occurring[-1] + 1)}
