"""Feature spaces: the columns of a table, and the features of one more rung of operators."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.expression import Expression
from tachylite.learning.sisso.operators import OPERATORS, BoolArray, Operator
from tachylite.learning.sisso.units import Unit

type IntArray = NDArray[np.int64]

MAGNITUDES = (1e-50, 1e50)
"""Largest absolute value of a feature that is built upon, as in the reference code; its square is finite."""

_VARIATION = 1e-8
"""Standard deviation over largest absolute value below which a feature is a constant."""

_MAX_FEATURES = 30_000
"""Features held in memory to build the last rung on."""

_EQUAL = 1e-8
_BLOCK = 2048


@dataclass(frozen=True)
class FeatureSpace:
    """Features with their values; what the last rung is built on."""

    expressions: tuple[Expression, ...]
    units: tuple[Unit, ...]
    values: Array
    """Shape (features, rows)."""

    @property
    def complexity(self) -> IntArray:
        """Number of operators of every feature."""
        return np.array([expression.complexity for expression in self.expressions], dtype=np.int64)

    @property
    def unit_groups(self) -> list[IntArray]:
        """Features that may be added to each other: indices of two or more in the same unit."""
        groups: dict[Unit, list[int]] = {}
        for index, unit in enumerate(self.units):
            groups.setdefault(unit, []).append(index)
        return [np.array(members) for members in groups.values() if len(members) > 1]

    def can_divide(self) -> BoolArray:
        """Which features have one sign in all rows."""
        return np.asarray((self.values > 0).all(axis=1) | (self.values < 0).all(axis=1))

    def unary_operands(self, operator: Operator) -> IntArray:
        """Features that an operator with one operand may be applied to: unit, form and sign allow it."""
        meaningful = [
            operator.unit(unit) is not None
            and (operator.follows_exponential or expression.symbol not in ("exp", "exp-", "log"))
            for unit, expression in zip(self.units, self.expressions, strict=True)
        ]
        return np.flatnonzero(meaningful & self.can_divide() if operator.divides else meaningful)


def apply(operator: Operator, values: Array, *operands: IntArray) -> Array:
    """Values of new features (m, rows); what lies outside the domain of the operator is not finite."""
    with np.errstate(all="ignore"):
        return operator.apply(*(values[indices] for indices in operands))


def is_sound(values: Array, smallest: float, largest: float) -> BoolArray:
    """Which features are finite, vary, and have their largest absolute value between two bounds."""
    size = np.abs(values).max(axis=1)
    sound = (size >= smallest) & (size <= largest)  # False for nan
    sound[sound] = varies(values[sound])
    return np.asarray(sound)


def varies(values: Array) -> BoolArray:
    """Which features (m, rows) are not constant."""
    return np.asarray(values.std(axis=1) > _VARIATION * np.abs(values).max(axis=1))


def next_rung(space: FeatureSpace, operators: Sequence[str], complexity: int) -> FeatureSpace:
    """Extend a space by all features that one more operator makes of its features, without duplicates.

    Of equal features the simplest stays. Raises InputError for more than 30,000 features.
    """
    expressions, units, blocks = list(space.expressions), list(space.units), [space.values]
    sizes = space.complexity
    both_signs = _needs_both_signs(operators)
    for symbol in operators:
        for operands in _operands(space, OPERATORS[symbol], both_signs):
            _check_size(len(expressions), operators)
            values = apply(OPERATORS[symbol], space.values, *operands)
            keep = is_sound(values, *MAGNITUDES)
            keep &= 1 + sum(sizes[indices] for indices in operands) <= complexity
            if symbol == "-" and not both_signs:
                keep &= values.mean(axis=1) >= 0
            blocks.append(values[keep])
            for chosen in zip(*(indices[keep] for indices in operands), strict=True):
                members = [space.expressions[index] for index in chosen]
                expressions.append(Expression(symbol=symbol, operands=tuple(members)))
                units.append(_unit(OPERATORS[symbol], [space.units[index] for index in chosen]))
    return without_duplicates(FeatureSpace(tuple(expressions), tuple(units), np.concatenate(blocks)))


def without_duplicates(space: FeatureSpace) -> FeatureSpace:
    """Reduce a space to the simplest of those features that agree to eight digits in every row."""
    norms = np.linalg.norm(space.values, axis=1)
    order = np.argsort(norms, kind="stable")
    ends = np.flatnonzero(np.diff(norms[order]) > _EQUAL * norms[order][1:]) + 1
    selected: list[int] = []
    for run in np.split(order, ends):
        distinct: list[int] = []
        for index in sorted(run.tolist(), key=lambda index: space.expressions[index].simplicity):
            if not any(_are_equal(space.values[index], space.values[other]) for other in distinct):
                distinct.append(index)
        selected += distinct
    selected.sort()
    return FeatureSpace(
        tuple(space.expressions[index] for index in selected),
        tuple(space.units[index] for index in selected),
        space.values[selected],
    )


def _are_equal(a: Array, b: Array) -> bool:
    return bool((np.abs(a - b) <= _EQUAL * np.maximum(np.abs(a), np.abs(b))).all())


def _operands(space: FeatureSpace, operator: Operator, both_signs: bool) -> Iterator[tuple[IntArray, ...]]:
    """Indices of operands, in blocks; a difference comes in both orders where one cannot stand for the other."""
    if operator.arity == 1:
        allowed = space.unary_operands(operator)
        yield from ((allowed[start : start + _BLOCK],) for start in range(0, len(allowed), _BLOCK))
        return
    everything = np.arange(len(space.expressions))
    dividing = space.can_divide() if operator.divides else np.ones(len(everything), dtype=bool)
    ordered = operator.divides or operator.symbol == "-"
    for i in everything:
        partners = everything[dividing] if ordered else everything[i + 1 :]
        partners = partners[partners != i]
        if operator.symbol in ("+", "-", "|-|"):
            partners = np.array([j for j in partners if space.units[j] == space.units[i]], dtype=np.int64)
        if len(partners):
            yield np.full(len(partners), i), partners


def _needs_both_signs(operators: Sequence[str]) -> bool:
    """Whether A - B and B - A lead to different features of the next rung, beyond a sign."""
    present = set(operators)
    return (
        len(present & {"+", "-"}) == 1
        or len(present & {"exp", "exp-"}) == 1
        or "|-|" in present
        or ("*" in present and "^2" not in present)  # (A - B) (B - A) is the only square of a difference
    )


def _unit(operator: Operator, units: Sequence[Unit]) -> Unit:
    unit = operator.unit(*units)
    assert unit is not None, "operands are chosen so that the operation has a unit"  # noqa: S101 an invariant
    return unit


def _check_size(count: int, operators: Sequence[str]) -> None:
    if count > _MAX_FEATURES:
        raise InputError(
            f"the rung before the last has more than {_MAX_FEATURES} features; "
            f"give fewer features, a lower rung, or fewer operators than {' '.join(operators)}"
        )
