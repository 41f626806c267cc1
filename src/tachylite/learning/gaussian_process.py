"""Gaussian process regression with one length for each kind of input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from tachylite.arrays import Array
from tachylite.errors import InputError

_ROWS_AT_ONCE = 4000
"""Predicted at once; covariances of more would fill the memory."""

_MAX_ROWS = 5000
"""To train on: time grows with the cube, memory with the square."""

_ARRAYS = ("mean", "scale", "rows", "target", "log_lengths", "kinds")

_LOG_LENGTH = (-2.0, 7.0)
_LOG_VARIANCE = (-5.0, 7.0)
_LOG_NOISE = (-9.0, 2.0)
"""Bounds of the natural logarithms, for standardised inputs and targets."""


@dataclass(frozen=True)
class GaussianProcess:
    r"""A Gaussian process with a Matern kernel of order 3/2 over inputs of one or several kinds.

    $$ k(x, x') = s^2 (1 + \sqrt{3} r) e^{-\sqrt{3} r}, \quad r^2 = \sum_g |x_g - x'_g|^2 / l_g^2 $$

    | symbol | meaning |
    |---|---|
    | x_g | inputs of kind g, each over its standard deviation or, as atomic fractions, as they are |
    | l_g | length of that kind |
    | s^2 | variance of the function; the noise has its own |

    Lengths and both variances maximise the marginal likelihood (Rasmussen and Williams 2006, chapter 5).
    """

    mean: Array
    scale: Array
    """Of the columns, shape (p,)."""
    rows: Array
    """Scaled inputs of the training rows, shape (n, p)."""
    target: Array
    """Standardised, shape (n,)."""
    offset: float
    spread_of_target: float
    """Mean and standard deviation of the target."""
    log_lengths: Array
    """Of the kinds."""
    log_variance: float
    log_noise: float
    kinds: Array
    """Kind of every column, from 0 on, shape (p,)."""

    @classmethod
    def fit(cls, inputs: Array, target: Array, kinds: ArrayLike, *, unscaled: int | None = None) -> Self:
        """Fit to inputs (n, p) of kinds (p,), numbered from 0 on, and targets (n,).

        Those of the kind `unscaled` are taken as they are. Raises InputError for more than 5000 rows.
        """
        if len(inputs) > _MAX_ROWS:
            raise InputError(f"a Gaussian process of {len(inputs)} rows is too large; learn with --learner boosting")
        kinds = np.asarray(kinds, dtype=np.float64)
        as_it_is = kinds == unscaled
        deviation = inputs.std(axis=0)
        scale = np.where(as_it_is | (deviation == 0), 1.0, deviation)
        mean = np.where(as_it_is, 0.0, inputs.mean(axis=0))
        rows = (inputs - mean) / scale
        offset, spread = float(target.mean()), float(target.std()) or 1.0
        standard = (target - offset) / spread
        columns = np.bincount(kinds.astype(int))
        start = [
            0.0 if kind == unscaled else float(np.log(3 * max(n, 1) ** 0.5)) for kind, n in enumerate(columns.tolist())
        ]
        parameters = _maximise_likelihood(_squares(rows, rows, kinds), standard, start)
        return cls(
            mean=mean,
            scale=scale,
            rows=rows,
            target=standard,
            offset=offset,
            spread_of_target=spread,
            log_lengths=parameters[:-2],
            log_variance=float(parameters[-2]),
            log_noise=float(parameters[-1]),
            kinds=kinds,
        )

    def centre(self, inputs: Array) -> Array:
        """Mean (m,) of the process for inputs (m, p)."""
        _, weights = self._solved
        parts = np.array_split(inputs, -(-len(inputs) // _ROWS_AT_ONCE))
        return self.offset + self.spread_of_target * np.concatenate([self._cross(part) @ weights for part in parts])

    def spread(self, inputs: Array) -> Array:
        """Standard deviation (m,) of a new measurement for inputs (m, p)."""
        factor, _ = self._solved
        cross = self._cross(inputs)
        explained = np.einsum("ij,ji->i", cross, cho_solve(factor, cross.T))
        variance = np.maximum(np.exp(self.log_variance) - explained, 0.0) + np.exp(self.log_noise)
        return np.asarray(self.spread_of_target * np.sqrt(variance))

    def _cross(self, inputs: Array) -> Array:
        """Covariance (m, n) of the function between inputs and rows."""
        scaled = (inputs - self.mean) / self.scale
        radius2 = _radius2(_squares(scaled, self.rows, self.kinds), self.log_lengths)
        return np.asarray(np.exp(self.log_variance) * _matern(radius2))

    @cached_property
    def _solved(self) -> tuple[tuple[Array, bool], Array]:
        kernel = np.exp(self.log_variance) * _matern(
            _radius2(_squares(self.rows, self.rows, self.kinds), self.log_lengths)
        )
        kernel[np.diag_indices_from(kernel)] += np.exp(self.log_noise)
        factor = cho_factor(kernel, lower=True)
        return factor, cho_solve(factor, self.target)

    def arrays(self) -> dict[str, Array]:
        """Arrays by name from which `from_arrays` makes the same process."""
        numbers = np.array([self.offset, self.spread_of_target, self.log_variance, self.log_noise])
        return {name: np.asarray(getattr(self, name)) for name in _ARRAYS} | {"numbers": numbers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Make a process from its `arrays`."""
        parts = {name: arrays[name] for name in _ARRAYS}
        offset, spread, log_variance, log_noise = (float(number) for number in arrays["numbers"])
        return cls(**parts, offset=offset, spread_of_target=spread, log_variance=log_variance, log_noise=log_noise)


def _squares(a: Array, b: Array, kinds: Array) -> list[Array]:
    """Squared distances (n, m) of every kind of input."""
    squares_by_kind = []
    for kind in range(int(kinds.max()) + 1):
        left, right = a[:, kinds == kind], b[:, kinds == kind]
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2 * left @ right.T
        squares_by_kind.append(np.maximum(squares, 0.0))
    return squares_by_kind


def _radius2(squares: Sequence[Array], log_lengths: Array) -> Array:
    return np.asarray(sum(np.exp(-2 * length) * part for length, part in zip(log_lengths, squares, strict=True)))


def _matern(radius2: Array) -> Array:
    scaled = np.sqrt(3 * radius2)
    return np.asarray((1 + scaled) * np.exp(-scaled))


def _maximise_likelihood(squares: Sequence[Array], target: Array, log_lengths: Sequence[float]) -> Array:
    """Natural logarithms of the lengths, of the variance and of that of the noise."""
    n = len(target)
    start = np.array([*log_lengths, 1.0, -3.0])
    bounds = [_LOG_LENGTH] * len(log_lengths) + [_LOG_VARIANCE, _LOG_NOISE]

    def loss(parameters: Array) -> tuple[float, Array]:
        """Negative logarithm of the marginal likelihood and its gradient."""
        radius2 = _radius2(squares, parameters[:-2])
        variance, noise = np.exp(parameters[-2:])
        function = variance * _matern(radius2)
        factor = cho_factor(function + noise * np.eye(n), lower=True)
        inverse = cho_solve(factor, np.eye(n))
        weights = inverse @ target
        outer = inverse - np.outer(weights, weights)
        slope = outer * (-1.5 * variance * np.exp(-np.sqrt(3 * radius2)))
        lengths = [-np.exp(-2 * p) * float((slope * part).sum()) for p, part in zip(parameters, squares, strict=False)]
        gradient = [*lengths, 0.5 * float((outer * function).sum()), 0.5 * noise * float(np.trace(outer))]
        value = 0.5 * float(target @ weights) + float(np.log(np.diag(factor[0])).sum())
        return value, np.array(gradient)

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
