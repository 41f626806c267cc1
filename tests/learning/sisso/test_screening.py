from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.learning.sisso.expression import Expression
from tachylite.learning.sisso.operators import OPERATORS
from tachylite.learning.sisso.screening import Screening, Subspace
from tachylite.learning.sisso.space import FeatureSpace, next_rung
from tachylite.learning.sisso.units import Unit, parse_unit

ALL = tuple(OPERATORS)
BOUNDS = {"smallest": 1e-3, "largest": 1e5}

type Feature = tuple[Expression, Unit, Array]


def table(seed: int, units: tuple[str, ...], rows: int = 25) -> FeatureSpace:
    """Columns a, b, c, ...; the last one has both signs."""
    values = np.random.default_rng(seed).uniform(0.4, 2.4, (len(units), rows))
    values[-1] -= 1.2
    return FeatureSpace(
        tuple(Expression(name) for name in "abcdefgh"[: len(units)]), tuple(map(parse_unit, units)), values
    )


def combined(features: list[Feature], operators: tuple[str, ...], complexity: int) -> list[Feature]:
    """One rung by the definition, feature by feature: every operator on everything it may be applied to."""
    features_of_rung = list(features)
    for operator in (OPERATORS[symbol] for symbol in operators):
        choose = combinations if operator.symbol in ("+", "*", "|-|") else permutations
        for operands in choose(features, operator.arity):
            expression = Expression(symbol=operator.symbol, operands=tuple(e for e, _, _ in operands))
            unit = operator.unit(*(u for _, u, _ in operands))
            if unit is None or expression.complexity > complexity:
                continue
            if operator.symbol in ("exp", "exp-", "log") and operands[0][0].symbol in ("exp", "exp-", "log"):
                continue
            if operator.divides and not (np.all(operands[-1][2] > 0) or np.all(operands[-1][2] < 0)):
                continue
            with np.errstate(all="ignore"):
                values = operator.apply(*(v for _, _, v in operands))
            if np.isfinite(values).all() and 1e-50 < np.abs(values).max() < 1e50 and np.ptp(values) > 1e-9:
                features_of_rung.append((expression, unit, values))
    return features_of_rung


def brute_force(
    space: FeatureSpace, operators: tuple[str, ...], rung: int, complexity: int, residual: Array, count: int
) -> list[float]:
    """The largest absolute correlations, one for each kind of equivalent features."""
    features = list(zip(space.expressions, space.units, space.values, strict=True))
    for _ in range(rung):
        features = combined(features, operators, complexity)
    usable = [v for _, _, v in features if 1e-3 <= np.abs(v).max() <= 1e5]
    standard = np.array([(v - v.mean()) / np.linalg.norm(v - v.mean()) for v in usable])
    scores = np.abs(standard @ residual) / np.linalg.norm(residual)
    chosen: list[int] = []
    for index in np.argsort(-scores):
        if len(chosen) == count:
            break
        if not (np.abs(standard[chosen] @ standard[index]) > 1 - 1e-9).any():
            chosen.append(int(index))
    return [float(scores[index]) for index in chosen]


def screen(
    space: FeatureSpace, operators: tuple[str, ...], rung: int, complexity: int, residual: Array, count: int
) -> Subspace:
    for _ in range(rung - 1):
        space = next_rung(space, operators, complexity)
    screening = Screening(space, operators if rung else (), complexity, **BOUNDS)
    return screening.select(residual[None], count, np.empty((0, space.values.shape[1])))


def correlations(values: Array, residual: Array) -> Array:
    centred = values - values.mean(axis=1, keepdims=True)
    rest = residual - residual.mean()
    return np.abs(centred @ rest) / np.linalg.norm(centred, axis=1) / np.linalg.norm(rest)


@pytest.mark.parametrize(
    ("operators", "units", "rung", "complexity"),
    [
        (ALL, ("A", "A", "1", "1"), 0, 3),
        (ALL, ("A", "A", "1", "1"), 1, 3),
        (ALL, ("A", "eV", "1"), 2, 3),
        (ALL, ("A", "A", "1"), 2, 2),
        (("+", "-", "*", "/"), ("1", "1", "1", "1"), 2, 3),
        (("-", "^2"), ("1", "1", "1", "1"), 2, 3),
        (("+", "-", "*", "^2", "log"), ("1", "1", "1"), 2, 3),
        (("+", "-", "|-|"), ("1", "1", "1", "1"), 2, 3),
        (("+", "exp", "log", "/"), ("1", "1", "1"), 2, 3),
    ],
)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nothing_better_is_missed(
    operators: tuple[str, ...], units: tuple[str, ...], rung: int, complexity: int, seed: int
) -> None:
    """The streamed screening against every feature built one by one, in another way."""
    space = table(seed, units)
    residual = np.random.default_rng(seed + 1).normal(size=(space.values.shape[1],))
    residual -= residual.mean()
    expected = brute_force(space, operators, rung, complexity, residual, 30)
    subspace = screen(space, operators, rung, complexity, residual, 30)
    np.testing.assert_allclose(correlations(subspace.values, residual), expected, atol=1e-8)
    assert max(expression.complexity for expression in subspace.expressions) <= complexity


