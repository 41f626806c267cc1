"""A property of the materials of a store over their composition."""

from typing import Literal

from tachylite.measured import FrozenModel
from tachylite.schemas.base import Document


class CompositionValue(FrozenModel):
    """The property at one composition."""

    formula: str
    fractions: dict[str, float]
    """Atomic fractions by element, zero for one that it lacks."""
    value: float
    error: float | None
    """Standard error over the samples; of one sample its own, None where it has none."""
    material_ids: list[str]
    """Of the samples."""


class CompositionMap(Document):
    """A property over all compositions of some elements that a store has."""

    kind: Literal["composition_map"] = "composition_map"
    elements: list[str]
    column: str
    """As in the table of the store: `slow_density_g_cm3`."""
    values: list[CompositionValue]
