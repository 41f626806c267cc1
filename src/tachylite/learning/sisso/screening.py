"""Sure independence screening: the features that correlate best with a residual, out of tens of millions.

The last rung is never held in memory. Scores of all products, quotients, sums and differences of features come
from matrix products of what they are made of (a sum over rows of a b is an element of A B^T, and so are the sums
of (a b)^2 and of a b r), in blocks; values are computed for the few that get through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.sisso.expression import Expression
from tachylite.learning.sisso.operators import OPERATORS
from tachylite.learning.sisso.pool import Pool
from tachylite.learning.sisso.space import FeatureSpace, IntArray

_BLOCK = 256
_DIRECT_BLOCK = 256

_CANCELLATION = 1e-6
"""Share of the variance in the sum of squares below which digits are lost and the score is computed directly."""

_MARGIN = 1e-6
"""Error of a squared score from matrix products; the candidates' scores are computed again from their values."""


@dataclass(frozen=True)
class Subspace:
    """Features that passed the screening, best first."""

    expressions: tuple[Expression, ...]
    values: Array
    """Shape (features, rows)."""


@dataclass(frozen=True)
class Screening:
    """The last rung over a space of features: its operators and limits; without operators, the space itself."""

    space: FeatureSpace
    operators: tuple[str, ...]
    complexity: int
    smallest: float
    largest: float

    def count(self) -> int:
        """Number of candidates, before constants, overflows and duplicates are taken out."""
        total = len(self.space.expressions)
        for symbol in self.operators:
            if OPERATORS[symbol].arity == 1:
                total += len(self._unary(symbol))
            else:
                total += sum(allowed.sum() for _, _, allowed in self._pairs(symbol))
        return int(total)

    def select(self, residuals: Array, count: int, taken: Array) -> Subspace:
        """Choose `count` features by the largest correlation with any residual, none equivalent to a taken one.

        `residuals` are (m, rows), `taken` (k, rows) values of features chosen before. Features are equivalent
        where they are the same up to a factor and an offset; the simplest of them is taken.
        """
        pool = Pool(self.space, residuals, count, taken, (self.smallest, self.largest))
        pool.offer("", np.arange(len(self.space.expressions)))
        for symbol in self.operators:
            if OPERATORS[symbol].arity == 1:
                self._offer_unary(pool, symbol)
            elif symbol == "|-|":
                self._offer_directly(pool, symbol)
            else:
                self._offer_pairs(pool, symbol)
        return Subspace(*pool.best())

    def _offer_unary(self, pool: Pool, symbol: str) -> None:
        indices = self._unary(symbol)
        for start in range(0, len(indices), _DIRECT_BLOCK):
            pool.offer(symbol, indices[start : start + _DIRECT_BLOCK])

    def _offer_directly(self, pool: Pool, symbol: str) -> None:
        for rows, columns, allowed in self._pairs(symbol):
            i, j = np.nonzero(allowed)
            for start in range(0, len(i), _DIRECT_BLOCK):
                part = slice(start, start + _DIRECT_BLOCK)
                pool.offer(symbol, rows[i[part]], columns[j[part]])

    def _offer_pairs(self, pool: Pool, symbol: str) -> None:
        moments = (
            _ProductMoments(self.space, pool.residuals, invert=symbol == "/")
            if symbol in ("*", "/")
            else _SumMoments(self.space, pool.residuals, 1 if symbol == "+" else -1)
        )
        for rows, columns, allowed in self._pairs(symbol):
            scores = moments.squared_scores(rows, columns)
            scores[~allowed] = -1
            i, j = np.nonzero(scores >= pool.threshold**2 - _MARGIN)
            order = np.argsort(-scores[i, j], kind="stable")
            limits = np.sqrt(scores[i, j][order] + _MARGIN)
            pool.offer_sorted(symbol, rows[i[order]], columns[j[order]], limits)

    def _unary(self, symbol: str) -> IntArray:
        indices = self.space.unary_operands(OPERATORS[symbol])
        return indices[1 + self.space.complexity[indices] <= self.complexity]

    def _pairs(self, symbol: str) -> Iterator[tuple[IntArray, IntArray, np.ndarray]]:
        """Operands of a binary operator in blocks: rows, columns, and which pairs of them are to be formed."""
        sizes = self.space.complexity
        for group in self._groups(symbol):
            columns = group[self.space.can_divide()[group]] if symbol == "/" else group
            for start in range(0, len(group), _BLOCK):
                rows = group[start : start + _BLOCK]
                # of the commutative ones, only pairs with the second behind the first
                partners = columns if symbol == "/" else columns[start:]
                allowed = (1 + sizes[rows, None] + sizes[partners] <= self.complexity) & (rows[:, None] != partners)
                if symbol != "/":
                    allowed &= rows[:, None] < partners
                yield rows, partners, allowed

    def _groups(self, symbol: str) -> Sequence[IntArray]:
        return [np.arange(len(self.space.units))] if symbol in ("*", "/") else self.space.unit_groups


class _ProductMoments:
    """Correlations of a b, or of a / b, with residuals r, from A B^T, (A^2)(B^2)^T and (A r) B^T."""

    def __init__(self, space: FeatureSpace, residuals: Array, *, invert: bool) -> None:
        self._residuals = residuals
        self._left = _scaled(space.values)
        right = self._left
        if invert:
            right = np.zeros_like(space.values)
            divisors = space.can_divide()
            with np.errstate(all="ignore"):  # what overflows here is computed from its values
                right[divisors] = _scaled(1 / space.values[divisors])
        self._right = right
        self._right_squared = right**2

    def squared_scores(self, rows: IntArray, columns: IntArray) -> Array:
        """Largest squared correlation of every pair (rows, columns); inf where sums are not accurate enough."""
        left, right = self._left[rows], self._right[columns]
        squares = left**2 @ self._right_squared[columns].T
        variance = left @ right.T
        np.square(variance, out=variance)
        variance /= -left.shape[1]
        variance += squares
        squares *= _CANCELLATION
        scores = np.zeros_like(variance)
        for residual in self._residuals:
            covariance = (left * residual) @ right.T
            np.square(covariance, out=covariance)
            np.maximum(scores, covariance, out=scores)
        return _quotient(scores, variance, squares)


class _SumMoments:
    """Correlations of a + b, or of a - b, with residuals, from variances and covariances."""

    def __init__(self, space: FeatureSpace, residuals: Array, sign: int) -> None:
        self._sign = sign
        self._centred = space.values - space.values.mean(axis=1, keepdims=True)
        self._variance = np.einsum("ij,ij->i", self._centred, self._centred)
        self._with_residuals = residuals @ self._centred.T

    def squared_scores(self, rows: IntArray, columns: IntArray) -> Array:
        """Largest squared correlation of every pair (rows, columns); inf where sums are not accurate enough."""
        variance = self._centred[rows] @ self._centred[columns].T
        variance *= 2 * self._sign
        total = self._variance[rows, None] + self._variance[columns]
        variance += total
        total *= _CANCELLATION
        scores = np.zeros_like(variance)
        for covariance in self._with_residuals:
            np.maximum(scores, (covariance[rows, None] + self._sign * covariance[columns]) ** 2, out=scores)
        return _quotient(scores, variance, total)


def _scaled(values: Array) -> Array:
    return np.asarray(values / np.abs(values).max(axis=1, keepdims=True))


def _quotient(scores: Array, variance: Array, least: Array) -> Array:
    with np.errstate(all="ignore"):
        scores /= variance
    scores[~(variance > least)] = np.inf
    return scores
