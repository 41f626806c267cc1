"""Our trees give what the libraries' trees give."""

import numpy as np
import pytest

from tachylite.learning.trees import Trees, grow_boosted, grow_forest


def table(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(n, 4)).round(2)  # equal values, so that thresholds are met exactly
    return inputs, np.sin(inputs[:, 0]) + inputs[:, 1] * inputs[:, 2]


def test_forest() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    inputs, target = table()
    trees = grow_forest(inputs[:150], target[:150], {"n_estimators": 20}, 62)
    forest = ensemble.RandomForestRegressor(n_estimators=20, random_state=62).fit(inputs[:150], target[:150])
    np.testing.assert_allclose(trees.centre(inputs), forest.predict(inputs), rtol=1e-12)
    assert (trees.spread(inputs) == 1).all()


def test_boosted_trees() -> None:
    xgboost = pytest.importorskip("xgboost")
    inputs, target = table()
    settings = {"n_estimators": 50, "max_depth": 4, "learning_rate": 0.1, "reg_alpha": 0.8}
    trees = grow_boosted(inputs[:150], target[:150], settings, 62)
    model = xgboost.XGBRegressor(**settings, random_state=62).fit(inputs[:150], target[:150])
    np.testing.assert_allclose(trees.centre(inputs), model.predict(inputs), atol=2e-6)


def test_arrays_make_them_again() -> None:
    pytest.importorskip("sklearn")
    inputs, target = table()
    trees = grow_forest(inputs, target, {"n_estimators": 3}, 0)
    again = Trees.from_arrays(trees.arrays())
    np.testing.assert_array_equal(again.centre(inputs), trees.centre(inputs))


def test_a_branch_that_leads_back_is_refused() -> None:
    pytest.importorskip("sklearn")
    arrays = grow_forest(*table(), {"n_estimators": 3}, 0).arrays()
    for name in ("left", "right"):
        for place in (0, len(arrays["left"])):
            damaged = {**arrays, name: arrays[name].copy()}
            damaged[name][0] = place
            with pytest.raises(ValueError, match="leads nowhere"):
                Trees.from_arrays(damaged)
