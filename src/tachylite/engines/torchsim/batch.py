"""A batch of members in molecular dynamics: who they are, how far they are, and their states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
import torch_sim
from numpy.typing import NDArray
from torch import Tensor

from tachylite.engines.torchsim.thermal_noise import Noise, RescalingNoise
from tachylite.schemas import Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, KB_EV

TIME_UNIT_FS = EV_PER_U_A2_FS2**0.5
"""TorchSim's unit of time, A sqrt(u/eV), in fs."""

CHAIN_PARTS = ("positions", "momenta", "masses", "tau", "kinetic_energy", "degrees_of_freedom")
"""Of a Nose-Hoover chain, one value for every member."""


class Potential(Protocol):
    """Interface of a potential: a TorchSim ModelInterface with a cache that can be cleared."""

    @property
    def device(self) -> torch.device:
        """Device on which it computes."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of its results."""

    def __call__(self, state: Any) -> dict[str, Tensor]:
        """Energy, forces and stress of a state."""

    def reset(self) -> None:
        """Clear cached neighbours, so that results do not depend on earlier calls."""


class PotentialWithStress:
    """A potential that keeps the stress of its last call, as TorchSim's integrators keep energy and forces only."""

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self.device = potential.device
        self.dtype = potential.dtype
        self.reset = potential.reset
        self.stress = torch.empty(0)

    def __call__(self, state: Any) -> dict[str, Tensor]:
        """Energy, forces and stress of a state."""
        result = self.potential(state)
        self.stress = result["stress"]
        return result

    def probe(self, state: Any) -> dict[str, Tensor]:
        """Energy, forces and stress of a state beside the trajectory, which leaves no trace."""
        self.reset()
        result = self.potential(state)
        self.reset()
        return result

    @property
    def reasons(self) -> Mapping[int, str]:
        """Why members have NaN since the last call, by their position in the batch, where the potential knows."""
        return getattr(self.potential, "reasons", {})


@dataclass
class Batch:
    """Members that are being integrated together, and how far they are.

    `members` are positions in the list of requests, without those that failed.
    """

    requests: list[Request]
    members: list[int]
    state: Any
    segment: int = 0
    step: int = 0
    """Steps done in the current segment."""
    failures: dict[int, str] = field(default_factory=dict)
    last_good: dict[int, tuple[State, int]] = field(default_factory=dict)
    """Last good states of members that failed, with the steps done until then."""
    cell_rates: Tensor | None = None
    """Compressibility over relaxation time of every member's cell, in TorchSim's units; None at constant volume."""

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Recompute what depends on the members and the segment."""
        segments = [self.requests[m].segments[self.segment] for m in self.members]
        ends = [(s.temperature_k, s.end_temperature_k or s.temperature_k) for s in segments]
        self._ends_k = torch.tensor(ends, dtype=torch.float64, device=self.state.device).reshape(-1, 2)
        self.sizes: Tensor = self.state.n_atoms_per_system
        """Atoms of every member."""
        pressures = [s.pressure_gpa or 0.0 for s in segments]
        self.pressures_gpa = torch.tensor(pressures, dtype=self.state.dtype, device=self.state.device)
        """Pressure of every member at constant pressure."""
        drifts = self.schedule.thermostat == "langevin" and self.constant_volume
        # a Langevin thermostat also moves the cell as a whole
        self.freedoms = (3 * self.sizes - (0 if drifts else 3)).clamp(min=1)
        """Degrees of freedom of every member."""
        sizes = [len(self.requests[m].state.numbers) for m in self.members]
        seeds = [self.requests[m].seed for m in self.members]
        self.noise = Noise(seeds, sizes, self.state.device, self.state.dtype)
        self.cell_noise = RescalingNoise(seeds, sizes, self.state.device, self.state.dtype)

    @property
    def schedule(self) -> Segment:
        """The current segment of the first request; those of the others differ in temperature and pressure only."""
        return self.requests[0].segments[self.segment]

    @property
    def constant_volume(self) -> bool:
        """Whether the cells stay as they are in this segment."""
        return self.schedule.pressure_gpa is None

    @property
    def done(self) -> int:
        """Steps done in all segments."""
        return sum(s.steps for s in self.requests[0].segments[: self.segment]) + self.step

    @property
    def total(self) -> int:
        """Steps of all segments."""
        return sum(s.steps for s in self.requests[0].segments)

    def target_k(self, step: int) -> Tensor:
        """Target temperature of every member in K at a step of the segment."""
        fraction = step / (self.schedule.steps - 1) if self.schedule.steps > 1 else 1.0
        begin, end = self._ends_k.unbind(dim=1)
        return begin + fraction * (end - begin)

    def target_ev(self, step: int) -> Tensor:
        """Target temperature of every member as k T in eV."""
        return self.target_k(step).to(self.state.dtype) * KB_EV

    def targets_k(self, count: int) -> NDArray[np.float64]:
        """Target temperatures (count, n_members) in K of the last steps."""
        begin, end = self._ends_k.cpu().numpy().T
        steps = np.arange(self.step - count, self.step)[:, None]
        fractions = steps / (self.schedule.steps - 1) if self.schedule.steps > 1 else np.ones((count, 1))
        return np.asarray(begin + fractions * (end - begin))


def highest_target_k(request: Request) -> float:
    """Highest target temperature of any segment, in K."""
    return max(max(s.temperature_k, s.end_temperature_k or 0.0) for s in request.segments)


def kinetic_energy(batch: Batch) -> Tensor:
    """Kinetic energy of every member, (n_members,) in eV."""
    state = batch.state
    energy: Tensor = torch_sim.calc_kinetic_energy(
        masses=state.masses, momenta=state.momenta, system_idx=state.system_idx
    )
    return energy


def state_of(batch: Batch, index: int, positions: Tensor, momenta: Tensor, cells: Tensor) -> State:
    """State of one member, from positions and momenta of all atoms of the batch and cells (rows) of all members."""
    state = batch.state
    mask = state.system_idx == index
    velocities = (momenta[mask] / state.masses[mask][:, None] / TIME_UNIT_FS).cpu().numpy()
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=positions[mask].tolist(),
        cell=cells[index].tolist(),
        velocities=velocities.tolist(),
    )


def remove_members(batch: Batch, reasons: dict[int, str], potential: PotentialWithStress) -> None:
    """Remove members (by position in the state) from the batch, each with its reason."""
    for index, reason in reasons.items():
        batch.failures[batch.members[index]] = reason
    keep = [i for i in range(len(batch.members)) if i not in reasons]
    batch.members = [batch.members[i] for i in keep]
    if not keep:
        return
    chain = getattr(batch.state, "chain", None)
    batch.state = batch.state[keep]
    if chain is not None:  # global to the state in TorchSim, so slicing leaves it whole
        batch.state.chain = type(chain)(**{name: getattr(chain, name)[keep] for name in CHAIN_PARTS})
    potential.stress = potential.stress[keep]
    batch.cell_rates = None if batch.cell_rates is None else batch.cell_rates[keep]
    potential.reset()
    batch.refresh()