def test_features_are_what_their_formulas_say() -> None:
    space = table(3, ("A", "A", "1", "1"))
    columns = {e.name: v for e, v in zip(space.expressions, space.values, strict=True)}
    subspace = screen(space, ALL, 2, 3, space.values[0] * space.values[2] - 1.0, 200)
    assert len(subspace.expressions) == 200
    for expression, values in zip(subspace.expressions, subspace.values, strict=True):
        np.testing.assert_array_equal(values, expression.evaluate(columns))


def test_of_equivalent_features_the_simplest_is_taken() -> None:
    space = table(4, ("A", "A", "1"))
    truth = space.values[0] * space.values[1]
    best = screen(space, ALL, 2, 3, truth - truth.mean(), 20).expressions[0]
    assert best.text == "a * b"


def test_what_was_taken_before_does_not_come_again() -> None:
    space = table(5, ("A", "A", "1"))
    residual = np.random.default_rng(5).normal(size=(1, 25))
    screening = Screening(next_rung(space, ALL, 3), ALL, 3, **BOUNDS)
    first = screening.select(residual, 20, np.empty((0, 25)))
    second = screening.select(residual, 20, 5 - 2 * first.values)
    both = screening.select(residual, 40, np.empty((0, 25)))
    assert (*first.expressions, *second.expressions) == both.expressions


def test_several_residuals_are_looked_at_together() -> None:
    space = table(6, ("A", "eV", "1"))
    screening = Screening(space, ALL, 1, **BOUNDS)
    residuals = np.stack([space.values[0] * space.values[1], space.values[1] / space.values[0]])
    subspace = screening.select(residuals - residuals.mean(axis=1, keepdims=True), 2, np.empty((0, 25)))
    assert {expression.text for expression in subspace.expressions} == {"a * b", "b / a"}


def test_nearly_constant_products_are_scored_from_their_values() -> None:
    """Of 1 + 1e-6 x only the sixth digit says something, and sums of squares have lost it."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 300))
    values = np.stack([1 + 1e-6 * x, 1 + 1e-6 * y, rng.uniform(1, 2, 300)])
    space = FeatureSpace(tuple(map(Expression, "abc")), (parse_unit("A"), parse_unit("eV"), parse_unit("K")), values)
    subspace = Screening(space, ("*", "/"), 1, **BOUNDS).select((x + y)[None], 3, np.empty((0, 300)))
    assert subspace.expressions[0].text == "a * b"
    assert correlations(subspace.values, x + y)[0] > 1 - 1e-6


def test_only_equal_units_are_added_and_only_numbers_go_into_functions() -> None:
    space = table(8, ("A", "eV", "A", "1"))
    built = next_rung(space, ALL, 1)
    texts = {expression.text: unit for expression, unit in zip(built.expressions, built.units, strict=True)}
    assert texts["a * b"] == parse_unit("A eV")
    assert texts["np.sqrt(a)"] == parse_unit("A^(1/2)")
    assert texts["np.exp(-d)"] == parse_unit("1")
    assert "a + c" in texts
    for other in ("a + b", "np.exp(a)", "np.log(a)", "np.exp(-a)", "np.abs(a - b)"):
        assert other not in texts


def test_nothing_divides_by_what_changes_sign() -> None:
    space = table(9, ("1", "1"))
    assert not space.can_divide()[1]
    texts = {expression.text for expression in next_rung(space, ALL, 1).expressions}
    assert {"b / a", "1 / a"} <= texts
    assert not texts & {"a / b", "1 / b", "np.log(b)", "np.sqrt(b)"}


def test_constants_overflows_and_equal_features_are_not_built() -> None:
    rng = np.random.default_rng(10)
    a = rng.uniform(1, 2, 20)
    values = np.stack([a, 3 - a, a * (1 + 1e-12), 200 * a])
    space = FeatureSpace(tuple(map(Expression, "abcd")), (parse_unit("1"),) * 4, values)
    built = next_rung(space, ("+", "exp", "*"), 1)
    texts = {expression.text for expression in built.expressions}
    assert "a + b" not in texts  # 3 in every row
    assert "np.exp(d)" not in texts  # beyond 1e50
    assert "a * b" in texts
    assert not texts & {"c * b", "b * c"}  # a * b again


def test_candidates_are_counted_by_the_definition() -> None:
    """Two columns in A, two numbers: 4; products 6, quotients 12, sums 2, differences 2, squares 4, exp 2."""
    space = table(11, ("A", "A", "1", "1"))
    space = FeatureSpace(space.expressions, space.units, np.abs(space.values) + 0.1)
    assert Screening(space, ("*", "/", "+", "-", "^2", "exp"), 1, **BOUNDS).count() == 4 + 6 + 12 + 2 + 2 + 4 + 2
    assert Screening(space, ("*", "^2"), 0, **BOUNDS).count() == 4
