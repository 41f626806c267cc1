"""Parity of two sets of curves: how well one method's g(r) reproduces another's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.errors import InputError

type Array = NDArray[np.float64]

PUBLISHED_THRESHOLDS = (0.85, 0.90, 0.95)
"""Those that Zheng et al. count materials above (their Fig. 6)."""


@dataclass(frozen=True)
class Curves:
    """Curves over the same distances, by name: the partial g(r) of a material by pair of elements."""

    r_a: Array
    """Shape (n,), in A, ascending."""
    values: dict[str, Array]
    """Shape (n,) each; pairs have their symbols in alphabetical order, like Li-O."""


@dataclass(frozen=True)
class Parity:
    """Coefficients of determination of a curve set against a reference; 1 where they are equal."""

    r2: float
    """Of all values of all curves together."""
    r2_by_pair: dict[str, float]
    n_values: int
    r_max_a: float
    """Distances up to which both were compared."""


def compare_curves(reference: Curves, other: Curves) -> Parity:
    r"""Compare curves with a reference over the distances that both have.

    The other set is brought to the distances of the reference by linear interpolation.

        R^2 = 1 - sum (y - x)^2 / sum (x - <x>)^2

    ======  ====================================================================
    symbol  meaning
    ======  ====================================================================
    x       values of the reference, all pairs at all common distances
    y       values of the other at the same places
    ======  ====================================================================

    It is no squared correlation: curves that are too high or shifted count as wrong. Raises InputError where
    the pairs differ, or fewer than two distances are common.
    """
    if set(reference.values) != set(other.values):
        only = sorted(set(reference.values) ^ set(other.values))
        raise InputError(f"{', '.join(only)} is in one of the two only; parity needs the same elements in both")
    low, high = max(reference.r_a[0], other.r_a[0]), min(reference.r_a[-1], other.r_a[-1])
    common = (reference.r_a >= low - 1e-9) & (reference.r_a <= high + 1e-9)
    if common.sum() < 2:
        raise InputError(
            f"the distances {reference.r_a[0]:g}-{reference.r_a[-1]:g} A and "
            f"{other.r_a[0]:g}-{other.r_a[-1]:g} A have nothing in common"
        )
    r = reference.r_a[common]
    x = {pair: values[common] for pair, values in reference.values.items()}
    y = {pair: np.interp(r, other.r_a, other.values[pair]) for pair in x}
    return Parity(
        r2=coefficient_of_determination(np.concatenate(list(x.values())), np.concatenate(list(y.values()))),
        r2_by_pair={pair: coefficient_of_determination(x[pair], y[pair]) for pair in x},
        n_values=len(x) * len(r),
        r_max_a=float(r[-1]),
    )


def coefficient_of_determination(reference: ArrayLike, other: ArrayLike) -> float:
    """1 - sum (other - reference)^2 / sum (reference - mean)^2 of two arrays (n,); nan for a constant reference."""
    x, y = np.asarray(reference, dtype=np.float64), np.asarray(other, dtype=np.float64)
    spread = float(((x - x.mean()) ** 2).sum())
    return 1 - float(((y - x) ** 2).sum()) / spread if spread > 0 else float("nan")


def fractions_above(r2: ArrayLike, thresholds: ArrayLike = PUBLISHED_THRESHOLDS) -> Mapping[float, float]:
    """Fraction of materials, given the R^2 of each (n,), above each threshold."""
    values = np.asarray(r2, dtype=np.float64)
    return {float(t): float((values > t).mean()) for t in np.atleast_1d(np.asarray(thresholds))}
