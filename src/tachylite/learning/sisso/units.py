"""Units of features: what may be added, and what may stand in an exponential."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tachylite.errors import InputError

SYMBOLS = frozenset({
    *("A", "pm", "nm", "cm", "m"),
    *("fs", "ps", "ns", "s"),
    *("u", "g", "kg"),
    *("K", "mol", "e", "V", "S"),
    *("eV", "meV", "J", "kJ"),
    *("GPa", "kbar", "Pa"),
})  # fmt: skip
"""Base units. Each stands for itself: A and nm are not converted, so they cannot be added."""

_COUNTS = frozenset({"1", "atom", "atoms"})
"""Words for pure numbers."""

_POWER = r"-?[0-9]+(?:\.[0-9]+|/[1-9][0-9]*)?"
_TOKEN = re.compile(rf"\s*([A-Za-z]+|1(?![0-9])|(?:\^|\*\*)(?:{_POWER}|\({_POWER}\))|[*/·()])\s*")
_EXAMPLES = "like 'A^3', 'eV/atom', 'g/cm^3', '(GPa A/u)^(1/2)' or '1'"


@dataclass(frozen=True)
class Unit:
    """A product of base units with rational exponents; without any, a pure number."""

    exponents: tuple[tuple[str, Fraction], ...] = ()
    """Base units in alphabetical order; no exponent is 0."""

    @property
    def is_number(self) -> bool:
        """Whether a quantity in this unit is a pure number."""
        return not self.exponents

    def __mul__(self, other: "Unit") -> "Unit":
        total = dict(self.exponents)
        for symbol, exponent in other.exponents:
            total[symbol] = total.get(symbol, Fraction(0)) + exponent
        return _unit(total)

    def __truediv__(self, other: "Unit") -> "Unit":
        return self * other ** Fraction(-1)

    def __pow__(self, power: Fraction) -> "Unit":
        return _unit({symbol: exponent * power for symbol, exponent in self.exponents})

    def __str__(self) -> str:
        return " ".join(_factor(symbol, exponent) for symbol, exponent in self.exponents) or "1"


NUMBER = Unit()
"""The unit of pure numbers."""


def parse_unit(text: str) -> Unit:
    """Read a unit such as 'A^3', 'eV/atom' or 'A^2 (GPa A/u)^1/2'; a '/' turns the one factor behind it over.

    Raises InputError for a symbol that is not known and for anything that is not a product of powers.
    """
    tokens: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, text[position:])
        tokens.append(match.group(1))
        position = match.end()
    tokens.reverse()
    unit = _product(text, tokens)
    if tokens:
        raise _unreadable(text, tokens[-1])
    return unit


def _product(text: str, tokens: list[str]) -> Unit:
    """Take factors from the end of the list, up to its start or to a closing bracket."""
    total, sign, expected = NUMBER, 1, True
    while tokens and tokens[-1] != ")":
        part = tokens.pop()
        if part not in ("*", "/", "·"):
            total *= _power(text, part, tokens) ** Fraction(sign)
            sign, expected = 1, False
        elif expected:
            raise _unreadable(text, part)
        else:
            sign, expected = -1 if part == "/" else 1, True
    if expected:
        raise _unreadable(text, text)
    return total


def _power(text: str, part: str, tokens: list[str]) -> Unit:
    """One factor with the power behind it."""
    if part == "(":
        unit = _product(text, tokens)
        if not tokens:
            raise _unreadable(text, "(")
        tokens.pop()
    elif part in SYMBOLS or part in _COUNTS:
        unit = NUMBER if part in _COUNTS else Unit(((part, Fraction(1)),))
    elif part.isalpha():
        raise InputError(f"unit '{text}': unknown symbol '{part}'; known are {', '.join(sorted(SYMBOLS))}")
    else:
        raise _unreadable(text, part)
    if tokens and tokens[-1].startswith(("^", "**")):
        unit **= Fraction(tokens.pop().lstrip("^*").strip("()"))
    return unit


def _unreadable(text: str, part: str) -> InputError:
    return InputError(f"unit '{text}': cannot read '{part}'; write it {_EXAMPLES}")


def _unit(exponents: Mapping[str, Fraction]) -> Unit:
    return Unit(tuple(sorted((symbol, exponent) for symbol, exponent in exponents.items() if exponent)))


def _factor(symbol: str, exponent: Fraction) -> str:
    if exponent == 1:
        return symbol
    return f"{symbol}^{exponent}" if exponent.denominator == 1 else f"{symbol}^({exponent})"
