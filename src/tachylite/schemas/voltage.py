"""Voltages of several independent cells of one host."""

from typing import Literal

from tachylite.measured import FrozenModel, Measured
from tachylite.physics.thermodynamics.voltage import VoltageStep
from tachylite.schemas.base import Document


class MeanVoltage(FrozenModel):
    """The mean voltage between two contents, over independent cells."""

    content_low: float
    content_high: float
    voltage_v: Measured
    """With the standard error over the cells; infinite for one."""
    scatter_v: float | None
    """Standard deviation over the cells; None for one."""


class VoltageEnsemble(Document):
    """Voltages of independent cells of one host: one kind of order, steps of one name, one level of theory."""

    kind: Literal["voltage_ensemble"] = "voltage_ensemble"
    element: str
    host: str
    order: Literal["amorphous", "crystalline", "not decided"]
    """Of the cells at their first content."""
    step: str
    level: str
    material_ids: list[str]
    steps: list[MeanVoltage]
    """Between neighbouring contents that all cells have."""
    average: MeanVoltage | None
    """Between the smallest and the largest of these."""
    plateaus: list[VoltageStep]
    """Along the convex hull of the lowest energies at these contents."""
    over_crystal: Measured | None = None
    """Mean voltage over that of the crystal between the same contents, where the same step gave one."""

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self.material_ids)
