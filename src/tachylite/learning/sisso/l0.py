"""Exact L0 regression: the best linear models of a given size among all subsets of features."""

from dataclasses import dataclass

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.sisso.space import IntArray

_DEPENDENT = 1e-10
"""Share of a feature's variance beyond the other features of a model, below which it depends on them linearly."""

_ELEMENTS = 60_000
"""Size of the arrays that pairs are scanned in, so that they stay in the cache of the processor."""

_MAX_STORED = 4096
"""Subsets that are stored before all but the best are dropped."""


@dataclass(frozen=True)
class Subset:
    """A least squares model: indices of its features, with coefficients, intercept and root mean square error."""

    features: tuple[int, ...]
    coefficients: tuple[float, ...]
    intercept: float
    rmse: float


def best_subsets(values: Array, target: Array, size: int, count: int = 1) -> list[Subset]:
    """Find the `count` subsets of `size` features (p, rows) with the least squared error, by trying all of them.

    The residual of a model follows from correlations alone. For a set S and two more features j, k

    R2(S + j + k) = R2(S) + (t_j^2 + t_k^2 - 2 rho_jk t_j t_k) / (1 - rho_jk^2)

    where t and rho are correlations with the target and with each other after S is projected out; projecting one
    more feature out is an update of rank one (the Schur complement). So pairs are scanned in whole blocks, and
    the leaders are fitted again by orthogonal factorisation. A feature that the others of its set give linearly, but
    for 1e-10 of its variance, makes no model. Returns fewer where there are fewer subsets.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(centred, axis=1, keepdims=True)
    deviation = target - target.mean()
    standard = centred / scale
    search = _Search(size, max(count, 16))
    search.scan(standard @ standard.T, standard @ (deviation / np.linalg.norm(deviation)))
    fitted = [_fit(centred[list(indices)], scale[list(indices)], deviation, indices) for indices in search.leaders()]
    means = values.mean(axis=1)
    ranked = sorted(fitted, key=lambda subset: (subset.rmse, subset.features))[:count]
    return [
        Subset(
            subset.features,
            subset.coefficients,
            float(target.mean() - np.dot(subset.coefficients, means[list(subset.features)])),
            subset.rmse,
        )
        for subset in ranked
    ]


def _fit(centred: Array, scale: Array, deviation: Array, indices: tuple[int, ...]) -> Subset:
    solution = np.linalg.lstsq((centred / scale).T, deviation, rcond=None)[0] / scale[:, 0]
    rmse = float(np.sqrt(np.mean((deviation - solution @ centred) ** 2)))
    return Subset(indices, tuple(float(c) for c in solution), 0.0, rmse)


class _Search:
    """Search of all subsets in the order of their indices, with the best ones so far."""

    def __init__(self, size: int, count: int) -> None:
        self._size = size
        self._count = count
        self._threshold = 0.0
        self._best = [(np.empty(0), np.empty((0, size), dtype=np.int64))]
        self._n_stored = 0

    def scan(self, gram: Array, covariance: Array) -> None:
        """Search all features, from their correlations (p, p) and those with the target (p,)."""
        if self._size == 1:
            everything = np.arange(len(covariance))[:, None]
            self._record(covariance**2, everything)
        else:
            self._extend(gram, covariance, 0.0, ())

    def leaders(self) -> list[tuple[int, ...]]:
        """The best subsets, best first."""
        self._shrink()
        return [tuple(int(index) for index in subset) for _, subsets in self._best for subset in subsets]

    def _extend(self, gram: Array, covariance: Array, gained: float, prefix: tuple[int, ...]) -> None:
        """Add features to a prefix; `gram` and `covariance` are those of the features behind it, projected."""
        missing = self._size - len(prefix)
        first = prefix[-1] + 1 if prefix else 0
        if missing == 2:
            self._pairs(
                gram[None], covariance[None], np.array([gained]), prefix, np.empty((1, 0), dtype=np.int64), first
            )
        elif missing == 3:
            self._triples(gram, covariance, gained, prefix, first)
        else:
            for i in range(len(covariance) - missing + 1):
                if gram[i, i] > _DEPENDENT:
                    row = gram[i, i + 1 :] / np.sqrt(gram[i, i])
                    share = covariance[i] / np.sqrt(gram[i, i])
                    self._extend(
                        gram[i + 1 :, i + 1 :] - np.outer(row, row),
                        covariance[i + 1 :] - share * row,
                        gained + share**2,
                        (*prefix, first + i),
                    )

    def _triples(self, gram: Array, covariance: Array, gained: float, prefix: tuple[int, ...], first: int) -> None:
        """Project one feature after the other out, several at once where the matrices are small."""
        start, last = 0, len(covariance) - 2
        while start < last:
            behind = len(covariance) - start - 1
            stop = min(last, start + max(1, _ELEMENTS // behind**2))
            used = np.arange(start, stop)[gram.diagonal()[start:stop] > _DEPENDENT]
            root = np.sqrt(gram.diagonal()[used])
            rows = gram[used, start + 1 :] / root[:, None]
            share = covariance[used] / root
            self._pairs(
                gram[start + 1 :, start + 1 :] - rows[:, :, None] * rows[:, None, :],
                covariance[start + 1 :] - share[:, None] * rows,
                gained + share**2,
                prefix,
                first + used[:, None],
                first + start + 1,
            )
            start = stop

    def _pairs(
        self,
        gram: Array,
        covariance: Array,
        gained: Array,
        prefix: tuple[int, ...],
        projected: IntArray,
        first: int,
    ) -> None:
        """Gains of all pairs, in a stack of projected matrices (b, m, m); `first` is the index of their first row."""
        variance = np.einsum("bii->bi", gram)
        usable = variance > _DEPENDENT
        inverse = np.where(usable, 1 / np.sqrt(np.where(usable, variance, 1.0)), 0.0)
        t = covariance * inverse
        rho = gram * inverse[:, :, None]
        rho *= inverse[:, None, :]
        gain = t[:, :, None] * (-2 * t[:, None, :])
        gain *= rho
        gain += (t**2)[:, :, None]
        gain += (t**2)[:, None, :]
        unexplained = np.square(rho, out=rho)
        np.subtract(1.0, unexplained, out=unexplained)
        needed = self._threshold - gained
        better = (gain > needed[:, None, None] * unexplained) & (unexplained > _DEPENDENT)
        b, j, k = np.nonzero(better)
        limit = projected[:, -1][b] - first if projected.shape[1] else np.full(len(b), -1)
        least = np.minimum(variance[b, j], variance[b, k])
        valid = (j < k) & (j > limit) & usable[b, j] & usable[b, k] & (unexplained[b, j, k] * least > _DEPENDENT)
        b, j, k = b[valid], j[valid], k[valid]
        indices = np.column_stack(
            [np.tile(np.array(prefix, dtype=np.int64), (len(b), 1)), projected[b], first + j, first + k]
        )
        self._record(gained[b] + gain[b, j, k] / unexplained[b, j, k], indices)

    def _record(self, gains: Array, indices: IntArray) -> None:
        self._best.append((gains, indices))
        self._n_stored += len(gains)
        if self._n_stored > _MAX_STORED:
            self._shrink()

    def _shrink(self) -> None:
        """Drop all subsets but the best, and record only better ones from now on."""
        gains = np.concatenate([gains for gains, _ in self._best])
        indices = np.concatenate([indices for _, indices in self._best])
        order = np.argsort(-gains, kind="stable")[: self._count]
        self._best = [(gains[order], indices[order])]
        self._n_stored = len(order)
        if len(order) == self._count:
            self._threshold = float(gains[order[-1]])
