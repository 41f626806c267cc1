"""A batch of members on their way through the same segments: what one step does, and how it is saved."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
import torch_sim
from torch_sim.integrators import nve_step, nvt_langevin_step, nvt_nose_hoover_init, nvt_nose_hoover_step
from torch_sim.integrators.md import MDState, initialize_momenta

from tachylite.schemas import Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, KB_EV

TIME_UNIT_FS = EV_PER_U_A2_FS2**0.5
"""TorchSim's unit of time, A sqrt(u/eV), in fs."""

THERMOSTAT_TIME_FS = 100.0
"""Relaxation time of both thermostats."""


class Potential(Protocol):
    """What the integrators need of a model; a TorchSim ModelInterface with a cache that can be dropped."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of what it answers with."""

    def __call__(self, state: Any) -> dict[str, torch.Tensor]:
        """Energy, forces and stress of a state."""

    def reset(self) -> None:
        """Forget cached neighbours, so that what follows does not depend on what came before."""


class Watched:
    """A potential that remembers the last stress: TorchSim's integrators keep energy and forces only."""

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self.device = potential.device
        self.dtype = potential.dtype
        self.stress = torch.empty(0)

    def __call__(self, state: Any) -> dict[str, torch.Tensor]:
        """Energy, forces and stress of a state."""
        result = self.potential(state)
        self.stress = result["stress"]
        return result

    def reset(self) -> None:
        """Forget cached neighbours."""
        self.potential.reset()


@dataclass
class Batch:
    """Members in flight and how far they are.

    `members` are positions in the list of requests; those that failed are no longer among them.
    """

    requests: list[Request]
    members: list[int]
    state: Any
    segment: int = 0
    step: int = 0
    """Steps done in the segment."""
    targets_k: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """Target temperatures of the last step."""
    failures: dict[int, str] = field(default_factory=dict)
    last_good: dict[int, State] = field(default_factory=dict)

    @property
    def schedule(self) -> Segment:
        """The segment under way, as the first member has it; members differ in temperature alone."""
        return self.requests[0].segments[self.segment]

    def temperatures_k(self) -> torch.Tensor:
        """Target temperature of every member at the step under way."""
        targets = [self.requests[m].segments[self.segment].temperature_at(self.step) for m in self.members]
        return torch.tensor(targets, dtype=self.state.dtype, device=self.state.device)


def start(requests: list[Request], potential: Watched) -> Batch:
    """Put requests into one batched state, with velocities drawn where a request brings none."""
    state = _bare_state([r.state for r in requests], potential)
    state.rng = torch.Generator(device=potential.device).manual_seed(requests[0].seed)
    targets = torch.tensor([r.segments[0].temperature_k * KB_EV for r in requests], dtype=state.dtype)
    drawn = initialize_momenta(state.positions, state.masses, state.system_idx, targets.to(state.device), state.rng)
    given = [_momenta(r.state, state) for r in requests]
    momenta = torch.cat([own if own is not None else drawn[state.system_idx == i] for i, own in enumerate(given)])
    result = potential(state)
    md_state = MDState.from_state(state, momenta=momenta, energy=result["energy"], forces=result["forces"])
    md_state.rng = state.rng
    batch = Batch(requests=requests, members=list(range(len(requests))), state=md_state)
    enter_segment(batch, potential)
    return batch


def _bare_state(states: list[State], potential: Watched) -> Any:
    return torch_sim.initialize_state([s.atoms for s in states], device=potential.device, dtype=potential.dtype)


def _momenta(own: State, state: Any) -> torch.Tensor | None:
    if own.velocities is None:
        return None
    velocities = torch.tensor(own.velocities, dtype=state.dtype, device=state.device) * TIME_UNIT_FS
    masses = torch.tensor(own.atoms.get_masses(), dtype=state.dtype, device=state.device)
    momenta: torch.Tensor = velocities * masses[:, None]
    return momenta


def enter_segment(batch: Batch, potential: Watched) -> None:
    """Give the state what the thermostat of its segment needs; chains start at rest.

    A stochastic thermostat leaves the cell drifting as a whole; the others would keep that drift for ever.
    """
    state = batch.state
    if batch.schedule.thermostat != "langevin":
        state.momenta = state.momenta - state.masses[:, None] * _mean_velocity(state)[state.system_idx]
    if batch.schedule.thermostat == "nose-hoover":
        batch.state = _with_chain(state, batch, potential)


def _mean_velocity(state: Any) -> torch.Tensor:
    total = torch.zeros((state.n_systems, 3), dtype=state.dtype, device=state.device)
    total.index_add_(0, state.system_idx, state.momenta)
    mass = torch.zeros(state.n_systems, dtype=state.dtype, device=state.device)
    mass.index_add_(0, state.system_idx, state.masses)
    return total / mass[:, None]


def _with_chain(state: Any, batch: Batch, potential: Watched) -> Any:
    chained = nvt_nose_hoover_init(
        state,
        potential,
        kT=batch.temperatures_k() * KB_EV,
        dt=batch.schedule.timestep_fs / TIME_UNIT_FS,
        tau=THERMOSTAT_TIME_FS / TIME_UNIT_FS,
        # one substep integrates a chain fifty time steps slow to 1e-6, at a ninth of the default cost
        chain_steps=1,
        sy_steps=1,
    )
    chained.rng = state.rng
    return chained


