"""Importance of the inputs of a model: permutation on held-out compositions, and Shapley values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.evaluation import HeldOutPredictions, mean_with_error, root_mean_square
from tachylite.learning.inputs import ELEMENTS
from tachylite.learning.learners import SEED, FittedModel
from tachylite.schemas.learning import Importance

REPEATS = 5
_EXPLAINED_ROWS = 60
_PAIRS = 6
"""Orders of the inputs that are drawn, each with its reverse."""


@dataclass(frozen=True)
class Shapley:
    """Contributions of every input to the predictions of some rows."""

    names: tuple[str, ...]
    values: Array
    """Shape (rows, inputs), in the unit of the target."""
    rows: NDArray[np.int64]


def measure_importances(
    held_out: HeldOutPredictions, final: FittedModel, matrix: Array, target: Array
) -> list[Importance]:
    """Importances of all inputs of a learner, the largest first, from its held-out rows and its final model.

    Matrix (n, columns) and target (n,) are those of the dataset that both were made from.
    """
    permutation = permutation_importance(held_out, matrix, target)
    shapley = shapley_values(final, matrix)
    blocks = final.inputs.blocks
    importances = []
    for index, name in enumerate(shapley.names):
        values = shapley.values[:, index]
        column = matrix[shapley.rows, blocks[name][0]]
        correlated = name != ELEMENTS and values.std() > 0 and column.std() > 0
        importances.append(
            Importance(
                feature=name,
                permutation=mean_with_error(permutation[name]),
                shapley=mean_with_error(np.abs(values).tolist()),
                direction=float(np.corrcoef(column, values)[0, 1]) if correlated else None,
            )
        )
    return sorted(importances, key=lambda importance: -importance.permutation.value)


def permutation_importance(held_out: HeldOutPredictions, matrix: Array, target: Array) -> dict[str, list[float]]:
    """Rise of the RMSE of every fold where the held-out rows swap their values of one input (Breiman 2001).

    Atomic fractions are swapped together. Of correlated inputs each alone may seem unimportant.
    """
    generator = np.random.default_rng(SEED)
    rises: dict[str, list[float]] = {}
    for (_, test), tuned in zip(held_out.folds, held_out.models, strict=True):
        rows, truth = matrix[test], target[test]
        least = root_mean_square(tuned.model.value(rows) - truth)
        for name, columns in _used_blocks(tuned.model).items():
            errors = []
            for _ in range(REPEATS):
                swapped = rows.copy()
                swapped[:, columns] = rows[np.ix_(generator.permutation(len(rows)), columns)]
                errors.append(root_mean_square(tuned.model.value(swapped) - truth))
            rises.setdefault(name, []).append(float(np.mean(errors)) - least)
    return rises


def shapley_values(model: FittedModel, matrix: Array, n_rows: int = _EXPLAINED_ROWS, pairs: int = _PAIRS) -> Shapley:
    """Shapley values of a model for some rows of a matrix (n, columns), drawn at random, against the others.

    Inputs of a random background row are replaced by those of the explained row one after the other, in random orders
    and their reverses; each replacement contributes the change of the prediction (Strumbelj and Kononenko 2014, DOI
    10.1007/s10115-013-0679-x). The contributions of a row sum to its prediction less that of the background.
    """
    generator = np.random.default_rng(SEED)
    blocks = _used_blocks(model)
    rows = generator.choice(len(matrix), size=min(n_rows, len(matrix)), replace=False)
    values = np.zeros((len(rows), len(blocks)))
    for _ in range(pairs):
        order = generator.permutation(len(blocks))
        background = matrix[generator.integers(len(matrix), size=len(rows))]
        for sequence in (order, order[::-1]):
            values += _contributions(model, matrix[rows], background, list(blocks.values()), sequence)
    return Shapley(tuple(blocks), values / (2 * pairs), rows)


def _contributions(
    model: FittedModel,
    rows: Array,
    background: Array,
    blocks: Sequence[NDArray[np.int64]],
    order: NDArray[np.int64],
) -> Array:
    """Changes (rows, inputs) of the prediction on the way from the background to the rows."""
    mixed = background.copy()
    stages = [mixed.copy()]
    for index in order:
        mixed[:, blocks[index]] = rows[:, blocks[index]]
        stages.append(mixed.copy())
    predicted = model.value(np.concatenate(stages)).reshape(len(stages), len(rows))
    changes = np.empty((len(rows), len(blocks)))
    changes[:, order] = np.diff(predicted, axis=0).T
    return changes


def _used_blocks(model: FittedModel) -> dict[str, NDArray[np.int64]]:
    return {name: columns for name, columns in model.inputs.blocks.items() if model.elements or name != ELEMENTS}
