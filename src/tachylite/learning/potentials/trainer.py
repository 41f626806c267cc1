"""What every way to train a potential offers, and the ways there are."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

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