def advance(batch: Batch, potential: Watched) -> None:
    """Take one time step of every member."""
    segment = batch.schedule
    timestep = torch.tensor(segment.timestep_fs / TIME_UNIT_FS, dtype=batch.state.dtype)
    batch.targets_k = batch.temperatures_k()
    thermal_energy = batch.targets_k * KB_EV
    match segment.thermostat:
        case "nose-hoover":
            batch.state = nvt_nose_hoover_step(batch.state, potential, dt=timestep, kT=thermal_energy)
        case "langevin":
            friction = TIME_UNIT_FS / THERMOSTAT_TIME_FS
            batch.state = nvt_langevin_step(batch.state, potential, dt=timestep, kT=thermal_energy, gamma=friction)
        case "none":
            batch.state = nve_step(batch.state, potential, dt=timestep)
    batch.step += 1


def kinetic_energy(batch: Batch) -> torch.Tensor:
    """Kinetic energy of every member, (n_members,) in eV."""
    state = batch.state
    energy: torch.Tensor = torch_sim.calc_kinetic_energy(
        masses=state.masses, momenta=state.momenta, system_idx=state.system_idx
    )
    return energy


def degrees_of_freedom(batch: Batch) -> torch.Tensor:
    """3N, less the three of the cell's own motion where the thermostat does not reach them."""
    held = 0 if batch.schedule.thermostat == "langevin" else 3
    counts: torch.Tensor = 3 * batch.state.n_atoms_per_system - held
    return counts.clamp(min=1)


def member_state(batch: Batch, index: int) -> State:
    """The state of one live member, with velocities."""
    state = batch.state
    mask = state.system_idx == index
    velocities = (state.momenta[mask] / state.masses[mask][:, None] / TIME_UNIT_FS).cpu().numpy()
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=state.positions[mask].tolist(),
        cell=state.row_vector_cell[index].tolist(),
        velocities=velocities.tolist(),
    )


def drop(batch: Batch, gone: dict[int, str], potential: Watched) -> None:
    """Take members (by position in the state) out of the batch, each with its reason."""
    for index, reason in gone.items():
        batch.failures[batch.members[index]] = reason
    keep = [i for i in range(len(batch.members)) if i not in gone]
    batch.members = [batch.members[i] for i in keep]
    if not keep:
        return
    chain, generator = getattr(batch.state, "chain", None), batch.state.rng
    batch.state = batch.state[keep]
    batch.state.rng = generator
    if chain is not None:  # global to the state in TorchSim, so slicing leaves it whole
        batch.state.chain = type(chain)(**{name: getattr(chain, name)[keep] for name in _CHAIN_PARTS})
    potential.reset()


_CHAIN_PARTS = ("positions", "momenta", "masses", "tau", "kinetic_energy", "degrees_of_freedom")
_STATE_PARTS = ("positions", "momenta", "forces", "energy")


def dump(batch: Batch, potential: Watched) -> dict[str, Any]:
    """Everything that continuing needs, except the requests themselves."""
    chain = getattr(batch.state, "chain", None)
    return {
        "members": batch.members,
        "segment": batch.segment,
        "step": batch.step,
        "failures": batch.failures,
        "last_good": {m: s.model_dump_json() for m, s in batch.last_good.items()},
        "rng": batch.state.rng.get_state(),
        "state": {name: getattr(batch.state, name) for name in _STATE_PARTS},
        "stress": potential.stress,
        "chain": None if chain is None else {name: getattr(chain, name) for name in _CHAIN_PARTS},
    }


def load(saved: dict[str, Any], requests: list[Request], potential: Watched) -> Batch:
    """Continue from a dump: bit for bit on the CPU."""
    bare = _bare_state([requests[m].state for m in saved["members"]], potential)
    parts = saved["state"]
    state = MDState.from_state(bare, momenta=parts["momenta"], energy=parts["energy"], forces=parts["forces"])
    state.positions = parts["positions"]
    state.rng = torch.Generator(device=potential.device)
    state.rng.set_state(saved["rng"].cpu())
    batch = Batch(
        requests=requests,
        members=saved["members"],
        state=state,
        segment=saved["segment"],
        step=saved["step"],
        failures=saved["failures"],
        last_good={m: State.model_validate_json(text) for m, text in saved["last_good"].items()},
    )
    if saved["chain"] is not None:
        batch.state = _with_chain(state, batch, potential)
        for name, value in saved["chain"].items():
            setattr(batch.state.chain, name, value)
        for name, value in parts.items():
            setattr(batch.state, name, value)
    potential.stress = saved["stress"]
    potential.reset()
    return batch


def closest_approach(batch: Batch) -> np.ndarray:
    """Smallest distance between two atoms of each member, (n_members,) in A; minimum image."""
    distances = []
    for index in range(len(batch.members)):
        mask = batch.state.system_idx == index
        cell = batch.state.row_vector_cell[index]
        fractional = batch.state.positions[mask] @ torch.linalg.inv(cell)
        offsets = fractional[:, None] - fractional[None]
        lengths = torch.linalg.norm((offsets - offsets.round()) @ cell, dim=-1)
        lengths.fill_diagonal_(torch.inf)
        distances.append(float(lengths.min()))
    return np.array(distances)
