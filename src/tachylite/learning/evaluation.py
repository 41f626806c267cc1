"""How well a learner predicts rows it has not seen; everything that is chosen is chosen without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.inputs import Inputs, inputs_of
from tachylite.learning.intervals import LEVELS, Calibration, calibrate
from tachylite.learning.learners import Candidate, Fitted, Learner, backward, fit, suits
from tachylite.learning.splits import Fold, Split, grouped_folds, split_rows
from tachylite.physics.structure.parity import coefficient_of_determination
from tachylite.schemas import Measured
from tachylite.schemas.learning import Coverage, Score

INNER_FOLDS = 4


@dataclass(frozen=True)
class Tuned:
    """A model fitted to all rows it was given, with what was chosen for it from them alone."""

    model: Fitted
    candidate: Candidate
    calibration: Calibration


@dataclass(frozen=True)
class HeldOut:
    """Predictions of rows by models that have not seen them."""

    split: Split
    folds: tuple[Fold, ...]
    models: tuple[Tuned, ...]
    """One for each fold."""
    value: Array
    """Predicted target, shape (n,); nan for rows that were not held out."""
    low: Array
    high: Array
    """Ends of the intervals, shape (levels, n)."""


def tune(learner: Learner, inputs: Inputs, matrix: Array, target: Array, groups: NDArray[np.str_]) -> Tuned:
    """Choose the candidate with the least error on held-out compositions, calibrate its intervals on them, fit it.

    Matrix (n, columns), target (n,) and composition (n,) of the rows. Raises InputError for too few compositions.
    """
    candidates = [one for one in learner.candidates if suits(one, target)]
    folds = grouped_folds(groups, n_folds=INNER_FOLDS)
    tried = []
    for candidate in candidates:
        centre, spread = np.empty(len(target)), np.empty(len(target))
        for train, test in folds:
            model = fit(learner, candidate, inputs, matrix[train], target[train])
            centre[test], spread[test] = model.predict(matrix[test])
        error = root_mean_square(backward(candidate.transform, centre) - target)
        tried.append((error, candidate, centre, spread))
    _, best, centre, spread = min(tried, key=lambda one: one[0])
    return Tuned(
        fit(learner, best, inputs, matrix, target), best, calibrate(best.transform, target, centre, spread, groups)
    )


def hold_out(learner: Learner, dataset: Dataset, split: Split) -> HeldOut:
    """Predict the rows of every fold with a model that was tuned, calibrated and fitted on the others."""
    inputs, matrix = inputs_of(dataset)
    groups, target = dataset.compositions, dataset.target
    folds = split_rows(dataset, split)
    value = np.full(len(target), np.nan)
    low, high = np.full((len(LEVELS), len(target)), np.nan), np.full((len(LEVELS), len(target)), np.nan)
    models = []
    for train, test in folds:
        tuned = tune(learner, inputs, matrix[train], target[train], groups[train])
        centre, spread = tuned.model.predict(matrix[test])
        value[test] = backward(tuned.candidate.transform, centre)
        for index, level in enumerate(LEVELS):
            low[index, test], high[index, test] = tuned.calibration.intervals(centre, spread, level)
        models.append(tuned)
    return HeldOut(split, tuple(folds), tuple(models), value, low, high)


def score(dataset: Dataset, held_out: HeldOut) -> Score:
    """R2 over all held-out rows; RMSE and MAE as means over the folds with their standard errors.

    With one fold the error is that over its rows.
    """
    known = np.isfinite(held_out.value)
    errors = [held_out.value[test] - dataset.target[test] for _, test in held_out.folds]
    if len(errors) > 1:
        rmse = over_folds([root_mean_square(error) for error in errors])
        mae = over_folds([float(np.abs(error).mean()) for error in errors])
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


def coverages(dataset: Dataset, held_out: HeldOut) -> list[Coverage]:
    """How many of the held-out rows lie in their intervals, every composition counting once, and how wide these are.

    The error is that over compositions.
    """
    known = np.isfinite(held_out.value)
    groups, target = dataset.compositions[known], dataset.target[known]
    found = []
    for index, level in enumerate(LEVELS):
        low, high = held_out.low[index, known], held_out.high[index, known]
        inside = (low <= target) & (target <= high)
        shares = [float(inside[groups == group].mean()) for group in np.unique(groups)]
        width = float((high - low).mean())
        found.append(
            Coverage(level=level, coverage=over_folds(shares), mean_width=width if np.isfinite(width) else None)
        )
    return found


def root_mean_square(error: Array) -> float:
    """Root of the mean square of errors (n,)."""
    return float(np.sqrt(np.mean(error**2)))


def over_folds(values: Sequence[float]) -> Measured:
    """Mean of independent values with its standard error."""
    numbers = np.asarray(values)
    error = float(numbers.std(ddof=1)) / len(numbers) ** 0.5 if len(numbers) > 1 else float("inf")
    return Measured(value=float(numbers.mean()), error=error)
