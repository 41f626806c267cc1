"""Train models on a dataset: evaluate learners and keep the one that predicts new compositions best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.domain import CRITERION, Domain
from tachylite.learning.evaluation import (
    HeldOutPredictions,
    TunedModel,
    coverages,
    mean_with_error,
    predict_held_out,
    root_mean_square,
    score,
    tune,
)
from tachylite.learning.formulas import find_formulas
from tachylite.learning.importance import measure_importances
from tachylite.learning.inputs import encode_dataset
from tachylite.learning.learners import SEED, FittedModel, Learner, default_learners, fit, get_learner
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

_CURVE_FRACTIONS = (0.1, 0.2, 0.4, 0.7, 1.0)
"""Of the compositions to train on, for the learning curve."""

_PACKAGES = ("tachylite", "numpy", "scipy", "scikit-learn", "xgboost")


def train(
    dataset: Dataset,
    learners: Sequence[str] = (),
    *,
    symbolic_regression: bool = False,
    skipped: Sequence[Failure] = (),
    log: Callable[[str], None] = lambda line: None,
) -> SavedModel:
    """Evaluate learners on all splits and fit the best one to all rows.

    Without names, the learners are those of `default_learners`. Best is the least RMSE on held-out compositions. With
    `symbolic_regression`, SISSO looks for formulas as well. `log` is called with a line before each step. Raises
    InputError for an unknown learner and for a dataset with too few compositions or chemical systems,
    MissingPackageError where a library is not installed.
    """
    selected = [get_learner(name) for name in dict.fromkeys(learners or default_learners(len(dataset)))]
    entries = [_evaluate(learner, dataset, log) for learner in selected]
    entries.sort(key=lambda entry: entry.scores.scores[0].rmse.value)
    best = entries[0]
    inputs, matrix = encode_dataset(dataset)
    domain = Domain.from_training_rows(inputs, matrix, dataset.compositions)
    rows = _held_out_rows(dataset, best.held_out)
    card = Model(
        model_id=model_id(best.final.model, best.final.calibration, domain),
        learner=best.learner.name,
        settings=best.final.candidate.text,
        data=make_dataset_card(dataset),
        skipped=list(skipped),
        learners=[entry.scores for entry in entries],
        applicability=_applicability(domain, rows),
        trends=find_trends(dataset),
        formulas=find_formulas(dataset, log) if symbolic_regression else [],
        learning_curve=_learning_curve(dataset, best.learner, best.held_out),
        held_out=rows,
        versions=_versions(),
    )
    return SavedModel(card, best.final.model, best.final.calibration, domain)


@dataclass(frozen=True)
class _EvaluatedLearner:
    """A learner with its predictions of held-out compositions and its model of all rows."""

    learner: Learner
    held_out: HeldOutPredictions
    final: TunedModel
    scores: LearnerScores


def _evaluate(learner: Learner, dataset: Dataset, log: Callable[[str], None]) -> _EvaluatedLearner:
    held_out = []
    for split in SPLITS:
        log(f"{learner.name}: split by {split}" if split != "random" else f"{learner.name}: random split")
        held_out.append(predict_held_out(learner, dataset, split))
    log(f"{learner.name}: fitted to all rows, and explained")
    inputs, matrix = encode_dataset(dataset)
    final = tune(learner, inputs, matrix, dataset.target, dataset.compositions)
    scores = LearnerScores(
        learner=learner.name,
        description=learner.description,
        settings=[tuned.candidate.text for tuned in held_out[0].models],
        scores=[score(dataset, predictions) for predictions in held_out],
        coverage=coverages(dataset, held_out[0]),
        importances=measure_importances(held_out[0], final.model, matrix, dataset.target),
    )
    return _EvaluatedLearner(learner, held_out[0], final, scores)


def make_dataset_card(dataset: Dataset) -> DatasetCard:
    """Make the card of a dataset: its source, columns and numbers of rows and compositions."""
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


def _held_out_rows(dataset: Dataset, held_out: HeldOutPredictions) -> HeldOutRows:
    inputs, matrix = encode_dataset(dataset)
    groups, distance = dataset.compositions, np.empty(len(dataset))
    for train_rows, test in held_out.folds:
        domain = Domain.from_training_rows(inputs, matrix[train_rows], groups[train_rows])
        distance[test] = domain.distances(matrix[test]) / domain.threshold
    return HeldOutRows(
        formulas=list(dataset.formulas),
        temperatures_k=dataset.temperature_k.tolist(),
        measured=dataset.target.tolist(),
        predicted=held_out.value.tolist(),
        low=_finite_or_none(held_out.low[-1]),
        high=_finite_or_none(held_out.high[-1]),
        distance=distance.tolist(),
    )


def _finite_or_none(values: Array) -> list[float | None]:
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


def _learning_curve(dataset: Dataset, learner: Learner, held_out: HeldOutPredictions) -> list[LearningPoint]:
    """Errors of models trained on some of the compositions, with the settings that were chosen in every fold."""
    inputs, matrix = encode_dataset(dataset)
    groups, generator = dataset.compositions, np.random.default_rng(SEED)
    orders = [generator.permutation(np.unique(groups[rows])) for rows, _ in held_out.folds]
    points = []
    for fraction in _CURVE_FRACTIONS:
        counts, errors = [], []
        for (rows, test), order, tuned in zip(held_out.folds, orders, held_out.models, strict=True):
            compositions = order[: max(2, round(fraction * len(order)))]
            subset = rows[np.isin(groups[rows], compositions)]
            model: FittedModel = tuned.model
            if fraction < 1:
                model = fit(learner, tuned.candidate, inputs, matrix[subset], dataset.target[subset])
            counts.append(len(compositions))
            errors.append(root_mean_square(model.value(matrix[test]) - dataset.target[test]))
        points.append(LearningPoint(compositions=float(np.mean(counts)), rmse=mean_with_error(errors)))
    return points


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
