"""What every predictor of a property of crystals offers, and how its arrays are named in a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.learners import Transform
from tachylite.schemas import State

type Arrays = Mapping[str, NDArray[Any]]


class Predicted(NamedTuple):
    """Of crystals, each of shape (n,)."""

    centre: Array
    spread: Array
    """Both under the transform of the values; spreads are relative, a calibration makes intervals of them."""
    distances: Array
    """To the nearest training crystal: root mean square over features, in their standard deviations."""


class Predictor(Protocol):
    """Predicts one number for a crystal of elements that it knows."""

    @property
    def transform(self) -> Transform:
        """Of the values, under which centre and spread are given."""

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that it can be asked about."""

    def predict(self, states: Sequence[State], report: Callable[[int], None]) -> Predicted:
        """Centre, spread, and distance to the nearest training crystal; `report` hears how many are done."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that predictions follow from, by `KIND_NAME`."""


def standardise(rows: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (p,) of rows (n, p); 1 where a column is constant."""
    deviation = rows.std(axis=0)
    return rows.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def prefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays of a part under names that say which part."""
    return {f"{prefix}_{name}": array for name, array in arrays.items()}


def arrays_of(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays of a part under their own names."""
    return {name.removeprefix(f"{prefix}_"): array for name, array in arrays.items() if name.startswith(f"{prefix}_")}
