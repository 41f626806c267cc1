"""From a dataset to a model with its card: evaluate learners, keep the one that predicts new compositions best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.domain import CRITERION, Domain
from tachylite.learning.evaluation import (
    HeldOut,
    Tuned,
    coverages,
    hold_out,
    over_folds,
    root_mean_square,
    score,
    tune,
)
from tachylite.learning.formulas import find_formulas
from tachylite.learning.importance import measure_importances
from tachylite.learning.inputs import inputs_of
from tachylite.learning.learners import SEED, Fitted, Learner, default_learners, fit, get_learner
from tachylite.learning.model_file import SavedModel, model_id
from tachylite.learning.splits import SPLITS
from tachylite.learning.trends import find_trends
from tachylite.schemas import Failure, Measured
from tachylite.schemas.learning import (
    Applicability,
    DatasetCard,
    HeldOutRows,
    LearnerScores,
    LearningPoint,
    Model,
)

CURVE_FRACTIONS = (0.1, 0.2, 0.4, 0.7, 1.0)
"""Of the compositions to learn from."""

_PACKAGES = ("tachylite", "numpy", "scipy", "scikit-learn", "xgboost")


def train(
    dataset: Dataset,
    learners: Sequence[str] = (),
    *,
    formulas: bool = False,
    skipped: Sequence[Failure] = (),
    tell: Callable[[str], None] = lambda line: None,
) -> SavedModel:
    """Evaluate learners on all splits and fit the best one to all rows.

    Without names, the learners are those of `default_learners`. Best is the least RMSE on held-out compositions. With
    `formulas`, SISSO looks for these as well. `tell` hears what is done. Raises InputError for an unknown learner and
    for a dataset with too few compositions or chemical systems, MissingPackageError where a library is not installed.
    """
    chosen = [get_learner(name) for name in dict.fromkeys(learners or default_learners(len(dataset)))]
    entries = [_evaluate(learner, dataset, tell) for learner in chosen]
    entries.sort(key=lambda entry: entry.scores.scores[0].rmse.value)
    best = entries[0]
    inputs, matrix = inputs_of(dataset)
    domain = Domain.of(inputs, matrix, dataset.compositions)
    rows = _held_out_rows(dataset, best.held_out)
    card = Model(
        model_id=model_id(best.final.model, best.final.calibration, domain),
        learner=best.learner.name,
        settings=best.final.candidate.text,
        data=describe_dataset(dataset),
        skipped=list(skipped),
        learners=[entry.scores for entry in entries],
        applicability=_applicability(domain, rows),
        trends=find_trends(dataset),
        formulas=find_formulas(dataset, tell) if formulas else [],
        learning_curve=_learning_curve(dataset, best.learner, best.held_out),
        held_out=rows,
        versions=_versions(),
    )
    return SavedModel(card, best.final.model, best.final.calibration, domain)


@dataclass(frozen=True)
class _Evaluated:
    """A learner, what it said of held-out compositions, and what it became with all rows."""

    learner: Learner
    held_out: HeldOut
    final: Tuned
    scores: LearnerScores


def _evaluate(learner: Learner, dataset: Dataset, tell: Callable[[str], None]) -> _Evaluated:
    held_out = []
    for split in SPLITS:
        tell(f"{learner.name}: split by {split}" if split != "random" else f"{learner.name}: random split")
        held_out.append(hold_out(learner, dataset, split))
    tell(f"{learner.name}: fitted to all rows, and explained")
    inputs, matrix = inputs_of(dataset)
    final = tune(learner, inputs, matrix, dataset.target, dataset.compositions)
    scores = LearnerScores(
        learner=learner.name,
        description=learner.description,
        settings=[tuned.candidate.text for tuned in held_out[0].models],
        scores=[score(dataset, one) for one in held_out],
        coverage=coverages(dataset, held_out[0]),
        importances=measure_importances(held_out[0], final.model, matrix, dataset.target),
    )
    return _Evaluated(learner, held_out[0], final, scores)


def describe_dataset(dataset: Dataset) -> DatasetCard:
    """Say what a dataset holds."""
    return DatasetCard(
        fingerprint=dataset.fingerprint,
        source=dataset.source,
        species=dataset.species,
        convention=dataset.convention,
        target=dataset.target_name,
        target_unit=dataset.target_unit,
        features=dict(zip(dataset.names, dataset.units, strict=True)),
        rows=len(dataset),
        compositions=len(np.unique(dataset.compositions)),
        chemical_systems=len(np.unique(dataset.systems)),
        elements=list(dataset.elements),
        temperatures_k=np.unique(dataset.temperature_k).tolist(),
    )


def _held_out_rows(dataset: Dataset, held_out: HeldOut) -> HeldOutRows:
    inputs, matrix = inputs_of(dataset)
    groups, distance = dataset.compositions, np.empty(len(dataset))
    for train_rows, test in held_out.folds:
        domain = Domain.of(inputs, matrix[train_rows], groups[train_rows])
        distance[test] = domain.distances(matrix[test]) / domain.threshold
    return HeldOutRows(
        formulas=list(dataset.formulas),
        temperatures_k=dataset.temperature_k.tolist(),
        measured=dataset.target.tolist(),
        predicted=held_out.value.tolist(),
        low=_known(held_out.low[-1]),
        high=_known(held_out.high[-1]),
        distance=distance.tolist(),
    )


def _known(values: Array) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _applicability(domain: Domain, rows: HeldOutRows) -> Applicability:
    errors = np.array(rows.predicted) - np.array(rows.measured)
    outside = np.array(rows.distance) > 1
    return Applicability(
        criterion=CRITERION,
        threshold=domain.threshold,
        temperatures_k=domain.temperatures_k,
        rmse_inside=_rmse(errors[~outside]),
        rmse_outside=_rmse(errors[outside]) if outside.sum() > 1 else None,
        outside=int(outside.sum()),
    )


def _rmse(errors: Array) -> Measured:
    value = root_mean_square(errors)
    spread = float((errors**2).std(ddof=1)) if len(errors) > 1 else float("inf")
    return Measured(value=value, error=spread / (2 * value * len(errors) ** 0.5) if value else 0.0)


def _learning_curve(dataset: Dataset, learner: Learner, held_out: HeldOut) -> list[LearningPoint]:
    """Errors with some of the compositions to learn from, with what was chosen in every fold."""
    inputs, matrix = inputs_of(dataset)
    groups, generator = dataset.compositions, np.random.default_rng(SEED)
    orders = [generator.permutation(np.unique(groups[rows])) for rows, _ in held_out.folds]
    points = []
    for fraction in CURVE_FRACTIONS:
        counts, errors = [], []
        for (rows, test), order, tuned in zip(held_out.folds, orders, held_out.models, strict=True):
            some = order[: max(2, round(fraction * len(order)))]
            own = rows[np.isin(groups[rows], some)]
            model: Fitted = tuned.model
            if fraction < 1:
                model = fit(learner, tuned.candidate, inputs, matrix[own], dataset.target[own])
            counts.append(len(some))
            errors.append(root_mean_square(model.value(matrix[test]) - dataset.target[test]))
        points.append(LearningPoint(compositions=float(np.mean(counts)), rmse=over_folds(errors)))
    return points


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
