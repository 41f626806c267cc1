"""Gaussian processes over features of crystals that a potential's network gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.predictor import Arrays, Predicted, arrays_of, prefixed
from tachylite.learning.domain import nearest_distances
from tachylite.learning.gaussian_process import GaussianProcess
from tachylite.learning.learners import Transform, inverse_transform, transform_target
from tachylite.schemas import State


@dataclass(frozen=True)
class Regression:
    """A Gaussian process over features of crystals."""

    process: GaussianProcess
    transform: Transform

    @classmethod
    def fit(cls, features: Array, target: Array, transform: Transform) -> Self:
        """Fit to features (n, p) and targets (n,)."""
        kinds = np.zeros(features.shape[1])
        return cls(GaussianProcess.fit(features, transform_target(transform, target), kinds), transform)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Centre and spread (m,) under the transform of crystals with features (m, p)."""
        return self.process.centre(features), self.process.spread(features)

    def values(self, features: Array) -> Array:
        """Predicted property (m,)."""
        return inverse_transform(self.transform, self.process.centre(features))

    def distances(self, features: Array) -> Array:
        """Distance (m,) to the nearest training crystal: root mean square over the features, in standard deviations."""
        return nearest_distances((features - self.process.mean) / self.process.scale, self.process.rows)


@dataclass(frozen=True)
class EmbeddedProcess:
    """A Gaussian process on the features of an embedding."""

    embedding: Embedding
    regression: Regression

    @property
    def transform(self) -> Transform:
        """Of the values, under which centre and spread are given."""
        return self.regression.transform

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that it can be asked about."""
        return self.embedding.settings.elements

    def predict(self, states: Sequence[State], report: Callable[[int], None]) -> Predicted:
        """Centre, spread, and distance to the nearest training crystal; `report` hears how many are done."""
        features = self.embedding.features(states, report)
        return Predicted(*self.regression.predict(features), self.regression.distances(features))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name from which `from_arrays` makes the same."""
        process = self.regression.process.arrays()
        # the rows are by far the largest, and exact to seven digits
        process["rows"] = process["rows"].astype(np.float32)
        return prefixed("embedding", self.embedding.arrays()) | prefixed("process", process)

    @classmethod
    def from_arrays(cls, arrays: Arrays, transform: Transform) -> Self:
        """Make one from its `arrays`."""
        process = GaussianProcess.from_arrays(arrays_of("process", arrays))
        return cls(Embedding.from_arrays(arrays_of("embedding", arrays)), Regression(process, transform))
