"""Choose rung and dimension of SISSO by cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.fit import SissoSettings, fit_sisso
from tachylite.learning.sisso.model import SissoModel
from tachylite.learning.sisso.space import varies

type Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows to fit to and rows to predict, as scikit-learn's splitters give them."""


@dataclass(frozen=True)
class ChosenModel:
    """The model with the least cross-validated error, fitted to all rows."""

    model: SissoModel
    settings: SissoSettings
    cv_rmse: tuple[tuple[float, ...], ...]
    """Cross-validated error of every candidate, by dimension; inf where a held-out row had no value."""


def choose_sisso(
    features: ArrayLike,
    target: ArrayLike,
    names: Sequence[str],
    units: Sequence[str],
    folds: Sequence[Fold],
    candidates: Sequence[SissoSettings],
) -> ChosenModel:
    """Fit the candidate and dimension with the least cross-validated error; of equal ones the first.

    The whole method, screening included, is repeated in every fold. The folds decide what the error means: where
    rows belong together (one composition at several temperatures), a group must not be on both sides. The error
    of the choice itself takes another loop around this function. Raises InputError as `fit_sisso` does, and where
    no model can predict all held-out rows.
    """
    scores = tuple(
        tuple(float(rmse) for rmse in cross_validate(features, target, names, units, folds, settings))
        for settings in candidates
    )
    best = min(range(len(candidates)), key=lambda index: min(scores[index]))
    if not np.isfinite(min(scores[best])):
        raise InputError("no model has a value in all held-out rows; give fewer operators or a lower rung")
    models = fit_sisso(features, target, names, units, candidates[best])
    dimension = min(scores[best].index(min(scores[best])) + 1, len(models))
    return ChosenModel(models[dimension - 1], candidates[best], scores)


def cross_validate(
    features: ArrayLike,
    target: ArrayLike,
    names: Sequence[str],
    units: Sequence[str],
    folds: Sequence[Fold],
    settings: SissoSettings,
) -> Array:
    """Root mean square error (dimension,) over the held-out rows of all folds.

    It is inf for a dimension whose model has no value in a held-out row. A column that is constant in the rows of
    a fold is left out there.
    """
    table, y = np.asarray(features, dtype=np.float64), np.asarray(target, dtype=np.float64)
    squares, count = np.zeros(settings.dimension), 0
    for train, test in folds:
        used = np.flatnonzero(varies(table[train].T)).tolist()
        models = fit_sisso(
            table[np.ix_(train, used)], y[train], [names[i] for i in used], [units[i] for i in used], settings
        )
        held_out = {names[i]: table[test, i] for i in used}
        errors = [_squared_error(model, held_out, y[test]) for model in models]
        squares += errors + errors[-1:] * (settings.dimension - len(errors))
        count += len(test)
    return np.sqrt(squares / count)


def _squared_error(model: SissoModel, table: dict[str, Array], target: Array) -> float:
    try:
        return float(np.sum((model.predict(table) - target) ** 2))
    except InputError:
        return np.inf
