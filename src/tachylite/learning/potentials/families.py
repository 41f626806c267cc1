"""The families of potentials that can be trained, by the names of their engines."""

from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from tachylite.errors import InputError
from tachylite.learning.potentials.trainer import Trainer

FAMILIES = {
    "chgnet": "tachylite.learning.potentials.chgnet:ChgnetTraining",
    "nep": "tachylite.learning.potentials.nep:NepTraining",
}
"""The settings of each, which train."""

PACKAGES = {"chgnet": ("chgnet",), "nep": ("neppo", "calorine")}
"""Distributions whose versions its cards record."""


def get_trainer(family: str, settings: dict[str, Any]) -> Trainer:
    """The trainer of a family; InputError for a setting that it does not have, or a value that is not allowed."""
    module, name = FAMILIES[family].split(":")
    kind: type[BaseModel] = getattr(import_module(module), name)
    try:
        trainer: Any = kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        allowed = ", ".join(kind.model_fields)
        raise InputError(f"--setting {key}: {first['msg'].lower()}; settings of {family} are {allowed}") from None
    chosen: Trainer = trainer
    return chosen
