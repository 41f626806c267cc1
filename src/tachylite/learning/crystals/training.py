"""Train a model of a property of crystals, and score it on chemical systems that it has not seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.crystals.effects import find_effects
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.model import CrystalPropertyModel, identity_of
from tachylite.learning.crystals.predictor import Predictor
from tachylite.learning.crystals.process import EmbeddedProcess, Regression
from tachylite.learning.domain import nearest_distances
from tachylite.learning.evaluation import predict_inner_folds
from tachylite.learning.intervals import LEVELS, Calibration, calibrate
from tachylite.learning.learners import Transform, inverse_transform
from tachylite.learning.splits import grouped_folds
from tachylite.measured import Measured
from tachylite.physics.composition import parse_formula
from tachylite.physics.structure.parity import coefficient_of_determination
from tachylite.physics.volume import electronegativity
from tachylite.schemas import State
from tachylite.schemas.crystal_property import CrystalPropertyCard, HeldOutScore
from tachylite.schemas.learning import Coverage

REPEATS = 3
"""Ways to divide the chemical systems among folds."""

TRANSFORM: Transform = "signed square root"
"""Large enthalpies scatter more than small ones, and few are slightly negative."""

_FEWEST_SYSTEMS = 20
"""Of fewer, held-out ones do not calibrate an interval of 95 %."""

_LIMIT_QUANTILE = 0.95
_PACKAGES = ("tachylite", "numpy", "scipy", "torch", "e3nn")


@dataclass(frozen=True)
class Crystals:
    """Crystals with the values of a property."""

    states: Sequence[State]
    values: Array
    """Shape (n,)."""
    quantity: str
    unit: str
    source: str

    @property
    def systems(self) -> NDArray[np.str_]:
        """Chemical system of each, shape (n,)."""
        return np.array(["-".join(sorted(own)) for own in self.fractions])

    @property
    def fractions(self) -> list[dict[str, float]]:
        """Atomic fractions of the elements of each."""
        return [parse_formula(state.formula).fractions for state in self.states]


def train_crystal_property(
    crystals: Crystals, embedding: Embedding, *, log: Callable[[str], None] = lambda line: None
) -> CrystalPropertyModel:
    """Fit a Gaussian process over the features of crystals; its intervals are calibrated on held-out chemical systems.

    `log` is called with a line before each step. Raises InputError for fewer than twenty chemical systems, and for
    elements that the features do not know.
    """
    check_systems(crystals.systems)
    systems = crystals.systems
    log(f"features of {len(systems)} crystals")
    features = embedding.features(crystals.states)
    held_out = []
    for seed in range(REPEATS):
        log(f"folds by chemical system, {seed + 1} of {REPEATS}")
        held_out.append(predict_held_out(features, crystals.values, systems, seed))
    log("final model")
    regression = fit_regression(features, crystals.values)
    calibration = calibrate(
        TRANSFORM, crystals.values, *predict_inner_folds(fit_regression, features, crystals.values, systems), systems
    )
    words = (embedding.source, f"Gaussian process, Matern 3/2, of the {TRANSFORM}")
    limit = limit_of_distances(regression.process.rows, systems)
    return assemble(crystals, EmbeddedProcess(embedding, regression), calibration, held_out, limit, words)


def check_systems(systems: NDArray[np.str_]) -> None:
    """Raise InputError where chemical systems (n,) are too few to calibrate intervals."""
    n_systems = len(np.unique(systems))
    if n_systems < _FEWEST_SYSTEMS:
        raise InputError(f"{n_systems} chemical systems are too few to learn from; give {_FEWEST_SYSTEMS} or more")


def assemble(
    crystals: Crystals,
    predictor: Predictor,
    calibration: Calibration,
    held_out: Sequence["HeldOut"],
    limit: float,
    words: tuple[str, str],
) -> CrystalPropertyModel:
    """The model with its card; `words` say what its features and its regression are."""
    systems = crystals.systems
    card = CrystalPropertyCard(
        model_id=identity_of(predictor, calibration),
        quantity=crystals.quantity,
        unit=crystals.unit,
        data=crystals.source,
        crystals=len(systems),
        chemical_systems=len(np.unique(systems)),
        elements=sorted({symbol for state in crystals.states for symbol in state.elements}),
        anions=sorted({max(state.elements, key=electronegativity) for state in crystals.states}),
        embedding=words[0],
        regression=words[1],
        score=score_held_out(crystals.values, systems, held_out),
        effects_in_data=find_effects(crystals.fractions, crystals.values, systems),
        effects_held_out=find_effects(crystals.fractions, held_out[0].values, systems),
        limit=limit,
        versions={package: version(package) for package in _PACKAGES},
    )
    return CrystalPropertyModel(card, predictor, calibration)


def fit_regression(features: Array, target: Array) -> Regression:
    """Fit to features (n, p) and values (n,), under the transform of all models here."""
    return Regression.fit(features, target, TRANSFORM)


@dataclass(frozen=True)
class HeldOut:
    """Predictions (n,) of crystals by models that have not seen their chemical systems."""

    values: Array
    low: Array
    high: Array
    """Ends of the intervals, shape (levels, n)."""
    beyond: NDArray[np.bool_]
    """Whether a crystal is further from the training set than the limit."""


def predict_held_out(features: Array, values: Array, systems: NDArray[np.str_], seed: int) -> HeldOut:
    """Predict crystals with features (n, p) and values (n,) in five folds by chemical system; nothing sees its fold."""
    predicted, low, high = np.empty(len(values)), *np.empty((2, len(LEVELS), len(values)))
    beyond = np.empty(len(values), dtype=bool)
    for train, test in grouped_folds(systems, "chemical system", seed=seed):
        inner = predict_inner_folds(fit_regression, features[train], values[train], systems[train])
        calibration = calibrate(TRANSFORM, values[train], *inner, systems[train])
        model = fit_regression(features[train], values[train])
        centre, spread = model.predict(features[test])
        predicted[test] = inverse_transform(TRANSFORM, centre)
        for index, level in enumerate(LEVELS):
            low[index, test], high[index, test] = calibration.intervals(centre, spread, level)
        limit = limit_of_distances(model.process.rows, systems[train])
        beyond[test] = model.distances(features[test]) > limit
    return HeldOut(predicted, low, high, beyond)


def limit_of_distances(rows: Array, systems: NDArray[np.str_]) -> float:
    """What 95 % of the scaled rows (n, p) are within of the nearest one of another chemical system."""
    distances = nearest_distances(rows, rows, np.unique(systems, return_inverse=True)[1])
    return float(np.quantile(distances, _LIMIT_QUANTILE))


def score_held_out(values: Array, systems: NDArray[np.str_], held_out: Sequence[HeldOut]) -> HeldOutScore:
    """Errors and coverage of repeated folds; the repeats are of the same crystals, so that errors count systems."""
    errors = np.array([repeat.values - values for repeat in held_out])
    absolute = np.abs(errors).mean(axis=0)
    beyond = np.array([repeat.beyond for repeat in held_out])
    mostly_beyond = beyond.mean(axis=0) > 0.5
    coverage = []
    for index, level in enumerate(LEVELS):
        inside = np.mean([(r.low[index] <= values) & (values <= r.high[index]) for r in held_out], axis=0)
        width = float(np.mean([r.high[index] - r.low[index] for r in held_out]))
        coverage.append(Coverage(level=level, coverage=mean_over_systems(inside, systems), mean_width=width))
    return HeldOutScore(
        mae=mean_over_systems(absolute, systems),
        rmse=float(np.sqrt((errors**2).mean())),
        r2=float(np.mean([coefficient_of_determination(values, repeat.values) for repeat in held_out])),
        mae_within=mean_over_systems(absolute[~mostly_beyond], systems[~mostly_beyond]),
        mae_beyond=mean_over_systems(absolute[mostly_beyond], systems[mostly_beyond]) if mostly_beyond.any() else None,
        beyond=int(mostly_beyond.sum()),
        coverage=coverage,
        repeats=len(held_out),
    )


def mean_over_systems(values: Array, systems: NDArray[np.str_]) -> Measured:
    """Mean of values (n,); its standard error takes crystals of one chemical system (n,) as dependent."""
    mean = float(values.mean())
    sums = np.bincount(np.unique(systems, return_inverse=True)[1], values - mean)
    return Measured(value=mean, error=float(np.sqrt((sums**2).sum())) / len(values))
