"""SISSO: sure independence screening and sparsifying operator, for formulas from tables."""

from tachylite.learning.sisso.fit import SissoSettings, count_features, fit_sisso
from tachylite.learning.sisso.model import SissoModel, load_models, save_models
from tachylite.learning.sisso.validation import ChosenModel, choose_sisso, cross_validate

__all__ = [
    "ChosenModel",
    "SissoModel",
    "SissoSettings",
    "choose_sisso",
    "count_features",
    "cross_validate",
    "fit_sisso",
    "load_models",
    "save_models",
]
