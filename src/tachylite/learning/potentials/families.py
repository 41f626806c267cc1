"""The families of potentials that can be trained, by the names of their engines, and what each offers."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from tachylite.errors import InputError
from tachylite.schemas.evaluation import LabelledFrame

type Report = Callable[[int, int, float], None]
"""Called with the steps or epochs done, all of them, and an error of the forces in eV/A."""


class Trainer(Protocol):
    """Settings of one family; how its potentials are trained."""

    def train(
        self,
        frames: Sequence[LabelledFrame],
        elements: Sequence[str],
        folder: Path,
        *,
        seed: int,
        start: Path | None = None,
        report: Report = ...,
    ) -> Path:
        """Train on labelled frames and give the file of the potential, in the folder; stopped, it goes on."""

    def model_dump(self) -> dict[str, float | int | str]:
        """The settings by name."""


FAMILIES = {
    "chgnet": "tachylite.learning.potentials.chgnet:ChgnetTraining",
    "nep": "tachylite.learning.potentials.nep:NepTraining",
    "sevennet": "tachylite.learning.potentials.sevennet:SevennetTraining",
}
"""The settings of each, which train."""

PACKAGES = {"chgnet": ("chgnet",), "nep": ("neppo", "calorine"), "sevennet": ("sevenn",)}
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
