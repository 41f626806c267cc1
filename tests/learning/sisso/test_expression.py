from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.expression import Expression, check_name, parse_expression
from tachylite.learning.sisso.operators import OPERATORS

NAMES = ("a", "b", "exp", "Li_percentage")
COLUMNS: Mapping[str, Array] = {
    name: np.random.default_rng(index).uniform(0.3, 1.7, 7) for index, name in enumerate(NAMES)
}


def applied(operand: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.sampled_from(sorted(OPERATORS)).flatmap(
        lambda symbol: st.tuples(*[operand] * OPERATORS[symbol].arity).map(
            lambda operands: Expression(symbol=symbol, operands=operands)
        )
    )


expressions = st.recursive(st.sampled_from(NAMES).map(Expression), applied, max_leaves=6)


@given(expressions)
def test_a_formula_is_read_back_as_the_same_tree(expression: Expression) -> None:
    assert parse_expression(expression.text) == expression


@given(expressions)
def test_a_formula_is_a_plain_numpy_expression(expression: Expression) -> None:
    try:
        values = expression.evaluate(COLUMNS)
    except InputError:
        assume(False)
    plain = eval(expression.text, {"__builtins__": {}, "np": np}, dict(COLUMNS))  # noqa: S307 what a user would do
    np.testing.assert_allclose(values, plain, rtol=1e-12)


@given(expressions)
def test_latex_has_matching_brackets_and_all_names(expression: Expression) -> None:
    assert expression.latex.count("{") == expression.latex.count("}")
    assert expression.latex.count(r"\left") == expression.latex.count(r"\right")
    for name in expression.names:
        assert name.replace("_", r"\_") in expression.latex


def test_formulas_look_as_in_print() -> None:
    quotient = parse_expression("a * b / (a - b)**2")
    assert quotient.text == "a * b / (a - b)**2"
    assert quotient.latex == r"\frac{\mathrm{a} \, \mathrm{b}}{\left( \mathrm{a} - \mathrm{b} \right)^{2}}"
    assert parse_expression("np.exp(-(a + b))").latex == r"\exp\left( -\left( \mathrm{a} + \mathrm{b} \right) \right)"
    assert quotient.complexity == 4


@pytest.mark.parametrize(
    "text",
    [
        "a +",
        "a % b",
        "a**4",
        "2 * a",
        "a.b",
        "np.sin(a)",
        "np.log(a, b)",
        "__import__('os').system('true')",
        "(lambda: a)()",
        "[a]",
        "",
        "lambda",
    ],
)
def test_other_text_is_refused_and_not_executed(text: str) -> None:
    with pytest.raises(InputError, match="is not one of ours"):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "row"),
    [("np.log(a)", 1), ("1 / a", 2), ("np.sqrt(b * a)", 1), ("np.exp(np.exp(b))", 0), ("np.exp(1 / a)", 2)],
)
def test_a_row_outside_the_domain_is_named(text: str, row: int) -> None:
    columns = {"a": np.array([2.0, -1.0, 0.0]), "b": np.array([7.0, 2.0, 1.0])}
    with pytest.raises(InputError, match=f"has no value in row {row}, where"):
        parse_expression(text).evaluate(columns)


@pytest.mark.parametrize("name", ["Li %", "1a", "a-b", "lambda", "np", "", "x.y"])
def test_a_name_that_cannot_stand_in_a_formula_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="rename"):
        check_name(name)
