"""Prediction intervals with calibrated coverage for compositions that were not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array
from tachylite.learning.learners import Transform, inverse_transform, transform_target

LEVELS = (0.90, 0.95)
"""Coverages that are calibrated and tested; the last one is what predictions are given with."""


@dataclass(frozen=True)
class Calibration:
    """Half widths of intervals, over the spread that the learner predicts."""

    transform: Transform
    factors: tuple[float, ...]
    """For each of `LEVELS`; infinite where too few compositions were held out."""

    def intervals(self, centre: Array, spread: Array, level: float) -> tuple[Array, Array]:
        """Ends (n,) of the intervals in the unit of the target, from centre and spread (n,) as learners give them."""
        half = self.factors[LEVELS.index(level)] * spread
        return inverse_transform(self.transform, centre - half), inverse_transform(self.transform, centre + half)


def calibrate(
    transform: Transform,
    target: ArrayLike,
    centre: ArrayLike,
    spread: ArrayLike,
    groups: Sequence[str] | NDArray[np.str_],
) -> Calibration:
    r"""Calibrate intervals on held-out rows by conformal prediction with normalised residuals.

    $$ q = \min \{ s : \frac{1}{G + 1} \sum_g \frac{1}{n_g} \sum_{i \in g} [s_i \le s] \ge 1 - \alpha \}, \quad
       s_i = |f(y_i) - c_i| / \sigma_i $$

    | symbol | meaning |
    |---|---|
    | y_i, f | target (n,), and the transform it is learned under |
    | c_i, σ_i | centre and spread (n,) predicted by a model that was not trained on the row's composition |
    | g, n_g, G | composition, its rows, number of compositions |

    Rows of one composition are not independent, compositions are: every one counts once, and the new one is the
    (G + 1)th (Dunn, Wasserman and Ramdas 2022, DOI 10.1080/01621459.2022.2060112).
    """
    scores = np.abs(transform_target(transform, np.asarray(target)) - np.asarray(centre)) / np.asarray(spread)
    _, member, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = np.argsort(scores)
    reached = np.cumsum(1 / counts[member][order]) / (len(counts) + 1)
    # the rounded sum of fractions may fall short of the level it reaches
    places = [int(np.searchsorted(reached, level - 1e-12)) for level in LEVELS]
    return Calibration(
        transform, tuple(float(scores[order][place]) if place < len(scores) else float("inf") for place in places)
    )
