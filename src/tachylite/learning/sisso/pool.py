"""The features with the highest scores among candidates that come in one batch after the other."""

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.sisso.expression import Expression
from tachylite.learning.sisso.operators import OPERATORS
from tachylite.learning.sisso.space import FeatureSpace, IntArray, apply, is_sound

_SAME_SCORE = 1e-9
_SAME_FEATURE = 1e-10
"""Largest difference of the scores, and largest 1 - |correlation|, of equivalent features."""

_CHUNK = 1024

type _Member = tuple[str, int, int]
"""Operator and its operands in the space; the empty operator stands for a feature of the space itself."""


class Pool:
    """Collects the `count` features with the highest scores.

    The score of a feature is its largest absolute correlation with one of the `residuals` (m, rows).
    """

    def __init__(
        self, space: FeatureSpace, residuals: Array, count: int, taken: Array, bounds: tuple[float, float]
    ) -> None:
        self.residuals = standardised(residuals)
        self.threshold = 0.0
        """Score that a feature needs to come in."""
        self._space = space
        self._count = count
        self._taken = standardised(taken)
        self._bounds = bounds
        self._members: list[_Member] = []
        self._scores = np.empty(0)
        self._values = np.empty((0, space.values.shape[1]))

    def offer_sorted(self, symbol: str, first: IntArray, second: IntArray, limits: Array) -> None:
        """Offer features in the order of falling upper limits of their scores, until none can come in."""
        for start in range(0, len(first), _CHUNK):
            if limits[start] < self.threshold:
                return
            part = slice(start, start + _CHUNK)
            self.offer(symbol, first[part], second[part])

    def offer(self, symbol: str, first: IntArray, second: IntArray | None = None) -> None:
        """Compute features from their operands and keep them where they belong to the best."""
        operands = (first,) if second is None else (first, second)
        values = apply(OPERATORS[symbol], self._space.values, *operands) if symbol else self._space.values[first]
        sound = np.flatnonzero(is_sound(values, *self._bounds))
        standard = standardised(values[sound])
        scores = np.abs(standard @ self.residuals.T).max(axis=1)
        good = scores >= self.threshold - _SAME_SCORE
        if len(self._taken):
            good &= np.abs(standard @ self._taken.T).max(axis=1) < 1 - _SAME_FEATURE
        chosen = sound[good]
        partners = first if second is None else second
        self._members += [(symbol, int(first[index]), int(partners[index])) for index in chosen]
        self._scores = np.concatenate([self._scores, scores[good]])
        self._values = np.concatenate([self._values, values[chosen]])
        self._cut()

    def best(self) -> tuple[tuple[Expression, ...], Array]:
        """The features, best first, and their values."""
        return tuple(self._expression(member) for member in self._members), self._values

    def _cut(self) -> None:
        """Sort by score, drop equivalent features and those beyond the count."""
        order = np.argsort(-self._scores, kind="stable")
        ends = np.flatnonzero(np.diff(self._scores[order]) < -_SAME_SCORE) + 1
        selected: list[int] = []
        for run in np.split(order, ends):
            selected += self._distinct(run) if len(run) > 1 else run.tolist()
            if len(selected) >= self._count:
                break
        selected = selected[: self._count]
        self._members = [self._members[index] for index in selected]
        self._scores, self._values = self._scores[selected], self._values[selected]
        if len(selected) == self._count:
            self.threshold = float(self._scores[-1])

    def _distinct(self, run: IntArray) -> list[int]:
        """Of features with one score, the simplest of every kind, simplest first."""
        order = sorted(run.tolist(), key=lambda index: self._expression(self._members[index]).simplicity)
        standard = standardised(self._values[order])
        equivalent = np.abs(standard @ standard.T) > 1 - _SAME_FEATURE
        selected: list[int] = []
        for position in range(len(order)):
            if not equivalent[position, selected].any():
                selected.append(position)
        return [order[position] for position in selected]

    def _expression(self, member: _Member) -> Expression:
        symbol, first, second = member
        expressions = self._space.expressions
        if not symbol:
            return expressions[first]
        operands = (first,) if OPERATORS[symbol].arity == 1 else (first, second)
        return Expression(symbol=symbol, operands=tuple(expressions[index] for index in operands))


def standardised(values: Array) -> Array:
    """Rows with mean 0 and norm 1."""
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))
