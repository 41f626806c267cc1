"""What ends a member before its time: the run would go on, but its numbers would mean nothing."""

from dataclasses import dataclass

import torch

from tachylite.engines.batch import Batch, closest_approach, degrees_of_freedom, kinetic_energy
from tachylite.units import KB_EV


@dataclass(frozen=True)
class Limits:
    """Bounds of a healthy member."""

    temperature_factor: float = 3.0
    """Times the highest target temperature of the request, and at least `temperature_margin_k` above it."""
    temperature_margin_k: float = 3000.0
    closest_approach_a: float = 0.5
    """The shortest bond in nature, H-H, has 0.74 A."""


def ailing(batch: Batch, limits: Limits) -> dict[int, str]:
    """Members (by position in the state) that must end, each with its reason."""
    reasons: dict[int, str] = {}
    temperatures = (2 * kinetic_energy(batch) / degrees_of_freedom(batch) / KB_EV).tolist()
    finite = _finite(batch).tolist()
    closest = closest_approach(batch)
    for index, member in enumerate(batch.members):
        target = max(t for s in batch.requests[member].segments for t in (s.temperature_k, s.end_temperature_k) if t)
        highest = max(limits.temperature_factor * target, target + limits.temperature_margin_k)
        when = f"at step {batch.step} of segment {batch.segment + 1}"
        if not finite[index]:
            reasons[index] = f"diverged: a force or position is not finite {when}"
        elif closest[index] < limits.closest_approach_a:
            reasons[index] = f"overlapping atoms: two are {closest[index]:.2f} A apart {when}"
        elif temperatures[index] > highest:
            reasons[index] = f"temperature runaway: {temperatures[index]:.0f} K instead of {target:.0f} K {when}"
    return reasons


def _finite(batch: Batch) -> torch.Tensor:
    state = batch.state
    bad_atoms = ~(torch.isfinite(state.forces) & torch.isfinite(state.positions)).all(dim=1)
    bad = torch.zeros(state.n_systems, dtype=torch.int64, device=state.device)
    bad.index_add_(0, state.system_idx, bad_atoms.to(torch.int64))
    return (bad == 0) & torch.isfinite(state.energy)
