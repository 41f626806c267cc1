"""Operators of feature construction: what they compute, in which units, how they are written.

Symbols and rules are those of the reference code (Ouyang et al. 2018, DOI 10.1103/PhysRevMaterials.2.083802),
with two restrictions more: exponentials and logarithms take pure numbers only, and what divides has one sign in
all rows, since a pole between two rows is not supported by either of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.sisso.units import NUMBER, Unit

type BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Operator:
    """One operator; `text` and `latex` are templates for its operands."""

    symbol: str
    apply: Callable[..., Array]
    unit: Callable[..., Unit | None]
    """Unit of the result from the units of the operands; None where the operation has no meaning."""
    text: str
    latex: str
    precedence: int
    """Of the result as Python reads it: 1 a sum, 2 a product, 3 a power, 4 a name or a call."""
    operand_precedence: tuple[int, ...]
    """Least precedence with which an operand, in the text, needs no brackets."""
    divides: bool = False
    """Whether the last operand is a divisor."""
    follows_exponential: bool = True
    """Whether it may be applied to an exponential or a logarithm."""

    @property
    def arity(self) -> int:
        """Number of operands."""
        return len(self.operand_precedence)


def _same(a: Unit, b: Unit) -> Unit | None:
    return a if a == b else None


def _number(a: Unit) -> Unit | None:
    return NUMBER if a.is_number else None


def _call(symbol: str, function: Callable[..., Array], text: str, latex: str, least: int) -> Operator:
    """A transcendental function; of an exponential or a logarithm it would be another one, or undo it."""
    return Operator(symbol, function, _number, text, latex, 4, (least,), follows_exponential=False)


def _power(exponent: int) -> Operator:
    def unit(a: Unit) -> Unit:
        return a ** Fraction(exponent)

    text, latex = f"{{0}}**{exponent}", f"{{0}}^{{{{{exponent}}}}}"
    return Operator(f"^{exponent}", lambda a: a**exponent, unit, text, latex, 3, (4,))


def _root(symbol: str, degree: int, function: Callable[..., Array], latex: str) -> Operator:
    def unit(a: Unit) -> Unit:
        return a ** Fraction(1, degree)

    return Operator(symbol, function, unit, f"np.{symbol}({{0}})", latex, 4, (0,))


OPERATORS = {
    operator.symbol: operator
    for operator in (
        Operator("+", lambda a, b: a + b, _same, "{0} + {1}", "{0} + {1}", 1, (1, 2)),
        Operator("-", lambda a, b: a - b, _same, "{0} - {1}", "{0} - {1}", 1, (1, 2)),
        Operator("*", lambda a, b: a * b, lambda a, b: a * b, "{0} * {1}", r"{0} \, {1}", 2, (2, 3)),
        Operator("/", lambda a, b: a / b, lambda a, b: a / b, "{0} / {1}", r"\frac{{{0}}}{{{1}}}", 2, (2, 3), True),
        Operator("|-|", lambda a, b: np.abs(a - b), _same, "np.abs({0} - {1})", r"\left| {0} - {1} \right|", 4, (1, 2)),
        Operator("^-1", lambda a: 1 / a, lambda a: NUMBER / a, "1 / {0}", r"\frac{{1}}{{{0}}}", 2, (3,), True),
        _power(2),
        _power(3),
        _power(6),
        _root("sqrt", 2, np.sqrt, r"\sqrt{{{0}}}"),
        _root("cbrt", 3, np.cbrt, r"\sqrt[3]{{{0}}}"),
        _call("exp", np.exp, "np.exp({0})", r"\exp\left( {0} \right)", 0),
        _call("exp-", lambda a: np.exp(-a), "np.exp(-{0})", r"\exp\left( -{0} \right)", 4),
        _call("log", np.log, "np.log({0})", r"\ln\left( {0} \right)", 0),
    )
}
"""All operators by their symbols."""
