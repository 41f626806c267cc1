"""The SISSO method: screening on residuals and exact L0 regression in turn, for growing dimension."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.expression import Expression, check_name
from tachylite.learning.sisso.l0 import Subset, best_subsets
from tachylite.learning.sisso.model import SissoModel
from tachylite.learning.sisso.operators import OPERATORS
from tachylite.learning.sisso.screening import Screening
from tachylite.learning.sisso.space import MAGNITUDES, FeatureSpace, next_rung, varies, without_duplicates
from tachylite.learning.sisso.units import parse_unit

_MAX_RUNG = 2
_EXACT = 1e-10
"""Root mean square error over standard deviation of the target below which nothing is left to explain."""


@dataclass(frozen=True)
class SissoSettings:
    """Settings of a fit; the reference code's name of each in brackets.

    Raises InputError for values that make no sense.
    """

    dimension: int = 3
    """Largest number of descriptors [desc_dim]."""
    rung: int = 1
    """How often operators are applied to all features; 0 to 2."""
    operators: tuple[str, ...] = ("+", "-", "*", "/", "exp", "exp-", "^-1", "^2", "^3", "log", "^6")
    """Operators of feature construction [ops]."""
    complexity: int = 3
    """Largest number of operators in a feature [fcomplexity]."""
    subspace: int = 50
    """Features screened for every dimension [nf_sis]."""
    residuals: int = 1
    """Models of one dimension whose residuals the next screening looks at."""
    smallest: float = 1e-3
    """A descriptor with a smaller maximum of its absolute value is not screened [fmax_min]."""
    largest: float = 1e5
    """A descriptor with a larger maximum is not screened either [fmax_max]."""

    def __post_init__(self) -> None:
        unknown = [symbol for symbol in self.operators if symbol not in OPERATORS]
        if unknown:
            raise InputError(f"unknown operator {' '.join(unknown)}; choose from {' '.join(OPERATORS)}")
        if len(set(self.operators)) < len(self.operators):
            raise InputError(f"an operator is named twice in {' '.join(self.operators)}")
        if not 0 <= self.rung <= _MAX_RUNG:
            raise InputError(f"rung is {self.rung}; it must be 0, 1 or {_MAX_RUNG}")
        for name in ("dimension", "subspace", "residuals"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.complexity < 0:
            raise InputError(f"complexity is {self.complexity}; it must be at least 0")
        low, high = MAGNITUDES
        if not low <= self.smallest < self.largest <= high:
            raise InputError(
                f"smallest is {self.smallest:g} and largest {self.largest:g}; {low:g} <= smallest < largest <= {high:g}"
            )


def fit_sisso(
    features: ArrayLike,
    target: ArrayLike,
    names: Sequence[str],
    units: Sequence[str],
    settings: SissoSettings | None = None,
) -> tuple[SissoModel, ...]:
    """Find the best models of one, two, ... descriptors (Ouyang et al. 2018, 10.1103/PhysRevMaterials.2.083802).

    For dimension d, the features that correlate best with what the model of dimension d - 1 leaves are added to
    those screened before, and the best subset of d of all of them is found by complete enumeration. Where the
    whole space has been screened this is the exact L0 model.

    `features` (rows, columns) with `names` and `units` (see `parse_unit`), `target` (rows,). The models come in
    the order of their dimension; there are fewer than `dimension` where one of them leaves no residual. The result
    is the same in every run. Raises InputError for columns that are constant, not finite, not uniquely named, or
    in an unknown unit, for too few rows or features, and for spaces that are too large.
    """
    settings = settings or SissoSettings()
    columns, y = _check_table(features, target, names, units, settings.dimension)
    space = FeatureSpace(tuple(Expression(check_name(name)) for name in names), tuple(map(parse_unit, units)), columns)
    screening = _screening(without_duplicates(space), settings)
    expressions: list[Expression] = []
    values = np.empty((0, len(y)))
    residuals = y[None] - y.mean()
    models: list[SissoModel] = []
    for dimension in range(1, settings.dimension + 1):
        subspace = screening.select(residuals, settings.subspace, values)
        expressions += subspace.expressions
        values = np.concatenate([values, subspace.values])
        subsets = best_subsets(values, y, dimension, settings.residuals)
        if not subsets:
            raise InputError(
                f"{len(expressions)} features between {settings.smallest:g} and {settings.largest:g} make no model of "
                f"dimension {dimension}; give more features, a higher rung, or a lower dimension"
            )
        models.append(_model(subsets[0], expressions, values, y, dict(zip(names, units, strict=True))))
        residuals = np.stack([y - _predicted(subset, values) for subset in subsets])
        if models[-1].rmse < _EXACT * y.std():
            break
    return tuple(models)


def count_features(
    features: ArrayLike, names: Sequence[str], units: Sequence[str], settings: SissoSettings
) -> tuple[int, int]:
    """Numbers of features that the last rung is built on, and of candidates that are screened with it."""
    values = np.ascontiguousarray(np.asarray(features, dtype=np.float64).T)
    space = FeatureSpace(tuple(map(Expression, names)), tuple(map(parse_unit, units)), values)
    screening = _screening(without_duplicates(space), settings)
    return len(screening.space.expressions), screening.count()


def _screening(space: FeatureSpace, settings: SissoSettings) -> Screening:
    for _ in range(settings.rung - 1):
        space = next_rung(space, settings.operators, settings.complexity)
    operators = settings.operators if settings.rung else ()
    return Screening(space, operators, settings.complexity, settings.smallest, settings.largest)


def _check_table(
    features: ArrayLike, target: ArrayLike, names: Sequence[str], units: Sequence[str], dimension: int
) -> tuple[Array, Array]:
    """Columns (columns, rows) and the target, finite, varying and enough of them."""
    try:
        table, y = np.asarray(features, dtype=np.float64), np.asarray(target, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"features and target must be numbers: {error}") from error
    if table.ndim != 2 or y.shape != table.shape[:1]:
        raise InputError(f"features have the shape {table.shape} and the target {y.shape}; (n, p) and (n,) are needed")
    if not table.shape[1] == len(names) == len(units) or not len(names):
        raise InputError(f"{table.shape[1]} columns, {len(names)} names and {len(units)} units; one of each is needed")
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise InputError(f"feature {', '.join(repeated)} is named more than once; give every column its own name")
    if len(y) < dimension + 2:
        raise InputError(f"{len(y)} rows are too few for dimension {dimension}; {dimension + 2} are needed")
    for name, column in zip((*names, "target"), (*table.T, y), strict=True):
        if not np.isfinite(column).all():
            raise InputError(f"{name} has no number in row {int(np.flatnonzero(~np.isfinite(column))[0])}")
        if not varies(column[None])[0]:
            raise InputError(f"{name} is {column[0]:g} in every row, so nothing can be learned from it; leave it out")
    return np.ascontiguousarray(table.T), y


def _predicted(subset: Subset, values: Array) -> Array:
    return np.asarray(subset.intercept + np.array(subset.coefficients) @ values[list(subset.features)])


def _model(
    subset: Subset, expressions: Sequence[Expression], values: Array, y: Array, units: Mapping[str, str]
) -> SissoModel:
    error = y - _predicted(subset, values)
    descriptors = tuple(expressions[index] for index in subset.features)
    used = frozenset().union(*(descriptor.names for descriptor in descriptors))
    return SissoModel(
        descriptors=descriptors,
        coefficients=subset.coefficients,
        intercept=subset.intercept,
        rmse=subset.rmse,
        max_ae=float(np.abs(error).max()),
        r2=float(1 - np.mean(error**2) / y.var()),
        rows=len(y),
        units={name: str(parse_unit(units[name])) for name in sorted(used)},
    )
