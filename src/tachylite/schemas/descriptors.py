"""The descriptors of simulated states, stored so that those of a trajectory are computed once."""

from typing import Literal

from tachylite.measured import FrozenModel
from tachylite.schemas.base import Document


class StateDescriptors(FrozenModel):
    """The descriptors of a liquid or annealed state, or the reason why it has none."""

    trajectory_id: str | None
    """SHA-256 of the trajectory; None where they are those of the last frame."""
    formula: str
    temperature_k: float
    n_frames: int = 0
    values: dict[str, float] = {}
    """Means over the frames by the names of the descriptors, in their units."""
    errors: dict[str, float | None] = {}
    """Standard errors of the means; None where a single frame says nothing of them."""
    reason: str | None = None


class DescriptorSet(Document):
    """Descriptors of several states, all around one mobile element, in one convention and by the same code."""

    kind: Literal["descriptions"] = "descriptions"
    species: str
    """The mobile element."""
    convention: Literal["exact", "zheng2024"]
    version: str
    """Of tachylite."""
    fingerprint: str | None = None
    """Of the code and data that computed them; None in documents of versions before it was stored."""
    states: list[StateDescriptors]
    lacking: list[str]
    """Trajectories whose descriptors were to be computed and that the store does not hold."""
