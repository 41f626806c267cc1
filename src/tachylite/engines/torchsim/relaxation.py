"""Relaxation of a batch, with or without the cell: FIRE far from the minimum, L-BFGS near it.

FIRE alone (DOI 10.1103/PhysRevLett.97.170201) is robust from any start but slow along the soft modes of a glass
and its cell; L-BFGS then needs a fifth of the steps (151 and 211 instead of more than 700 each for two
snapshots of molten Li3PO4).
"""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch_sim
from torch_sim.optimizers import fire_init, fire_step, lbfgs_init, lbfgs_step
from torch_sim.optimizers.cell_filters import CellFilter

from tachylite.engines.base import MAX_FORCE_EV_A, Progress, progress_listener
from tachylite.engines.interruption import interruptible
from tachylite.engines.torchsim.batch import Potential, PotentialWithStress
from tachylite.engines.workdir import CHECKPOINT, write_atomically
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import GPA_PER_EV_A3


@dataclass(frozen=True)
class Stage:
    """An optimiser and its limits: largest force (eV/A), largest stress (GPa), number of steps."""

    start: Callable[..., Any]
    step: Callable[..., Any]
    force: float
    stress: float
    max_steps: int


STAGES = (
    Stage(fire_init, fire_step, force=0.5, stress=5.0, max_steps=200),
    Stage(lbfgs_init, lbfgs_step, force=MAX_FORCE_EV_A, stress=0.1, max_steps=800),
)
MAX_STEPS = sum(stage.max_steps for stage in STAGES)


@dataclass
class _Member:
    """State and results of a member when it last left a stage."""

    state: State
    steps: int = 0
    energy: float = float("nan")
    force: float = float("nan")
    pressure: float = float("nan")
    stress: list[list[float]] | None = None
    """In GPa, tension positive."""
    reason: str | None = None
    diverged: bool = False


