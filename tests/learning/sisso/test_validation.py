import numpy as np
import pytest

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso import SissoSettings, choose_sisso, cross_validate, fit_sisso
from tachylite.learning.sisso.validation import Fold

NAMES, UNITS = ("a", "b", "c", "d"), ("A", "A", "eV", "1")


def data(rows: int = 60) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    features = rng.uniform(0.5, 2, (rows, 4))
    target = 2 * features[:, 0] / features[:, 1] + features[:, 3] ** 2 + 0.05 * rng.normal(size=rows)
    return features, target


def folds(rows: int, count: int) -> list[Fold]:
    parts = np.array_split(np.arange(rows), count)
    return [(np.setdiff1d(np.arange(rows), part), part) for part in parts]


def test_the_error_is_that_of_rows_the_model_has_not_seen() -> None:
    features, target = data()
    settings = SissoSettings(dimension=2, subspace=10)
    squares = np.zeros(2)
    for train, test in folds(60, 4):
        for index, model in enumerate(fit_sisso(features[train], target[train], NAMES, UNITS, settings)):
            predicted = model.predict(dict(zip(NAMES, features[test].T, strict=True)))
            squares[index] += np.sum((predicted - target[test]) ** 2)
    scores = cross_validate(features, target, NAMES, UNITS, folds(60, 4), settings)
    np.testing.assert_allclose(scores, np.sqrt(squares / 60))


def test_rung_and_dimension_of_the_truth_are_chosen() -> None:
    features, target = data()
    candidates = [SissoSettings(rung=rung, dimension=3, subspace=10) for rung in (0, 1)]
    chosen = choose_sisso(features, target, NAMES, UNITS, folds(60, 5), candidates)
    assert chosen.settings == candidates[1]
    assert {descriptor.text for descriptor in chosen.model.descriptors} >= {"a / b", "d**2"}
    assert chosen.model in fit_sisso(features, target, NAMES, UNITS, candidates[1])
    best = min(min(scores) for scores in chosen.cv_rmse)
    assert best == chosen.cv_rmse[1][chosen.model.dimension - 1] < 0.07 < min(chosen.cv_rmse[0])


def test_a_target_of_noise_gets_no_large_model() -> None:
    """More descriptors always fit the rows at hand better; in held-out rows they only add noise."""
    features, _ = data()
    target = np.random.default_rng(3).normal(size=60)
    settings = SissoSettings(rung=1, dimension=4, subspace=10)
    fitted = [model.rmse for model in fit_sisso(features, target, NAMES, UNITS, settings)]
    assert fitted == sorted(fitted, reverse=True)
    chosen = choose_sisso(features, target, NAMES, UNITS, folds(60, 5), [settings])
    assert chosen.model.dimension < 4
    assert min(chosen.cv_rmse[0]) > max(fitted)


def test_a_column_constant_in_a_fold_is_left_out_there() -> None:
    features, target = data()
    features[:48, 2] = 1.5
    scores = cross_validate(features, target, NAMES, UNITS, folds(60, 5), SissoSettings(dimension=2, subspace=10))
    assert np.isfinite(scores).all()


def test_a_model_without_a_value_in_a_held_out_row_is_not_chosen() -> None:
    """The logarithm fits the first rows exactly, and the last has none."""
    rng = np.random.default_rng(5)
    x, z = np.r_[rng.uniform(0.1, 3, 39), -1.0], rng.normal(size=40)
    target = np.log(np.abs(x)) + 0.01 * z
    settings = SissoSettings(rung=1, dimension=1, operators=("log",))
    arguments = (np.stack([x, z], axis=1), target, ("x", "z"), ("1", "1"))
    last = [(np.arange(39), np.array([39]))]
    assert cross_validate(*arguments, last, settings).tolist() == [np.inf]
    plain = SissoSettings(rung=0, dimension=1)
    assert choose_sisso(*arguments, last, [settings, plain]).settings == plain
    with pytest.raises(InputError, match="no model has a value in all held-out rows"):
        choose_sisso(*arguments, last, [settings])


def test_a_perfect_model_stands_for_the_larger_ones() -> None:
    features, _ = data()
    target = features[:, 0] / features[:, 1]
    chosen = choose_sisso(features, target, NAMES, UNITS, folds(60, 3), [SissoSettings(dimension=3, subspace=10)])
    assert chosen.model.dimension == 1
    assert chosen.model.rmse < 1e-12
