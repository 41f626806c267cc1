"""A batch in relaxation: its members, of which some are active, and the exchange of those that are done for others."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import torch
import torch_sim
from torch_sim.optimizers import fire_init, fire_step, lbfgs_init, lbfgs_step
from torch_sim.optimizers.cell_filters import CellFilter

from tachylite.engines.base import MAX_FORCE_EV_A
from tachylite.engines.torchsim.batch import PotentialWithStress
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import State
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


_PROGRESS = ("stage", "steps_taken", "waiting", "active", "entered")
"""Attributes of a relaxation that a checkpoint holds beside its members and tensors."""

_HISTORIES = {"s_history", "y_history"}
"""Of L-BFGS: rows of the largest member's atoms, then of the cell, which must be the same for members that join."""


@dataclass
class Member:
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
class BatchInRelaxation:
    """Relaxation of all members: the current stage, and the members that are active in it.

    At most `batch_atoms` atoms are active at once; as members leave a stage, others that wait enter it.
    """

    members: list[Member]
    potential: PotentialWithStress
    relax_cell: bool
    max_force: float
    """Largest force at which the last stage stops, in eV/A; earlier stages do not go below it."""
    batch_atoms: int
    stage: int = 0
    steps_taken: int = 0
    """Steps of the batch, in all stages."""
    waiting: list[int] = field(default_factory=list)
    """Members that have not entered the stage."""
    active: list[int] = field(default_factory=list)
    entered: list[int] = field(default_factory=list)
    """Steps of the batch when each active member entered."""
    state: Any = None
    """State of the optimiser with the active members; without meaning where there are none."""

    def __post_init__(self) -> None:
        self.waiting = list(range(len(self.members)))

    @property
    def is_unfinished(self) -> bool:
        """Whether stages are left."""
        return self.stage < len(STAGES)

    @property
    def max_steps(self) -> int:
        """Steps in full batches if every member took as many as it may."""
        return MAX_STEPS * ceil(sum(len(member.state.numbers) for member in self.members) / self.batch_atoms)

    @property
    def n_relaxed(self) -> int:
        """Members that are through the last stage."""
        return len(self.members) - len(self.waiting) - len(self.active) if self.stage == len(STAGES) - 1 else 0

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
        """Exchange members that are done with the stage for others that wait, and take a step, or end the stage."""
        self._remove_finished()
        while self._let_enter():
            self._remove_finished()
        if self.active:
            self.state = STAGES[self.stage].step(self.state, self.potential)
            self.steps_taken += 1
            return
        self.stage += 1
        self.waiting = [i for i, m in enumerate(self.members) if not m.diverged]

    def _let_enter(self) -> bool:
        """Let waiting members enter, in their order, as far as there is room; False where none did."""
        room = self.batch_atoms - sum(len(self.members[i].state.numbers) for i in self.active)
        entering: list[int] = []
        for index in self.waiting:
            room -= len(self.members[index].state.numbers)
            if room < 0 and (self.active or entering):
                break
            entering.append(index)
        if not entering:
            return False
        del self.waiting[: len(entering)]
        if self.active:
            stress = self.potential.stress
            self.potential.reset()
            self.state = _joined(self.state, self._begin(entering))
            self.potential.stress = torch.cat([stress, self.potential.stress])
            self.potential.reset()
        else:
            self.state = self._begin(entering)
        self.active += entering
        self.entered += [self.steps_taken] * len(entering)
        return True

    def _begin(self, indices: list[int]) -> Any:
        """State of the optimiser with some members before their first step in the stage."""
        atoms = [self.members[i].state.atoms for i in indices]
        state = torch_sim.initialize_state(atoms, device=self.potential.device, dtype=self.potential.dtype)
        state = STAGES[self.stage].start(
            state, self.potential, cell_filter=CellFilter.frechet if self.relax_cell else None
        )
        widest = max(len(member.state.numbers) for member in self.members)
        for name in _HISTORIES & vars(state).keys():
            n_members, n_steps, n_rows, _ = getattr(state, name).shape
            n_rows += widest - max(map(len, atoms))
            setattr(state, name, state.positions.new_zeros((n_members, n_steps, n_rows, 3)))
        return state

    def _remove_finished(self) -> None:
        """Remove members that converged, diverged or used up their steps, and store their last state."""
        if not self.active:
            return
        stage, state = STAGES[self.stage], self.state
        forces, stresses = torch_sim.system_wise_max_force(state), self.potential.stress * GPA_PER_EV_A3
        last = self.stage == len(STAGES) - 1
        done = forces < (self.max_force if last else max(stage.force, self.max_force))
        if self.relax_cell:
            done &= stresses.abs().amax(dim=(1, 2)) < stage.stress
        bad = ~(torch.isfinite(state.energy) & torch.isfinite(forces))
        taken = [self.steps_taken - entered for entered in self.entered]
        leaving = done | bad | torch.tensor([steps == stage.max_steps for steps in taken], device=done.device)
        if not leaving.any():
            return
        for index in torch.nonzero(leaving).flatten().tolist():
            member = self.members[self.active[index]]
            member.steps += taken[index]
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
        self.active, self.entered = [self.active[i] for i in keep], [self.entered[i] for i in keep]
        if self.active:
            self.state = state[keep]
            self.potential.stress = self.potential.stress[keep]
            self.potential.reset()

    def save(self, path: Path) -> None:
        """Write a checkpoint: members, and all tensors of the optimiser."""
        tensors = vars(self.state) if self.active else {}
        content = {
            "members": [asdict(m) | {"state": m.state.model_dump()} for m in self.members],
            "progress": {name: getattr(self, name) for name in _PROGRESS},
            "optimiser": {name: value for name, value in tensors.items() if isinstance(value, torch.Tensor)},
            "stress": self.potential.stress,
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_atomically(path, buffer.getbuffer())

    def load(self, path: Path) -> None:
        """Continue from a checkpoint: bit for bit on the CPU."""
        saved = torch.load(path, map_location=self.potential.device, weights_only=True)
        self.members = [Member(**(m | {"state": State.model_validate(m["state"])})) for m in saved["members"]]
        for name, value in saved["progress"].items():
            setattr(self, name, value)
        if self.active:
            self.state = self._begin(self.active)
            for name, value in saved["optimiser"].items():
                setattr(self.state, name, value)
        self.potential.stress = saved["stress"]


def _joined(state: Any, entering: Any) -> Any:
    """One state of the optimiser from that of active members and that of entering ones, which have no history yet."""
    for name in _HISTORIES & vars(state).keys():
        history = getattr(state, name)
        setattr(entering, name, history.new_zeros((entering.n_systems, *history.shape[1:])))
    return torch_sim.concatenate_states([state, entering])


def _state(state: Any, index: int) -> State:
    mask = state.system_idx == index
    return State(
        numbers=state.atomic_numbers[mask].tolist(),
        positions=state.positions[mask].tolist(),
        cell=state.row_vector_cell[index].tolist(),
    )
