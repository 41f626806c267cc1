"""What of a composition goes with a high or a low value of a property of crystals."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.measured import Interval
from tachylite.physics.volume import electronegativity
from tachylite.schemas.crystal_property import Effect

ALKALI_METALS = frozenset({"Li", "Na", "K", "Rb", "Cs"})
HALOGENS = frozenset({"F", "Cl", "Br", "I"})
_ANIONS = HALOGENS | {"N", "O", "S", "Se", "Te"}

_NAMES = ("nitride", "sulfide", "alkali metal, +10 %", "halogen, +10 %", "cation, +1")

_RESAMPLES = 1000
_ENDS = (2.5, 97.5)


def find_effects(fractions: Sequence[dict[str, float]], values: Array, systems: NDArray[np.str_]) -> list[Effect]:
    """Effects on values (n,) of compositions with atomic fractions of their elements and chemical systems (n,).

    Each effect is the slope of a straight line in it alone, and in one with all of them, by least squares; nitrides and
    sulfides count against all other compounds. The 95 % intervals are of a bootstrap over chemical systems.
    """
    rows = np.array([_inputs(own) for own in fractions])
    terms = np.column_stack([np.ones(len(rows)), rows, values])
    products = terms[:, :, None] * terms[:, None, :]
    _, member = np.unique(systems, return_inverse=True)
    of_system = np.zeros((member.max() + 1, *products.shape[1:]))
    np.add.at(of_system, member, products)
    count = len(of_system)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    sums = np.tensordot(np.concatenate([np.ones((1, count)), draws]), of_system, axes=1)
    together = _slopes(sums, range(1, len(_NAMES) + 1))
    return [
        _effect(name, int((rows[:, column] > 0).sum()), _slopes(sums, [column + 1])[:, 0], together[:, column])
        for column, name in enumerate(_NAMES)
    ]


def _inputs(fractions: dict[str, float]) -> list[float]:
    """Of one composition, in the order of the names."""
    anion = max(fractions, key=electronegativity)
    cations = [symbol for symbol in fractions if symbol not in _ANIONS]
    alkali, halogen = (
        sum(x for symbol, x in fractions.items() if symbol in kind) for kind in (ALKALI_METALS, HALOGENS)
    )
    return [float(anion == "N"), float(anion == "S"), 10 * alkali, 10 * halogen, float(len(cations))]


def _slopes(sums: Array, columns: Sequence[int]) -> Array:
    """Slopes (resamples, columns) by least squares, from sums (resamples, terms, terms) of products of the terms."""
    chosen = [0, *columns]
    left, right = sums[:, chosen][:, :, chosen], sums[:, chosen, -1]
    return np.asarray((np.linalg.pinv(left) @ right[:, :, None])[:, 1:, 0])


def _effect(name: str, crystals: int, alone: Array, together: Array) -> Effect:
    """From slopes of all data, which come first, and of resamples."""
    intervals = [Interval(low=low, high=high) for low, high in (np.percentile(s[1:], _ENDS) for s in (alone, together))]
    return Effect(
        name=name,
        crystals=crystals,
        alone=float(alone[0]),
        alone_interval=intervals[0],
        together=float(together[0]),
        together_interval=intervals[1],
    )
