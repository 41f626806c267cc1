"""Integration of a batch: the start, segments, and time steps at constant temperature, pressure or energy."""

from typing import Any

import numpy as np
import torch
import torch_sim
from torch import Tensor
from torch_sim.integrators import nve_step, nvt_nose_hoover_init, nvt_nose_hoover_step
from torch_sim.integrators.md import MDState

from tachylite.engines.torchsim.batch import TIME_UNIT_FS, Batch, PotentialWithStress
from tachylite.engines.torchsim.cell_rescaling import cell_rescaling_step, estimate_compressibility
from tachylite.engines.torchsim.thermal_noise import VELOCITIES, draw, langevin_step
from tachylite.schemas import Request, State
from tachylite.units import GPA_PER_EV_A3, KB_EV

THERMOSTAT_TIME_FS = 100.0
"""Relaxation time of the thermostats."""

_PRESSURE_TIME_FS = 500.0
"""Relaxation time of a volume whose compressibility is that of a sudden strain; liquids take a few times as long."""


def start_batch(requests: list[Request], potential: PotentialWithStress) -> Batch:
    """Make a batch from requests, with random velocities where a request has none."""
    state = bare_state([r.state for r in requests], potential)
    momenta = torch.cat([_momenta(r, state) for r in requests])
    result = potential(state)
    md_state = MDState.from_state(state, momenta=momenta, energy=result["energy"], forces=result["forces"])
    batch = Batch(requests=requests, members=list(range(len(requests))), state=md_state)
    _begin_segment(batch, potential)
    return batch


def bare_state(states: list[State], potential: PotentialWithStress) -> Any:
    """TorchSim's state of members at rest."""
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
    """Prepare the state for the thermostat and barostat of its segment; Nose-Hoover chains start at rest.

    A Langevin thermostat leaves the cell drifting as a whole, which the other thermostats would not remove.
    """
    state = batch.state
    if not batch.constant_volume or batch.schedule.thermostat != "langevin":
        state.momenta = state.momenta - state.masses[:, None] * _mean_velocity(state)[state.system_idx]
    batch.cell_rates = None
    if not batch.constant_volume:
        kT = batch.target_ev(0)
        compressibilities = estimate_compressibility(state, potential.probe, kT, batch.schedule.cell)
        batch.cell_rates = compressibilities * TIME_UNIT_FS / _PRESSURE_TIME_FS
    elif batch.schedule.thermostat == "nose-hoover":
        batch.state = with_chain(batch, potential)


def _mean_velocity(state: Any) -> Tensor:
    total = torch.zeros((state.n_systems, 3), dtype=state.dtype, device=state.device)
    total.index_add_(0, state.system_idx, state.momenta)
    mass = torch.zeros(state.n_systems, dtype=state.dtype, device=state.device)
    mass.index_add_(0, state.system_idx, state.masses)
    return total / mass[:, None]


def with_chain(batch: Batch, potential: PotentialWithStress) -> Any:
    """The state with a Nose-Hoover chain at rest for every member."""
    return nvt_nose_hoover_init(
        batch.state,
        potential,  # type: ignore[arg-type]  # TorchSim uses no more of a model than this class has
        kT=batch.target_ev(batch.step),
        dt=batch.schedule.timestep_fs / TIME_UNIT_FS,
        tau=THERMOSTAT_TIME_FS / TIME_UNIT_FS,
        # one substep integrates a chain fifty time steps slow to 1e-6, at a ninth of the default cost
        chain_steps=1,
        sy_steps=1,
    )


def take_step(batch: Batch, potential: PotentialWithStress) -> None:
    """Take one time step of every member."""
    timestep = torch.tensor(batch.schedule.timestep_fs / TIME_UNIT_FS, dtype=batch.state.dtype)
    thermal_energy = batch.target_ev(batch.step)
    if batch.cell_rates is not None:
        batch.state = cell_rescaling_step(
            batch.state,
            potential,
            potential.stress,
            dt=timestep,
            kT=thermal_energy,
            tau=THERMOSTAT_TIME_FS / TIME_UNIT_FS,
            pressure=batch.pressures_gpa / GPA_PER_EV_A3,
            rate=batch.cell_rates,
            shape=batch.schedule.cell,
            noise=batch.cell_noise.at(batch.done),
        )
        batch.step += 1
        return
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
