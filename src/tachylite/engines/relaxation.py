"""Relaxation of a batch by FIRE, with or without the cell."""

from typing import Any

import torch
import torch_sim
from torch_sim.optimizers import fire_init, fire_step
from torch_sim.optimizers.cell_filters import CellFilter

from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.batch import Potential, Watched
from tachylite.schemas import Provenance, Relaxation, State
from tachylite.units import GPA_PER_EV_A3

FORCE_TOLERANCE_EV_A = 0.05
PRESSURE_TOLERANCE_GPA = 0.1
MAX_STEPS = 1000


def relax_batch(
    states: list[State], potential: Potential, *, relax_cell: bool, labels: list[str], provenance: Provenance
) -> list[Relaxation]:
    """Relax every state until no force exceeds 0.05 eV/A and, with the cell, no stress 0.1 GPa.

    FIRE (DOI 10.1103/PhysRevLett.97.170201), at most 1,000 steps; members leave the batch as they converge.
    """
    watched = Watched(potential)
    bare = torch_sim.initialize_state([s.atoms for s in states], device=potential.device, dtype=potential.dtype)
    state = fire_init(bare, watched, cell_filter=CellFilter.frechet if relax_cell else None)
    members = list(range(len(states)))
    results: dict[int, Relaxation] = {}
    for step in range(MAX_STEPS + 1):
        forces, stresses = _largest_forces(state), watched.stress * GPA_PER_EV_A3
        done = forces < FORCE_TOLERANCE_EV_A
        if relax_cell:
            done &= stresses.abs().amax(dim=(1, 2)) < PRESSURE_TOLERANCE_GPA
        bad = ~torch.isfinite(state.energy) | ~torch.isfinite(forces)
        leaving = (done | bad) if step < MAX_STEPS else torch.ones_like(done)
        for index in torch.nonzero(leaving).flatten().tolist():
            reason = None
            if bad[index]:
                reason = f"diverged after {step} steps"
            elif not done[index]:
                reason = f"not converged in {MAX_STEPS} steps: largest force {float(forces[index]):.2f} eV/A"
            member = members[index]
            results[member] = Relaxation(
                label=labels[member],
                status="converged" if reason is None else "failed",
                reason=reason,
                formula=states[member].formula,
                n_atoms=len(states[member].numbers),
                relax_cell=relax_cell,
                steps=step,
                energy_ev_per_atom=float(state.energy[index]) / len(states[member].numbers),
                max_force_ev_a=float(forces[index]),
                pressure_gpa=-float(stresses[index].trace()) / 3,
                state=_state(state, index) if not bad[index] else states[member],
                provenance=provenance,
            )
        if leaving.any():
            keep = torch.nonzero(~leaving).flatten().tolist()
            members = [members[i] for i in keep]
            if not members:
                break
            state = state[keep]
            watched.stress = watched.stress[keep]
            watched.reset()
        state = fire_step(state, watched)
        _report(labels[0], step, len(members))
    return [results[i] for i in range(len(states))]


def _largest_forces(state: Any) -> torch.Tensor:
    largest = torch.zeros(state.n_systems, dtype=state.dtype, device=state.device)
    lengths = torch.linalg.norm(state.forces, dim=1)
    return largest.index_reduce_(0, state.system_idx, lengths, "amax")


def _state(state: Any, index: int) -> State:
    mask = state.system_idx == index
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=state.positions[mask].tolist(),
        cell=state.row_vector_cell[index].tolist(),
    )


def _report(label: str, step: int, members: int) -> None:
    listener = progress_listener.get()
    if listener is not None:
        listener(Progress(label=label, done=step, total=MAX_STEPS, members=members, rate=0.0))
