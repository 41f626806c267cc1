"""A batch of members in molecular dynamics: start, time steps, segments, removal of members, checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
import torch_sim
from numpy.typing import NDArray
from torch import Tensor
from torch_sim.integrators import nve_step, nvt_nose_hoover_init, nvt_nose_hoover_step
from torch_sim.integrators.md import MDState

from tachylite.engines.torchsim.thermal_noise import VELOCITIES, Noise, draw, langevin_step
from tachylite.schemas import Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, KB_EV

TIME_UNIT_FS = EV_PER_U_A2_FS2**0.5
"""TorchSim's unit of time, A sqrt(u/eV), in fs."""

THERMOSTAT_TIME_FS = 100.0
"""Relaxation time of both thermostats."""


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

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Recompute what depends on the members and the segment."""
        segments = [self.requests[m].segments[self.segment] for m in self.members]
        ends = [(s.temperature_k, s.end_temperature_k or s.temperature_k) for s in segments]
        self._ends_k = torch.tensor(ends, dtype=torch.float64, device=self.state.device).reshape(-1, 2)
        self.sizes: Tensor = self.state.n_atoms_per_system
        """Atoms of every member."""
        # a Langevin thermostat also moves the cell as a whole
        self.freedoms = (3 * self.sizes - (0 if self.schedule.thermostat == "langevin" else 3)).clamp(min=1)
        """Degrees of freedom of every member."""
        sizes = [len(self.requests[m].state.numbers) for m in self.members]
        seeds = [self.requests[m].seed for m in self.members]
        self.noise = Noise(seeds, sizes, self.state.device, self.state.dtype)

    @property
    def schedule(self) -> Segment:
        """The current segment of the first request; those of the others differ in temperature only."""
        return self.requests[0].segments[self.segment]

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

    def targets_k(self, count: int) -> NDArray[np.float64]:
        """Target temperatures (count, n_members) in K of the last steps."""
        begin, end = self._ends_k.cpu().numpy().T
        steps = np.arange(self.step - count, self.step)[:, None]
        fractions = steps / (self.schedule.steps - 1) if self.schedule.steps > 1 else np.ones((count, 1))
        return np.asarray(begin + fractions * (end - begin))


def highest_target_k(request: Request) -> float:
    """Highest target temperature of any segment, in K."""
    return max(max(s.temperature_k, s.end_temperature_k or 0.0) for s in request.segments)


def start_batch(requests: list[Request], potential: PotentialWithStress) -> Batch:
    """Make a batch from requests, with random velocities where a request has none."""
    state = _bare_state([r.state for r in requests], potential)
    momenta = torch.cat([_momenta(r, state) for r in requests])
    result = potential(state)
    md_state = MDState.from_state(state, momenta=momenta, energy=result["energy"], forces=result["forces"])
    batch = Batch(requests=requests, members=list(range(len(requests))), state=md_state)
    _begin_segment(batch, potential)
    return batch


def _bare_state(states: list[State], potential: PotentialWithStress) -> Any:
    return torch_sim.initialize_state([s.atoms for s in states], device=potential.device, dtype=potential.dtype)


def _momenta(request: Request, state: Any) -> Tensor:
    """Momenta of the request, or random ones from the Maxwell-Boltzmann distribution at its first temperature."""
    masses = request.state.atoms.get_masses()[:, None]
    if request.state.velocities is not None:
        momenta = np.asarray(request.state.velocities) * TIME_UNIT_FS * masses
    else:
        normal = draw(request.seed, VELOCITIES, 1, len(masses))[0]
        momenta = np.sqrt(masses * KB_EV * request.segments[0].temperature_k) * normal
    return torch.as_tensor(momenta, dtype=state.dtype, device=state.device)


def begin_next_segment(batch: Batch, potential: PotentialWithStress) -> None:
    """Begin the following segment."""
    batch.segment, batch.step = batch.segment + 1, 0
    batch.refresh()
    _begin_segment(batch, potential)


def _begin_segment(batch: Batch, potential: PotentialWithStress) -> None:
    """Prepare the state for the thermostat of its segment; Nose-Hoover chains start at rest.

    A Langevin thermostat leaves the cell drifting as a whole, which the other thermostats would not remove.
    """
    state = batch.state
    if batch.schedule.thermostat != "langevin":
        state.momenta = state.momenta - state.masses[:, None] * _mean_velocity(state)[state.system_idx]
    if batch.schedule.thermostat == "nose-hoover":
        batch.state = _with_chain(batch, potential)


def _mean_velocity(state: Any) -> Tensor:
    total = torch.zeros((state.n_systems, 3), dtype=state.dtype, device=state.device)
    total.index_add_(0, state.system_idx, state.momenta)
    mass = torch.zeros(state.n_systems, dtype=state.dtype, device=state.device)
    mass.index_add_(0, state.system_idx, state.masses)
    return total / mass[:, None]


def _with_chain(batch: Batch, potential: PotentialWithStress) -> Any:
    return nvt_nose_hoover_init(
        batch.state,
        potential,  # type: ignore[arg-type]  # TorchSim uses no more of a model than this class has
        kT=batch.target_k(batch.step).to(batch.state.dtype) * KB_EV,
        dt=batch.schedule.timestep_fs / TIME_UNIT_FS,
        tau=THERMOSTAT_TIME_FS / TIME_UNIT_FS,
        # one substep integrates a chain fifty time steps slow to 1e-6, at a ninth of the default cost
        chain_steps=1,
        sy_steps=1,
    )


def take_step(batch: Batch, potential: PotentialWithStress) -> None:
    """Take one time step of every member."""
    timestep = torch.tensor(batch.schedule.timestep_fs / TIME_UNIT_FS, dtype=batch.state.dtype)
    thermal_energy = batch.target_k(batch.step).to(batch.state.dtype) * KB_EV
    match batch.schedule.thermostat:
        case "nose-hoover":
            batch.state = nvt_nose_hoover_step(batch.state, potential, dt=timestep, kT=thermal_energy)  # type: ignore[arg-type]  # TorchSim uses no more of a model than this class has
        case "langevin":
            friction, noise = TIME_UNIT_FS / THERMOSTAT_TIME_FS, batch.noise.at(batch.done)
            batch.state = langevin_step(
                batch.state, potential, dt=timestep, kT=thermal_energy, gamma=friction, noise=noise
            )
        case "none":
            batch.state = nve_step(batch.state, potential, dt=timestep)  # type: ignore[arg-type]  # TorchSim uses no more of a model than this class has
    batch.step += 1


def kinetic_energy(batch: Batch) -> Tensor:
    """Kinetic energy of every member, (n_members,) in eV."""
    state = batch.state
    energy: Tensor = torch_sim.calc_kinetic_energy(
        masses=state.masses, momenta=state.momenta, system_idx=state.system_idx
    )
    return energy


def state_of(batch: Batch, index: int, positions: Tensor, momenta: Tensor) -> State:
    """State of one member, from positions and momenta of all atoms of the batch."""
    state = batch.state
    mask = state.system_idx == index
    velocities = (momenta[mask] / state.masses[mask][:, None] / TIME_UNIT_FS).cpu().numpy()
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=positions[mask].tolist(),
        cell=state.row_vector_cell[index].tolist(),
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
        batch.state.chain = type(chain)(**{name: getattr(chain, name)[keep] for name in _CHAIN_PARTS})
    potential.stress = potential.stress[keep]
    potential.reset()
    batch.refresh()


_CHAIN_PARTS = ("positions", "momenta", "masses", "tau", "kinetic_energy", "degrees_of_freedom")
_STATE_PARTS = ("positions", "momenta", "forces", "energy")


def dump_batch(batch: Batch, potential: PotentialWithStress) -> dict[str, Any]:
    """Content of a checkpoint: all that is needed to continue, except the requests."""
    chain = getattr(batch.state, "chain", None)
    return {
        "members": batch.members,
        "segment": batch.segment,
        "step": batch.step,
        "failures": batch.failures,
        "last_good": {m: (state.model_dump_json(), steps) for m, (state, steps) in batch.last_good.items()},
        "state": {name: getattr(batch.state, name) for name in _STATE_PARTS},
        "stress": potential.stress,
        "chain": None if chain is None else {name: getattr(chain, name) for name in _CHAIN_PARTS},
    }


def load_batch(saved: dict[str, Any], requests: list[Request], potential: PotentialWithStress) -> Batch:
    """Make a batch from the content of a checkpoint; it continues bit for bit on the CPU."""
    bare = _bare_state([requests[m].state for m in saved["members"]], potential)
    parts = saved["state"]
    state = MDState.from_state(bare, momenta=parts["momenta"], energy=parts["energy"], forces=parts["forces"])
    batch = Batch(
        requests=requests,
        members=saved["members"],
        state=state,
        segment=saved["segment"],
        step=saved["step"],
        failures=saved["failures"],
        last_good={m: (State.model_validate_json(text), steps) for m, (text, steps) in saved["last_good"].items()},
    )
    if saved["chain"] is not None:
        batch.state = _with_chain(batch, potential)
        for name, value in saved["chain"].items():
            setattr(batch.state.chain, name, value)
    for name, value in parts.items():
        setattr(batch.state, name, value)
    potential.stress = saved["stress"]
    potential.reset()
    return batch
