"""SISSO models: linear in a few formulas, readable, and evaluable without this package."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso.expression import Expression, parse_expression
from tachylite.learning.sisso.units import parse_unit

SCHEMA_VERSION = 1
_FORMAT = "tachylite SISSO models"


@dataclass(frozen=True)
class SissoModel:
    """target = intercept + sum of coefficient times descriptor, with the errors on the rows it was fitted to."""

    descriptors: tuple[Expression, ...]
    coefficients: tuple[float, ...]
    intercept: float
    rmse: float
    """Root mean square error, in the unit of the target."""
    max_ae: float
    """Largest absolute error, in the unit of the target."""
    r2: float
    """Coefficient of determination."""
    rows: int
    """Number of rows fitted."""
    units: Mapping[str, str]
    """Unit of every column that the descriptors need."""

    @property
    def dimension(self) -> int:
        """Number of descriptors."""
        return len(self.descriptors)

    @property
    def text(self) -> str:
        """The model as a Python expression of the column names and of numpy as `np`, with all digits."""
        parts = [repr(self.intercept)]
        for coefficient, descriptor in zip(self.coefficients, self.descriptors, strict=True):
            body = descriptor.text if descriptor.precedence > 2 else f"({descriptor.text})"
            parts += ["-" if coefficient < 0 else "+", f"{abs(coefficient)!r} * {body}"]
        return " ".join(parts)

    @property
    def latex(self) -> str:
        """The model in LaTeX, for math mode, with four digits."""
        parts = [_latex_number(self.intercept)]
        for coefficient, descriptor in zip(self.coefficients, self.descriptors, strict=True):
            body = rf"\left( {descriptor.latex} \right)" if descriptor.precedence == 1 else descriptor.latex
            parts += ["-" if coefficient < 0 else "+", rf"{_latex_number(abs(coefficient))} \, {body}"]
        return " ".join(parts)

    def predict(self, table: Mapping[str, ArrayLike]) -> Array:
        """Predict the target for rows of a table: a mapping of column names to values (n,), or a data frame.

        Raises InputError for a missing column, for values that are not finite numbers, and for a row in which a
        descriptor has no value.
        """
        names = sorted(self.units)
        missing = [name for name in names if name not in table]
        if missing:
            raise InputError(f"the table has no column {', '.join(missing)}; the model needs {', '.join(names)}")
        columns = {name: _numbers(name, table[name]) for name in names}
        if len({len(column) for column in columns.values()}) > 1:
            lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
            raise InputError(f"the columns differ in length: {lengths}")
        values = np.stack([descriptor.evaluate(columns) for descriptor in self.descriptors])
        return np.asarray(self.intercept + np.array(self.coefficients) @ values)


def save_models(models: Sequence[SissoModel], path: Path) -> None:
    """Write models as JSON; every formula is a numpy expression that can be used without this package."""
    path.write_text(
        json.dumps(
            {"format": _FORMAT, "schema_version": SCHEMA_VERSION, "models": [*map(model_to_dict, models)]}, indent=1
        )
        + "\n",
        encoding="utf-8",
    )


def load_models(path: Path) -> tuple[SissoModel, ...]:
    """Read models that `save_models` wrote; nothing in the file is executed.

    Raises InputError for a file of another kind, of a newer version, or with a formula that is not one of ours.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is '{content['format']}'")
        if content["schema_version"] > SCHEMA_VERSION:
            raise ValueError(f"its version {content['schema_version']} is newer than {SCHEMA_VERSION}")
        return tuple(model_from_dict(model) for model in content["models"])
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a file of SISSO models: {error}") from error


def model_to_dict(model: SissoModel) -> dict[str, Any]:
    """Give a model as JSON has it, for `model_from_dict`."""
    return {
        "dimension": model.dimension,
        "formula": model.text,
        "latex": model.latex,
        "intercept": model.intercept,
        "terms": [
            {"coefficient": coefficient, "descriptor": descriptor.text, "latex": descriptor.latex}
            for coefficient, descriptor in zip(model.coefficients, model.descriptors, strict=True)
        ],
        "units": dict(model.units),
        "rmse": model.rmse,
        "max_ae": model.max_ae,
        "r2": model.r2,
        "rows": model.rows,
    }


def model_from_dict(data: Mapping[str, Any]) -> SissoModel:
    """Make a model from what `model_to_dict` gave; InputError, ValueError or KeyError for anything else."""
    descriptors = tuple(parse_expression(term["descriptor"]) for term in data["terms"])
    units = {str(name): str(parse_unit(unit)) for name, unit in data["units"].items()}
    if units.keys() != frozenset().union(*(descriptor.names for descriptor in descriptors)):
        raise ValueError("its units are not those of the columns in its descriptors")
    return SissoModel(
        descriptors=descriptors,
        coefficients=tuple(float(term["coefficient"]) for term in data["terms"]),
        intercept=float(data["intercept"]),
        rmse=float(data["rmse"]),
        max_ae=float(data["max_ae"]),
        r2=float(data["r2"]),
        rows=int(data["rows"]),
        units=units,
    )


def _numbers(name: str, column: ArrayLike) -> Array:
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name} holds something that is not a number: {error}") from error
    if values.ndim != 1:
        raise InputError(f"column {name} has the shape {values.shape}; one number per row is needed")
    if not np.isfinite(values).all():
        raise InputError(f"column {name} has no number in row {int(np.flatnonzero(~np.isfinite(values))[0])}")
    return values


def _latex_number(value: float) -> str:
    digits, _, exponent = f"{value:.4g}".partition("e")
    return rf"{digits} \times 10^{{{int(exponent)}}}" if exponent else digits
