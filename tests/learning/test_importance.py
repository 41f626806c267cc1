"""Importances of models that are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from tests.learning.learning_samples import trained
from tests.reference_data import reference

from tachylite.learning.evaluation import HeldOutPredictions, TunedModel, predict_held_out
from tachylite.learning.importance import measure_importances, permutation_importance, shapley_values
from tachylite.learning.inputs import Inputs, encode_dataset
from tachylite.learning.intervals import Calibration
from tachylite.learning.learners import Candidate, FittedModel, get_learner
from tachylite.learning.tables import read_dataset
from tachylite.learning.trends import PUBLISHED_FIRST

PUBLISHED = reference("zheng2024/feature_target.dat")

SLOPES = np.array([0.0, 2.0, -1.0, 0.0, 3.0, 3.0])
"""Of temperature, three descriptors, two fractions."""


@dataclass(frozen=True)
class Linear:
    """y = slopes x."""

    def centre(self, inputs: np.ndarray) -> np.ndarray:
        return np.asarray(inputs @ SLOPES)

    def spread(self, inputs: np.ndarray) -> np.ndarray:
        return np.ones(len(inputs))

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


MODEL = FittedModel("gp", "none", Inputs(("a", "b", "c"), ("Li", "O")), True, Linear())


def test_shapley_values_of_a_linear_model() -> None:
    """Slope times distance from the mean of the background; nothing for what has no slope."""
    matrix = np.random.default_rng(0).normal(size=(400, 6))
    shapley = shapley_values(MODEL, matrix, n_rows=40, pairs=400)
    assert shapley.names == ("temperature", "a", "b", "c", "element fractions")
    expected = SLOPES * (matrix[shapley.rows] - matrix.mean(axis=0))
    together = np.column_stack([expected[:, :4], expected[:, 4:].sum(axis=1)])
    np.testing.assert_allclose(shapley.values, together, atol=5 * 4.3 / 400**0.5)
    np.testing.assert_array_equal(shapley.values[:, [0, 3]], 0)


def test_contributions_sum_to_the_prediction() -> None:
    """With one background row the sum is exact."""
    matrix = np.random.default_rng(1).normal(size=(30, 6))
    rows = np.vstack([matrix, np.repeat(matrix[:1], 3000, axis=0)])
    shapley = shapley_values(MODEL, rows, n_rows=20, pairs=1)
    total = shapley.values.sum(axis=1)
    difference = MODEL.value(rows[shapley.rows]) - MODEL.value(matrix[:1])
    assert np.median(np.abs(total - difference)) < 1e-9


def test_permutation_importance_of_a_linear_model() -> None:
    """A swapped input adds the variance of its differences: RMSE sqrt(2) times slope."""
    generator = np.random.default_rng(2)
    matrix = generator.normal(size=(4000, 6))
    tuned = TunedModel(MODEL, Candidate("none"), Calibration("none", (1.0, 1.0)))
    halves = np.array_split(np.arange(4000), 2)
    folds = ((halves[0], halves[1]), (halves[1], halves[0]))
    empty = np.empty((2, 4000))
    held_out = HeldOutPredictions("composition", folds, (tuned, tuned), empty[0], empty, empty)
    rises = permutation_importance(held_out, matrix, MODEL.value(matrix))
    assert np.mean(rises["a"]) == pytest.approx(2 * 2**0.5, rel=0.05)
    assert np.mean(rises["b"]) == pytest.approx(2**0.5, rel=0.05)
    assert np.mean(rises["element fractions"]) == pytest.approx(6, rel=0.05)
    assert rises["c"] == rises["temperature"] == [0, 0]


def test_what_matters_in_the_sample_comes_first() -> None:
    importances = {importance.feature: importance for importance in trained().card.leading.importances}
    assert trained().card.leading.importances[0].feature == "temperature"
    assert importances["x0"].permutation.value > 5 * abs(importances["x2"].permutation.value)
    assert importances["temperature"].direction is not None
    assert importances["temperature"].direction > 0.5
    assert importances["x0"].direction is not None
    assert importances["x0"].direction < -0.5
    assert importances["element fractions"].direction is None


@pytest.mark.reference("zheng2024/feature_target.dat")
@pytest.mark.slow
def test_published_boosting_looks_at_the_published_inputs() -> None:
    """Temperature first, then RBI and AAV, which come close to each other, before all others."""
    dataset, learner = read_dataset(PUBLISHED), get_learner("boosting-zheng2024")
    _, matrix = encode_dataset(dataset)
    held_out = predict_held_out(learner, dataset, "random")
    importances = measure_importances(held_out, held_out.models[0].model, matrix, dataset.target)
    assert importances[0].feature == PUBLISHED_FIRST[0]
    assert {importance.feature for importance in importances[:3]} == set(PUBLISHED_FIRST)
    by_shapley = sorted(importances, key=lambda importance: -importance.shapley.value)
    assert {importance.feature for importance in by_shapley[:3]} == set(PUBLISHED_FIRST)
