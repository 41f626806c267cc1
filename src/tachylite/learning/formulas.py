"""Formulas for the target of a dataset: SISSO over descriptors and 1/kT, scored on compositions it has not seen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.sisso import SissoModel, SissoSettings, cross_validate, fit_sisso
from tachylite.learning.sisso.model import describe_model, model_from
from tachylite.learning.sisso.space import varies
from tachylite.learning.splits import split_rows
from tachylite.learning.tables import DIFFUSIVITY
from tachylite.schemas.learning import SymbolicFormula
from tachylite.units import KB_EV

INVERSE_TEMPERATURE = "inverse_kbT"
"""Name of the column 1/kT, in 1/eV."""

CANDIDATES = (
    SissoSettings(dimension=4, rung=0, subspace=43),
    SissoSettings(dimension=4, rung=1),
    SissoSettings(dimension=3, rung=2, residuals=5),
)
"""Plain columns, operators applied once, and twice."""

_CM2_S = 1e-3
"""The unit of the diffusivities of a dataset, in cm^2/s."""


def find_formulas(dataset: Dataset, tell: Callable[[str], None] = lambda line: None) -> list[SymbolicFormula]:
    """Find formulas of every rung and dimension, those with the least error on held-out compositions first.

    They give ln D (D in cm^2/s), the logarithm of another target, or, where it has values that are not positive,
    the target itself. `tell` hears what is done. Raises InputError as `fit_sisso` does.
    """
    columns = np.column_stack([dataset.features, 1 / (KB_EV * dataset.temperature_k)])
    used = np.flatnonzero(varies(columns.T))
    names = [(*dataset.names, INVERSE_TEMPERATURE)[index] for index in used]
    units = [(*dataset.units, "1/eV")[index] for index in used]
    table = columns[:, used]
    name, target = _learned(dataset)
    folds = split_rows(dataset, "composition")
    found = []
    for candidate in CANDIDATES:
        settings = replace(candidate, dimension=min(candidate.dimension, len(names)))
        tell(f"formulas of rung {settings.rung}")
        errors = cross_validate(table, target, names, units, folds, settings)
        models = fit_sisso(table, target, names, units, settings)
        for model, error in zip(models, errors, strict=False):
            found.append(
                SymbolicFormula(
                    target=name,
                    rung=settings.rung,
                    held_out_rmse=float(error) if np.isfinite(error) else None,
                    **describe_model(model),
                )
            )

    def place(one: SymbolicFormula) -> tuple[float, int, int]:
        error = np.inf if one.held_out_rmse is None else one.held_out_rmse
        # what differs by rounding is equal, and the simpler one comes first
        return float(np.round(error / target.std(), 9)), one.rung, one.dimension

    return sorted(found, key=place)


def models_of(formulas: list[SymbolicFormula]) -> tuple[SissoModel, ...]:
    """What computes with them, for `save_models`."""
    return tuple(model_from(one.model_dump()) for one in formulas)


def _learned(dataset: Dataset) -> tuple[str, Array]:
    """Name and values (n,) of what the formulas give."""
    if dataset.target.min() <= 0:
        return dataset.target_name, dataset.target
    unit = _CM2_S if dataset.target_name == DIFFUSIVITY else 1.0
    return f"ln {dataset.target_name}", np.log(unit * dataset.target)
