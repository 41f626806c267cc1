"""Scores of learners on held-out rows, which have no part in fitting, tuning and calibration."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.inputs import Inputs, encode_dataset
from tachylite.learning.intervals import LEVELS, Calibration, calibrate
from tachylite.learning.learners import Candidate, FittedModel, Learner, fit, inverse_transform, is_applicable
from tachylite.learning.splits import Fold, Split, grouped_folds, split_rows
from tachylite.physics.structure.parity import coefficient_of_determination
from tachylite.schemas import Measured
from tachylite.schemas.learning import Coverage, Score

_INNER_FOLDS = 4


class FittedRegression(Protocol):
    """What predicts rows."""

    def predict(self, matrix: Array) -> tuple[Array, Array]:
        """Centre and spread (m,) of rows (m, columns)."""
        ...


@dataclass(frozen=True)
class TunedModel:
    """A fitted model with the settings and the calibration that were chosen on its training rows alone."""

    model: FittedModel
    candidate: Candidate
    calibration: Calibration


@dataclass(frozen=True)
class HeldOutPredictions:
    """Predictions of rows by models that were not trained on them."""

    split: Split
    folds: tuple[Fold, ...]
    models: tuple[TunedModel, ...]
    """One for each fold."""
    value: Array
    """Predicted target, shape (n,); nan for rows that were not held out."""
    low: Array
    high: Array
    """Ends of the intervals, shape (levels, n)."""


def tune(learner: Learner, inputs: Inputs, matrix: Array, target: Array, groups: NDArray[np.str_]) -> TunedModel:
    """Choose the candidate with the least error on held-out compositions, calibrate its intervals on them, fit it.

    Matrix (n, columns), target (n,) and composition (n,) of the rows. Raises InputError for too few compositions.
    """
    candidates = [candidate for candidate in learner.candidates if is_applicable(candidate, target)]
    results = []
    for candidate in candidates:
        fitted = functools.partial(fit, learner, candidate, inputs)
        centre, spread = predict_inner_folds(fitted, matrix, target, groups)
        error = root_mean_square(inverse_transform(candidate.transform, centre) - target)
        results.append((error, candidate, centre, spread))
    _, best, centre, spread = min(results, key=lambda result: result[0])
    return TunedModel(
        fit(learner, best, inputs, matrix, target), best, calibrate(best.transform, target, centre, spread, groups)
    )


def predict_inner_folds(
    fit: Callable[[Array, Array], FittedRegression], matrix: Array, target: Array, groups: NDArray[np.str_]
) -> tuple[Array, Array]:
    """Centre and spread (n,) of every row by a model that was fitted to rows (n, columns) of other groups (n,)."""
    centre, spread = np.empty(len(target)), np.empty(len(target))
    for train, test in grouped_folds(groups, n_folds=_INNER_FOLDS):
        centre[test], spread[test] = fit(matrix[train], target[train]).predict(matrix[test])
    return centre, spread


def predict_held_out(learner: Learner, dataset: Dataset, split: Split) -> HeldOutPredictions:
    """Predict the rows of every fold with a model that was tuned, calibrated and fitted on the others."""
    inputs, matrix = encode_dataset(dataset)
    groups, target = dataset.compositions, dataset.target
    folds = split_rows(dataset, split)
    value = np.full(len(target), np.nan)
    low, high = np.full((len(LEVELS), len(target)), np.nan), np.full((len(LEVELS), len(target)), np.nan)
    models = []
    for train, test in folds:
        tuned = tune(learner, inputs, matrix[train], target[train], groups[train])
        centre, spread = tuned.model.predict(matrix[test])
        value[test] = inverse_transform(tuned.candidate.transform, centre)
        for index, level in enumerate(LEVELS):
            low[index, test], high[index, test] = tuned.calibration.intervals(centre, spread, level)
        models.append(tuned)
    return HeldOutPredictions(split, tuple(folds), tuple(models), value, low, high)


def score(dataset: Dataset, held_out: HeldOutPredictions) -> Score:
    """R2 over all held-out rows; RMSE and MAE as means over the folds with their standard errors.

    With one fold the errors are those over its rows.
    """
    known = np.isfinite(held_out.value)
    errors = [held_out.value[test] - dataset.target[test] for _, test in held_out.folds]
    if len(errors) > 1:
        rmse = mean_with_error([root_mean_square(error) for error in errors])
        mae = mean_with_error([float(np.abs(error).mean()) for error in errors])
    else:
        (error,) = errors
        value, count = root_mean_square(error), len(error)
        rmse = Measured(value=value, error=float((error**2).std(ddof=1)) / (2 * value * count**0.5) if value else 0.0)
        mae = Measured(value=float(np.abs(error).mean()), error=float(np.abs(error).std(ddof=1)) / count**0.5)
    return Score(
        split=held_out.split,
        n_folds=len(errors),
        n_rows=int(known.sum()),
        r2=coefficient_of_determination(dataset.target[known], held_out.value[known]),
        rmse=rmse,
        mae=mae,
    )


def coverages(dataset: Dataset, held_out: HeldOutPredictions) -> list[Coverage]:
    """Share of the held-out rows that lie in their intervals, every composition counting once, and the mean width.

    The error is that over compositions.
    """
    known = np.isfinite(held_out.value)
    groups, target = dataset.compositions[known], dataset.target[known]
    results = []
    for index, level in enumerate(LEVELS):
        low, high = held_out.low[index, known], held_out.high[index, known]
        inside = (low <= target) & (target <= high)
        shares = [float(inside[groups == group].mean()) for group in np.unique(groups)]
        width = float((high - low).mean())
        results.append(
            Coverage(level=level, coverage=mean_with_error(shares), mean_width=width if np.isfinite(width) else None)
        )
    return results


def root_mean_square(error: Array) -> float:
    """Root of the mean square of errors (n,)."""
    return float(np.sqrt(np.mean(error**2)))


def mean_with_error(values: Sequence[float]) -> Measured:
    """Mean of independent values with its standard error."""
    numbers = np.asarray(values)
    error = float(numbers.std(ddof=1)) / len(numbers) ** 0.5 if len(numbers) > 1 else float("inf")
    return Measured(value=float(numbers.mean()), error=error)