@dataclass
class _BatchRelaxation:
    """Relaxation of all members: the current stage and step, and the members that are active in it."""

    members: list[_Member]
    potential: PotentialWithStress
    relax_cell: bool
    max_force: float
    """Largest force at which the last stage stops, in eV/A; earlier stages do not go below it."""
    stage: int = 0
    step: int = 0
    """Steps taken in the stage."""
    earlier_steps: int = 0
    """Steps taken in earlier stages."""
    active: list[int] = field(default_factory=list)
    state: Any = None
    """State of the optimiser with the active members; None before its stage begins."""

    @property
    def is_unfinished(self) -> bool:
        return self.stage < len(STAGES)

    @property
    def steps_taken(self) -> int:
        """Steps taken in all stages."""
        return self.earlier_steps + self.step

    @property
    def outcome(self) -> str:
        """How the relaxation ended, in words."""
        converged = sum(member.reason is None for member in self.members)
        if len(self.members) == 1:
            words = "converged" if converged else "not converged"
        else:
            words = f"{converged} of {len(self.members)} converged"
        return f"{words} after {self.steps_taken:,} steps"

    def advance(self) -> None:
        """Begin a stage if none is running, remove members that are done with it, and take a step."""
        if self.state is None:
            self.active = [i for i, m in enumerate(self.members) if not m.diverged]
            if self.active:
                self.state = self._begin_stage()
        if self.active:
            self._remove_finished()
        if not self.active:
            self.earlier_steps += self.step
            self.stage, self.step, self.state = self.stage + 1, 0, None
            return
        self.state = STAGES[self.stage].step(self.state, self.potential)
        self.step += 1

    def _begin_stage(self) -> Any:
        atoms = [self.members[i].state.atoms for i in self.active]
        state = torch_sim.initialize_state(atoms, device=self.potential.device, dtype=self.potential.dtype)
        return STAGES[self.stage].start(
            state, self.potential, cell_filter=CellFilter.frechet if self.relax_cell else None
        )

    def _remove_finished(self) -> None:
        """Remove members that converged, diverged or used up their steps, and store their last state."""
        stage, state = STAGES[self.stage], self.state
        forces, stresses = torch_sim.system_wise_max_force(state), self.potential.stress * GPA_PER_EV_A3
        last = self.stage == len(STAGES) - 1
        done = forces < (self.max_force if last else max(stage.force, self.max_force))
        if self.relax_cell:
            done &= stresses.abs().amax(dim=(1, 2)) < stage.stress
        bad = ~(torch.isfinite(state.energy) & torch.isfinite(forces))
        leaving = done | bad | (self.step == stage.max_steps)
        if not leaving.any():
            return
        for index in torch.nonzero(leaving).flatten().tolist():
            member = self.members[self.active[index]]
            member.steps += self.step
            if bad[index]:
                member.reason, member.diverged = f"diverged after {member.steps} steps", True
                continue
            member.state = _state(state, index)
            member.energy, member.force = float(state.energy[index]), float(forces[index])
            member.pressure = -float(stresses[index].trace()) / 3
            member.stress = stresses[index].tolist()
            member.reason = None
            if not done[index]:
                largest = f", stress {float(stresses[index].abs().max()):.2f} GPa" if self.relax_cell else ""
                member.reason = f"not converged in {member.steps} steps: largest force {member.force:.2g} eV/A{largest}"
        keep = torch.nonzero(~leaving).flatten().tolist()
        self.active = [self.active[i] for i in keep]
        if self.active:
            self.state = state[keep]
            self.potential.stress = self.potential.stress[keep]
            self.potential.reset()

    def save(self, path: Path) -> None:
        """Write a checkpoint: members, and all tensors of the optimiser."""
        tensors = {} if self.state is None else vars(self.state)
        content = {
            "members": [asdict(m) | {"state": m.state.model_dump()} for m in self.members],
            "stage": self.stage,
            "step": self.step,
            "earlier_steps": self.earlier_steps,
            "active": self.active,
            "optimiser": {name: value for name, value in tensors.items() if isinstance(value, torch.Tensor)},
            "stress": self.potential.stress,
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_atomically(path, buffer.getbuffer())

    def load(self, path: Path) -> None:
        """Continue from a checkpoint: bit for bit on the CPU."""
        saved = torch.load(path, map_location=self.potential.device, weights_only=True)
        self.members = [_Member(**(m | {"state": State.model_validate(m["state"])})) for m in saved["members"]]
        self.stage, self.step, self.active = saved["stage"], saved["step"], saved["active"]
        self.earlier_steps = saved["earlier_steps"]
        if saved["optimiser"]:
            self.state = self._begin_stage()
            for name, value in saved["optimiser"].items():
                setattr(self.state, name, value)
        self.potential.stress = saved["stress"]


def relax_batch(
    states: list[State],
    potential: Potential,
    folder: Path,
    *,
    relax_cell: bool,
    labels: list[str],
    max_force_ev_a: float,
    provenance: Provenance,
    checkpoint_every: int,
) -> list[Relaxation]:
    """Relax every state until no force exceeds `max_force_ev_a` and, with the cell, no stress 0.1 GPa.

    It takes at most 1,000 steps; members leave the batch as they converge, and one that diverges ends alone.
    Checkpoints are written to `folder` every `checkpoint_every` steps of a stage, at the end of a stage, and before a
    signal or the end of the walltime ends the work. Raises OutOfTimeError for the latter, InputError where the folder
    cannot be written.
    """
    members = [_Member(state) for state in states]
    relaxation = _BatchRelaxation(members, PotentialWithStress(potential), relax_cell, max_force_ev_a)
    path = folder / CHECKPOINT
    if path.exists():
        relaxation.load(path)
    steps_at_start = relaxation.steps_taken
    with interruptible() as interruption:
        while relaxation.is_unfinished:
            if interruption.due():
                if relaxation.steps_taken > steps_at_start:
                    with interruption.saving():
                        relaxation.save(path)
                interruption.end(f"at step {relaxation.steps_taken} of relaxing {labels[0]}")
            relaxation.advance()
            _report(labels[0], relaxation)
            if relaxation.step % checkpoint_every == 0:
                with interruption.saving():
                    relaxation.save(path)
    _report(labels[0], relaxation, relaxation.outcome)
    return [
        Relaxation(
            label=label,
            status="converged" if member.reason is None else "failed",
            reason=member.reason,
            formula=member.state.formula,
            n_atoms=len(member.state.numbers),
            relax_cell=relax_cell,
            steps=member.steps,
            energy_ev_per_atom=member.energy / len(member.state.numbers),
            max_force_ev_a=member.force,
            pressure_gpa=member.pressure,
            stress_gpa=member.stress,
            state=member.state,
            provenance=provenance,
        )
        for member, label in zip(relaxation.members, labels, strict=True)
    ]


def _state(state: Any, index: int) -> State:
    mask = state.system_idx == index
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=state.positions[mask].tolist(),
        cell=state.row_vector_cell[index].tolist(),
    )


def _report(label: str, relaxation: _BatchRelaxation, outcome: str = "") -> None:
    listener = progress_listener.get()
    if listener is not None:
        done, members = relaxation.steps_taken, len(relaxation.members)
        total = done if outcome else MAX_STEPS
        listener(Progress(label=label, done=done, total=total, members=members, rate=0.0, outcome=outcome))
