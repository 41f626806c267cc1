import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso import SissoSettings, count_features, fit_sisso

NAMES = ("a", "b", "c", "d", "e")
UNITS = ("A", "eV", "A", "1", "GPa")
PLANTED = SissoSettings(dimension=2, rung=2, subspace=100)


def planted(seed: int, noise: float, factor: float = 3.0, decaying: float = -2.0) -> tuple[Array, Array]:
    """Rows of five columns, and factor a b / c^2 + decaying exp(-d) with noise relative to its spread."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(0.5, 3.0, (150, 5))
    a, b, c, d, _ = features.T
    truth = factor * a * b / c**2 + decaying * np.exp(-d)
    return features, truth + noise * truth.std() * rng.normal(size=150)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    factor=st.floats(3, 8) | st.floats(-8, -3),
    decaying=st.floats(2, 5) | st.floats(-5, -2),
)
def test_a_planted_formula_is_recovered_from_noise(seed: int, factor: float, decaying: float) -> None:
    features, target = planted(seed, 0.001, factor, decaying)
    model = fit_sisso(features, target, NAMES, UNITS, PLANTED)[1]
    coefficients = {descriptor.text: c for descriptor, c in zip(model.descriptors, model.coefficients, strict=True)}
    assert set(coefficients) == {"a * b / c**2", "np.exp(-d)"}
    assert coefficients["a * b / c**2"] == pytest.approx(factor, rel=0.01)
    assert coefficients["np.exp(-d)"] == pytest.approx(decaying, rel=0.1)
    assert abs(model.intercept) < 0.2


def test_without_noise_nothing_is_left_and_the_search_ends() -> None:
    features, target = planted(1, 0.0)
    models = fit_sisso(features, target, NAMES, UNITS, SissoSettings(dimension=4, rung=2, subspace=20))
    assert [model.dimension for model in models] == [1, 2]
    assert models[1].rmse < 1e-12
    assert models[1].r2 == 1
    np.testing.assert_allclose(sorted(models[1].coefficients), [-2, 3], rtol=1e-9)


@pytest.mark.parametrize("operator", ["+", "|-|", "sqrt", "cbrt", "log", "^6"])
def test_every_operator_is_found_where_it_was_planted(operator: str) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.uniform(0.5, 3.0, (2, 80))
    truth = {
        "+": (a + b) / (a * b),
        "|-|": np.abs(a - b),
        "sqrt": np.sqrt(a * b),
        "cbrt": np.cbrt(a + b),
        "log": np.log(a / b),
        "^6": (a - b) ** 6,
    }[operator]
    operators = ("+", "-", "|-|", "*", "/", "exp", "log", "sqrt", "cbrt", "^2", "^6")
    model = fit_sisso(
        np.stack([a, b], axis=1),
        5 + 2 * truth,
        ("a", "b"),
        ("1", "1"),
        SissoSettings(dimension=1, rung=2, operators=operators),
    )[0]
    assert model.rmse < 1e-9
    assert abs(model.coefficients[0]) == pytest.approx(2, rel=1e-6)


def test_scores_are_those_of_the_predictions() -> None:
    features, target = planted(3, 0.1)
    for model in fit_sisso(features, target, NAMES, UNITS, PLANTED):
        error = target - model.predict(dict(zip(NAMES, features.T, strict=True)))
        assert model.rmse == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-10)
        assert model.max_ae == pytest.approx(np.abs(error).max(), rel=1e-10)
        assert model.r2 == pytest.approx(1 - np.mean(error**2) / target.var(), rel=1e-10)
        assert model.rows == 150


def test_the_result_is_the_same_again_and_does_not_depend_on_the_order_of_columns() -> None:
    features, target = planted(4, 0.3)
    models = fit_sisso(features, target, NAMES, UNITS, PLANTED)
    assert models == fit_sisso(features.copy(), target.copy(), NAMES, UNITS, PLANTED)
    reversed_models = fit_sisso(features[:, ::-1], target, NAMES[::-1], UNITS[::-1], PLANTED)
    assert [m.rmse for m in reversed_models] == pytest.approx([m.rmse for m in models], rel=1e-9)


def test_scales_of_the_columns_do_not_matter_to_products() -> None:
    features, target = planted(5, 0.01)
    settings = SissoSettings(dimension=1, rung=2, operators=("*", "/", "^2"), smallest=1e-30, largest=1e30)
    plain = fit_sisso(features, target, NAMES, UNITS, settings)[0]
    scaled = fit_sisso(features * np.array([1e6, 1e-5, 1e3, 1, 1]), target, NAMES, UNITS, settings)[0]
    assert scaled.descriptors == plain.descriptors
    assert scaled.rmse == pytest.approx(plain.rmse, rel=1e-9)


def test_residuals_of_several_models_change_what_is_screened_next() -> None:
    features, target = planted(6, 0.2, 2.0, 12.0)
    single = fit_sisso(features, target, NAMES, UNITS, SissoSettings(dimension=2, rung=1, subspace=3))
    three = fit_sisso(features, target, NAMES, UNITS, SissoSettings(dimension=2, rung=1, subspace=3, residuals=3))
    assert three[0] == single[0]
    assert three[1].descriptors != single[1].descriptors


def test_features_are_counted() -> None:
    features, _ = planted(7, 0.0)
    settings = SissoSettings(rung=1, operators=("*", "+"))
    assert count_features(features, NAMES, UNITS, settings) == (5, 5 + 10 + 1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"operators": ("+", "sin")}, "unknown operator sin"),
        ({"operators": ("+", "+")}, "named twice"),
        ({"rung": 3}, "rung is 3"),
        ({"dimension": 0}, "dimension is 0"),
        ({"subspace": 0}, "subspace is 0"),
        ({"residuals": 0}, "residuals is 0"),
        ({"complexity": -1}, "complexity is -1"),
        ({"smallest": 1.0, "largest": 0.5}, "smallest is 1"),
        ({"largest": 1e60}, "largest 1e"),
    ],
)
def test_settings_without_sense_are_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as error:
        SissoSettings(**change)  # type: ignore[arg-type] # the values are wrong on purpose
    assert named in str(error.value)


def table(**change: object) -> dict[str, object]:
    features, target = planted(8, 0.1)
    return {"features": features, "target": target, "names": NAMES, "units": UNITS, **change}


def with_value(row: int, column: int, value: float) -> Array:
    features = planted(8, 0.1)[0]
    features[row, column] = value
    return features


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"features": with_value(7, 2, np.nan)}, "c has no number in row 7"),
        ({"features": with_value(0, 0, np.inf)}, "a has no number in row 0"),
        ({"features": planted(8, 0.1)[0] * [1, 1, 1, 0, 1] + 2}, "d is 2 in every row"),
        ({"features": np.full((150, 5), "x")}, "must be numbers"),
        ({"features": np.ones(150)}, "(150,)"),
        ({"target": np.ones(150)}, "target is 1 in every row"),
        ({"target": np.ones(149)}, "(149,)"),
        ({"target": np.full(150, np.nan)}, "target has no number in row 0"),
        ({"features": np.eye(5)[:4], "target": np.arange(4.0)}, "4 rows are too few for dimension 3; 5 are needed"),
        ({"names": ("a", "b", "a", "d", "e")}, "a is named more than once"),
        ({"names": ("a", "b", "c", "d", "Li %")}, "'Li %' cannot stand in a formula"),
        ({"names": ("a", "b")}, "5 columns, 2 names and 5 units"),
        ({"units": ("A",)}, "5 columns, 5 names and 1 units"),
        ({"units": ("A", "eV", "A", "1", "stone")}, "unknown symbol 'stone'"),
        ({"features": planted(8, 0.1)[0] * 1e9, "settings": SissoSettings(rung=0)}, "0 features between"),
        ({"settings": SissoSettings(rung=0, dimension=6)}, "make no model of dimension 6"),
    ],
)
def test_bad_input_is_named_in_one_line(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as error:
        fit_sisso(**table(**change))  # type: ignore[arg-type] # the values are wrong on purpose
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_a_space_too_large_for_memory_is_refused_before_it_is_built() -> None:
    rng = np.random.default_rng(9)
    features, names = rng.uniform(1, 2, (20, 200)), [f"x{i}" for i in range(200)]
    with pytest.raises(InputError, match="more than 30000 features"):
        fit_sisso(features, rng.normal(size=20), names, ["1"] * 200, SissoSettings(rung=2))
