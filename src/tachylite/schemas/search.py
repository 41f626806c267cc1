"""The state of a volume search between two rounds of simulation."""

from typing import Self

from tachylite.schemas.base import Frozen
from tachylite.schemas.material import VolumeSample
from tachylite.schemas.run import State


class Search(Frozen):
    """One member's search: what was asked for and what the runs have given so far."""

    label: str
    temperature_k: float
    start: State | None
    """None where an earlier stage left nothing to start from."""
    samples: list[VolumeSample] = []
    states: list[State] = []
    """Last state of each sample."""
    failed_volumes_a3: list[float] = []
    """Volumes at which the run failed."""
    failure: str | None = None
    """Why the search cannot go on, whatever it would decide."""

    def nearest_state(self, volume_a3: float) -> State:
        """Scale the sampled state nearest in volume (or the start) to a volume in A^3; velocities stay."""
        candidates = self.states or ([self.start] if self.start else [])
        nearest = min(candidates, key=lambda s: abs(s.volume_a3 / volume_a3 - 1))
        return nearest.scaled_to(volume_a3)

    def extended(self, **changes: object) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=changes)
