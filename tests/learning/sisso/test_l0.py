from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.learning.sisso.l0 import best_subsets


def tried_one_by_one(values: Array, target: Array, size: int) -> list[tuple[float, tuple[int, ...]]]:
    """Root mean square error of every subset, by least squares with an intercept."""
    results = []
    for indices in combinations(range(len(values)), size):
        design = np.column_stack([np.ones(len(target)), values[list(indices)].T])
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        results.append((float(np.sqrt(np.mean((target - design @ solution) ** 2))), indices))
    return sorted(results)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), features=st.integers(5, 10))
def test_nothing_better_is_missed(size: int, seed: int, features: int) -> None:
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-4, 4, (features, 1))
    values = scales * (rng.normal(size=(features, 30)) + rng.normal(size=30) + 5 * rng.normal(size=(features, 1)))
    target = rng.normal(size=30) + 3.0
    best = best_subsets(values, target, size, count=3)
    expected = tried_one_by_one(values, target, size)[:3]
    assert [subset.features for subset in best] == [indices for _, indices in expected]
    np.testing.assert_allclose([subset.rmse for subset in best], [rmse for rmse, _ in expected], rtol=1e-10)


def test_coefficients_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 40)) * np.array([1, 1e4, 1e-4, 1, 30, 2])[:, None] + 7
    target = 2 * values[0] - 3e-4 * values[1] + 4.0
    (best,) = best_subsets(values, target, 2)
    assert best.features == (0, 1)
    np.testing.assert_allclose([*best.coefficients, best.intercept], [2, -3e-4, 4], rtol=1e-9)
    assert best.rmse < 1e-9


def test_the_difference_of_nearly_equal_features_is_found() -> None:
    """Their correlation is 1 - 5e-9: what makes the target is a share of 1e-8 of their variance."""
    rng = np.random.default_rng(5)
    common, signal = rng.normal(size=60), rng.normal(size=60)
    values = np.stack([common, common + 1e-4 * signal, *rng.normal(size=(5, 60))])
    target = signal + 1e-3 * rng.normal(size=60)
    (best,) = best_subsets(values, target, 2)
    assert best.features == (0, 1)
    assert best.rmse == pytest.approx(tried_one_by_one(values, target, 2)[0][0], rel=1e-6)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_feature_that_follows_from_the_others_makes_no_model(size: int) -> None:
    rng = np.random.default_rng(6)
    independent = rng.normal(size=(size, 50))
    values = np.stack([*independent, independent[:2].sum(axis=0), 3 * independent[0]])
    for subset in best_subsets(values, rng.normal(size=50), size, count=100):
        chosen = values[list(subset.features)]
        assert np.linalg.matrix_rank(chosen - chosen.mean(axis=1, keepdims=True)) == size


def test_fewer_features_than_the_size_make_no_model() -> None:
    values = np.random.default_rng(7).normal(size=(2, 20))
    for size in (3, 4, 5):
        assert best_subsets(values, values[0] + values[1], size) == []
    assert best_subsets(np.empty((0, 20)), values[0], 1) == []


def test_large_sets_are_scanned_in_parts() -> None:
    """Three planted features among 150: the projected matrices no longer fit into one stack."""
    rng = np.random.default_rng(8)
    values = rng.normal(size=(150, 200))
    target = values[3] - 2 * values[77] + 0.5 * values[149] + 0.01 * rng.normal(size=200)
    best, second = best_subsets(values, target, 3, count=2)
    assert best.features == (3, 77, 149)
    assert best.rmse < 0.011 < 0.3 < second.rmse
