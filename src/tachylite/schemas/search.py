"""The state of a volume search between two rounds of simulation."""

from typing import Self

from tachylite.measured import FrozenModel
from tachylite.schemas.material import VolumeSample
from tachylite.schemas.run import State


class Search(FrozenModel):
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

    def start_for(self, volume_a3: float) -> tuple[State, bool]:
        """A state scaled to a volume in A^3, velocities kept, and whether it is reached by expansion.

        The nearest denser state without cavities where there is one, else the nearest of all.
        """
        clean = [
            state
            for state, sample in zip(self.states, self.samples, strict=True)
            if sample.expanded and state.volume_a3 <= volume_a3 * (1 + 1e-6)
        ]
        candidates = clean or self.states or ([self.start] if self.start else [])
        nearest = min(reversed(candidates), key=lambda s: abs(s.volume_a3 / volume_a3 - 1))
        return nearest.scaled_to(volume_a3), bool(clean)

    def extended(self, **changes: object) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=changes)
