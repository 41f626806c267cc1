"""The descriptors of states, kept so that every trajectory is described once."""

from typing import Literal

from tachylite.measured import FrozenModel
from tachylite.schemas.base import Document


class DescribedState(FrozenModel):
    """A melt or an anneal by its descriptors, or why it has none."""

    trajectory_id: str | None
    """None where the last frame was described."""
    formula: str
    temperature_k: float
    n_frames: int = 0
    values: dict[str, float] = {}
    """Means over the frames by the names of the descriptors, in their units."""
    errors: dict[str, float | None] = {}
    """Standard errors of the means; None where a single frame says nothing of them."""
    reason: str | None = None


class Descriptions(Document):
    """States that were described in one way, by one version."""

    kind: Literal["descriptions"] = "descriptions"
    species: str
    """The mobile element."""
    convention: Literal["exact", "zheng2024"]
    version: str
    """Of tachylite: another may describe otherwise."""
    states: list[DescribedState]
    lacking: list[str]
    """Trajectories that were to be described and that the store does not hold."""
