"""Domain of applicability of a model: how far a row is from the rows it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.inputs import Inputs
from tachylite.physics.composition import parse_formula

_QUANTILE = 0.95
_MIN_THRESHOLD = 1e-9
"""A limit below it is rounding: the training rows are all alike."""

_ROWS_AT_ONCE = 1000
"""Distances of more to all others would fill the memory."""

CRITERION = (
    "distance to the nearest training row: root mean square over the descriptors, in standard deviations; the limit is "
    "what 95 % of the training compositions have to another one"
)


@dataclass(frozen=True)
class Domain:
    """The training rows in the space of the descriptors, and the distance from them beyond which warnings are given."""

    names: tuple[str, ...]
    mean: Array
    scale: Array
    """Of the descriptors, shape (p,)."""
    rows: Array
    """Scaled, shape (n, p)."""
    threshold: float
    temperatures_k: tuple[float, float]
    elements: tuple[str, ...]

    @classmethod
    def from_training_rows(cls, inputs: Inputs, matrix: Array, groups: NDArray[np.str_]) -> Self:
        """Determine it from training rows (n, columns) and their compositions (n,)."""
        features = matrix[:, 1 : inputs.n_descriptor_columns]
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        rows = (features - mean) / scale
        names, members = np.unique(groups, return_inverse=True)
        farthest = np.zeros(len(names))
        # the farthest row of a composition stands for it
        np.maximum.at(farthest, members, nearest_distances(rows, rows, members))
        temperatures = matrix[:, 0]
        return cls(
            inputs.names,
            mean,
            scale,
            rows,
            max(float(np.quantile(farthest, _QUANTILE)), _MIN_THRESHOLD),
            (float(temperatures.min()), float(temperatures.max())),
            inputs.elements,
        )

    def distances(self, matrix: Array) -> Array:
        """Distance (m,) of rows (m, columns) to the nearest training row."""
        features = matrix[:, 1 : 1 + len(self.names)]
        return nearest_distances((features - self.mean) / self.scale, self.rows)

    def warnings_for(self, row: Array, formula: str) -> list[str]:
        """Say why a row (columns,) is unlike the training set, one line each; empty where it is not."""
        warnings = []
        distance = float(self.distances(row[None])[0])
        if distance > self.threshold:
            z = np.abs((row[1 : 1 + len(self.names)] - self.mean) / self.scale)
            farthest = [f"{self.names[index]} ({z[index]:.1f})" for index in np.argsort(-z)[:3]]
            warnings.append(
                f"{distance:.2f} from the nearest training row, where {self.threshold:.2f} is the limit; most standard "
                f"deviations from the mean: {', '.join(farthest)}"
            )
        unknown = [symbol for symbol in parse_formula(formula).unit if symbol not in self.elements]
        if unknown:
            warnings.append(f"no training row has {', '.join(unknown)}")
        low, high = self.temperatures_k
        if not low <= row[0] <= high:
            warnings.append(f"{row[0]:g} K is outside the {low:g} to {high:g} K of the training set")
        return warnings

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name from which, with the names and elements of the inputs, `from_arrays` makes the same domain."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "rows": self.rows,
            "limits": np.array([self.threshold, *self.temperatures_k]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], names: Sequence[str], elements: Sequence[str]) -> Self:
        """Make a domain from its `arrays`."""
        threshold, low, high = (float(number) for number in arrays["limits"])
        parts = (arrays["mean"], arrays["scale"], arrays["rows"])
        return cls(tuple(names), *parts, threshold, (low, high), tuple(elements))


def nearest_distances(a: Array, b: Array, groups: NDArray[np.int64] | None = None) -> Array:
    """Distance (n,) of rows a (n, p) to the nearest of b (m, p); of another group, where a and b are the same rows."""
    distances = []
    for start in range(0, len(a), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        squares = (a[part] ** 2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a[part] @ b.T
        if groups is not None:
            squares[groups[part, None] == groups[None]] = np.inf
        distances.append(np.sqrt(np.maximum(squares.min(axis=1), 0.0) / a.shape[1]))
    return np.concatenate(distances)
