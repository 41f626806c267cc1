"""Symbolic regression of the target of a dataset: SISSO over descriptors and 1/kT, scored on new compositions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.learning.sisso import SissoModel, SissoSettings, cross_validate, fit_sisso
from tachylite.learning.sisso.model import model_from_dict, model_to_dict
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


def find_formulas(dataset: Dataset, log: Callable[[str], None] = lambda line: None) -> list[SymbolicFormula]:
    """Find formulas of every rung and dimension, those with the least error on held-out compositions first.

    They give ln D (D in cm^2/s), the logarithm of another target, or, where it has values that are not positive,
    the target itself. `log` is called with a line before each step. Raises InputError as `fit_sisso` does.
    """
    columns = np.column_stack([dataset.features, 1 / (KB_EV * dataset.temperature_k)])
    used = np.flatnonzero(varies(columns.T))
    names = [(*dataset.names, INVERSE_TEMPERATURE)[index] for index in used]
    units = [(*dataset.units, "1/eV")[index] for index in used]
    table = columns[:, used]
    name, target = _formula_target(dataset)
    folds = split_rows(dataset, "composition")
    formulas = []
    for candidate in CANDIDATES:
        settings = replace(candidate, dimension=min(candidate.dimension, len(names)))
        log(f"formulas of rung {settings.rung}")
        errors = cross_validate(table, target, names, units, folds, settings)
        models = fit_sisso(table, target, names, units, settings)
        for model, error in zip(models, errors, strict=False):
            formulas.append(
                SymbolicFormula(
                    target=name,
                    rung=settings.rung,
                    held_out_rmse=float(error) if np.isfinite(error) else None,
                    **model_to_dict(model),
                )
            )

    def rank(formula: SymbolicFormula) -> tuple[float, int, int]:
        error = np.inf if formula.held_out_rmse is None else formula.held_out_rmse
        # errors that differ by rounding are equal, and the simpler formula comes first
        return float(np.round(error / target.std(), 9)), formula.rung, formula.dimension

    return sorted(formulas, key=rank)


def sisso_models(formulas: list[SymbolicFormula]) -> tuple[SissoModel, ...]:
    """SISSO models of formulas, which compute with them and which `save_models` writes."""
    return tuple(model_from_dict(formula.model_dump()) for formula in formulas)


def _formula_target(dataset: Dataset) -> tuple[str, Array]:
    """Name and values (n,) of the quantity that the formulas give."""
    if dataset.target.min() <= 0:
        return dataset.target_name, dataset.target
    unit = _CM2_S if dataset.target_name == DIFFUSIVITY else 1.0
    return f"ln {dataset.target_name}", np.log(unit * dataset.target)
