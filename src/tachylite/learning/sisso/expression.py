"""Formulas as trees of operators over named columns, written as numpy expressions and as LaTeX."""

import ast
import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.operators import OPERATORS

_BINARY: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_CALLS = ("exp", "log", "sqrt", "cbrt")


@dataclass(frozen=True)
class Expression:
    """A feature: the column `name`, or the operator `symbol` applied to `operands`."""

    name: str = ""
    symbol: str = ""
    operands: tuple["Expression", ...] = ()

    @cached_property
    def text(self) -> str:
        """A Python expression of the column names and of numpy as `np`; `parse_expression` reads it."""
        if not self.operands:
            return self.name
        operator = OPERATORS[self.symbol]
        inner = (
            operand.text if operand.precedence >= least else f"({operand.text})"
            for operand, least in zip(self.operands, operator.operand_precedence, strict=True)
        )
        return operator.text.format(*inner)

    @cached_property
    def latex(self) -> str:
        """The formula in LaTeX, for math mode."""
        if not self.operands:
            return rf"\mathrm{{{self.name.replace('_', r'\_')}}}"
        operator = OPERATORS[self.symbol]
        inner = (
            rf"\left( {operand.latex} \right)" if self._needs_brackets(operand, least) else operand.latex
            for operand, least in zip(self.operands, operator.operand_precedence, strict=True)
        )
        return operator.latex.format(*inner)

    @property
    def precedence(self) -> int:
        """How tightly its last operation binds in the text."""
        return OPERATORS[self.symbol].precedence if self.operands else 4

    @cached_property
    def complexity(self) -> int:
        """Number of operators."""
        return bool(self.operands) + sum(operand.complexity for operand in self.operands)

    @property
    def names(self) -> frozenset[str]:
        """Columns it needs."""
        return frozenset({self.name}) if not self.operands else frozenset().union(*(o.names for o in self.operands))

    @property
    def simplicity(self) -> tuple[int, int, str]:
        """Sort key of equal features, of which the one with the smallest is used."""
        return self.complexity, len(self.text), self.text

    def evaluate(self, columns: Mapping[str, Array]) -> Array:
        """Its values (n,) from columns (n,).

        Raises InputError where a row lies outside its domain (a division by zero, the logarithm of a negative
        number, an overflow).
        """
        if not self.operands:
            return columns[self.name]
        operands = [operand.evaluate(columns) for operand in self.operands]
        with np.errstate(all="ignore"):
            values = OPERATORS[self.symbol].apply(*operands)
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            where = ", ".join(f"{name} = {columns[name][row]:g}" for name in sorted(self.names))
            raise InputError(f"{self.text} has no value in row {row}, where {where}; leave that row out")
        return values

    def _needs_brackets(self, operand: "Expression", least: int) -> bool:
        fraction = OPERATORS[self.symbol].divides
        return operand.precedence < least and not fraction and not (least == 3 and operand.symbol in ("/", "^-1"))


def check_name(name: str) -> str:
    """Return a column name that can stand in a formula; raises InputError for any other."""
    if not name.isidentifier() or keyword.iskeyword(name) or name == "np":
        raise InputError(f"feature '{name}' cannot stand in a formula; rename it to letters, digits and '_'")
    return name


def parse_expression(text: str) -> Expression:
    """Read what `Expression.text` writes; raises InputError for anything else."""
    try:
        return _convert(ast.parse(text, mode="eval").body)
    except (SyntaxError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"formula '{text}' is not one of ours: {error}") from error


def _convert(node: ast.expr) -> Expression:
    match node:
        case ast.Name(id=name):
            return Expression(check_name(name))
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Div(), right=right):
            return Expression(symbol="^-1", operands=(_convert(right),))
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if f"^{power}" in OPERATORS:
            return Expression(symbol=f"^{power}", operands=(_convert(left),))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return Expression(symbol=_BINARY[type(op)], operands=(_convert(left), _convert(right)))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=[argument], keywords=[]):
            return _convert_call(name, argument)
    raise ValueError(f"cannot read '{ast.unparse(node)}'")


def _convert_call(name: str, argument: ast.expr) -> Expression:
    match argument:
        case ast.BinOp(left=left, op=ast.Sub(), right=right) if name == "abs":
            return Expression(symbol="|-|", operands=(_convert(left), _convert(right)))
        case ast.UnaryOp(op=ast.USub(), operand=operand) if name == "exp":
            return Expression(symbol="exp-", operands=(_convert(operand),))
    if name not in _CALLS:
        raise ValueError(f"unknown function np.{name}")
    return Expression(symbol=name, operands=(_convert(argument),))
