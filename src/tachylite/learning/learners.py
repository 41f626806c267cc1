"""The learners: how each is fitted, and the settings that its tuning chooses from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.gaussian_process import GaussianProcess
from tachylite.learning.inputs import Inputs
from tachylite.learning.trees import Trees, grow_boosted, grow_forest
from tachylite.units import KB_EV

type Kind = Literal["forest", "boosting", "gp"]
type Transform = Literal["none", "square root", "signed square root", "logarithm"]


class Predictor(Protocol):
    """The regression inside a fitted learner."""

    def centre(self, inputs: Array) -> Array:
        """Predicted values (m,) of inputs (m, p), in the transformed unit."""
        ...

    def spread(self, inputs: Array) -> Array:
        """Uncertainties (m,) of these, up to a common factor."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name that the predictor can be made from again."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One way to fit a learner."""

    transform: Transform
    """Function of the target that is learned."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the library that fits it."""
    elements: bool = True
    """Whether atomic fractions are among the inputs."""

    @property
    def text(self) -> str:
        """The candidate in words."""
        settings = [f"{key}={value}" for key, value in self.settings.items()]
        transform = [] if self.transform == "none" else [f"{self.transform} of the target"]
        return ", ".join([*transform, *settings]) or "target as it is"


@dataclass(frozen=True)
class Learner:
    """A kind of model with the candidates that its tuning compares."""

    name: str
    description: str
    kind: Kind
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class FittedModel:
    """A learner fitted to rows."""

    kind: Kind
    transform: Transform
    inputs: Inputs
    elements: bool
    predictor: Predictor

    def predict(self, matrix: Array) -> tuple[Array, Array]:
        """Centre and spread of rows (m, columns), in the transformed unit."""
        inputs = self._select_columns(matrix)
        return self.predictor.centre(inputs), self.predictor.spread(inputs)

    def value(self, matrix: Array) -> Array:
        """Predicted target of rows (m, columns)."""
        return inverse_transform(self.transform, self.predictor.centre(self._select_columns(matrix)))

    def _select_columns(self, matrix: Array) -> Array:
        columns = matrix if self.elements else matrix[:, : self.inputs.n_descriptor_columns]
        return with_inverse_temperature(columns) if self.kind == "gp" else columns


_PUBLISHED_BOOSTING = MappingProxyType({"n_estimators": 100, "max_depth": 4, "reg_alpha": 0.8, "learning_rate": 0.1})
_SLOW_BOOSTING = MappingProxyType(
    {
        "n_estimators": 600,
        "max_depth": 4,
        "learning_rate": 0.04,
        "subsample": 0.7,
        "colsample_bytree": 0.3,
        "min_child_weight": 3,
    }
)

LEARNERS: Mapping[str, Learner] = MappingProxyType(
    {
        learner.name: learner
        for learner in (
            Learner(
                "gp",
                "Gaussian process over descriptors, 1/kT and atomic fractions; the transform is tuned",
                "gp",
                (Candidate("square root"), Candidate("logarithm"), Candidate("none")),
            ),
            Learner(
                "boosting",
                "gradient boosted trees with atomic fractions, tuned",
                "boosting",
                (
                    Candidate("none", _PUBLISHED_BOOSTING),
                    Candidate("none", _SLOW_BOOSTING),
                    Candidate("square root", _SLOW_BOOSTING),
                ),
            ),
            Learner(
                "forest",
                "random forest with atomic fractions, tuned",
                "forest",
                (
                    Candidate("none", {"n_estimators": 100}),
                    Candidate("square root", {"n_estimators": 100}),
                ),
            ),
            Learner(
                "boosting-zheng2024",
                "gradient boosted trees with the published settings",
                "boosting",
                (Candidate("none", _PUBLISHED_BOOSTING, elements=False),),
            ),
            Learner(
                "forest-zheng2024",
                "random forest with the published settings",
                "forest",
                (Candidate("none", {"n_estimators": 100}, elements=False),),
            ),
        )
    }
)
"""By name; published settings from Zheng et al. 2024, DOI 10.1038/s41524-024-01469-2."""

_MAX_ROWS_OF_DEFAULT_GP = 2000
"""Its time grows with the cube of the rows: two minutes for 800 of them, so about half an hour for these."""

_FRACTIONS = 2
"""Atomic fractions as a kind of input of the process, beside 1/kT and descriptors."""

SEED = 62
"""The published seed."""


def default_learners(n_rows: int) -> tuple[str, ...]:
    """Names of the best learner that so many rows allow, and of the published ones to compare with."""
    return ("gp" if n_rows <= _MAX_ROWS_OF_DEFAULT_GP else "boosting", "boosting-zheng2024", "forest-zheng2024")


def get_learner(name: str) -> Learner:
    """Look a learner up; InputError, with their names, where there is none of this one."""
    if name not in LEARNERS:
        raise InputError(f"there is no learner '{name}'; choose from {', '.join(LEARNERS)}")
    return LEARNERS[name]


def fit(learner: Learner, candidate: Candidate, inputs: Inputs, matrix: Array, target: Array) -> FittedModel:
    """Fit a candidate to rows (n, columns) with targets (n,); InputError as of the predictors."""
    transformed = transform_target(candidate.transform, target)
    columns = matrix if candidate.elements else matrix[:, : inputs.n_descriptor_columns]
    predictor: Trees | GaussianProcess
    if learner.kind == "gp":
        n_descriptors, n_fractions = len(inputs.names), columns.shape[1] - inputs.n_descriptor_columns
        kinds = np.repeat([0, 1, _FRACTIONS], [1, n_descriptors, n_fractions])
        predictor = GaussianProcess.fit(with_inverse_temperature(columns), transformed, kinds, unscaled=_FRACTIONS)
    else:
        grow = grow_forest if learner.kind == "forest" else grow_boosted
        predictor = grow(columns, transformed, candidate.settings, SEED)
    return FittedModel(learner.kind, candidate.transform, inputs, candidate.elements, predictor)


def with_inverse_temperature(matrix: Array) -> Array:
    """Matrix (n, columns) with 1/kT in 1/eV in place of the temperature in K, which comes first."""
    return np.column_stack([1 / (KB_EV * matrix[:, 0]), matrix[:, 1:]])


def is_applicable(candidate: Candidate, target: Array) -> bool:
    """Whether the transform of a candidate has a value for every target (n,)."""
    least = float(target.min())
    transform = candidate.transform
    return least > 0 or transform in ("none", "signed square root") or (least == 0 and transform == "square root")


def transform_target(transform: Transform, target: Array) -> Array:
    """Transform targets (n,)."""
    if transform == "none":
        return target
    if transform == "signed square root":
        return np.sign(target) * np.sqrt(np.abs(target))
    return np.asarray(np.sqrt(target) if transform == "square root" else np.log(target))


def inverse_transform(transform: Transform, values: Array) -> Array:
    """Transform values (n,) back to targets; a negative square root gives 0."""
    if transform == "none":
        return values
    if transform == "signed square root":
        return values * np.abs(values)
    return np.asarray(np.maximum(values, 0.0) ** 2 if transform == "square root" else np.exp(values))
