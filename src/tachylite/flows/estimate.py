"""What a screen will take, before anything of it runs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tachylite.engines import Engine
from tachylite.flows.screen import Screen
from tachylite.jobs.starts import pack_formula
from tachylite.schemas import Protocol, Request, Segment, State
from tachylite.schemas.steps.base import RELAXATION_STEPS
from tachylite.units import FS_PER_PS

_SHORT_STEPS, _LONG_STEPS = 5, 20
"""Of the two runs whose difference gives the rate."""

_FRAME_BYTES, _DOCUMENT_BYTES = 16, 1000
"""An atom and frame of a trajectory with forces, and an atom of all documents of a member (docs/sizing.md)."""


@dataclass(frozen=True)
class Estimate:
    """Members, force calls and what they take."""

    members: int
    cohorts: int
    atoms: int
    """Of all members."""
    steps_per_member: int
    """Force calls of molecular dynamics and relaxations."""
    candidates: int
    candidate_atoms: int
    disk_bytes: int
    atom_steps_per_s: float | None = None
    """Measured; None for an engine that calls a program, whose first step may take an hour."""

    @property
    def hours(self) -> float | None:
        """On a machine like this one; crystals take a fifth of the steps that a glass takes to relax."""
        if self.atom_steps_per_s is None:
            return None
        atom_steps = self.atoms * self.steps_per_member + self.candidate_atoms * RELAXATION_STEPS / 5
        return atom_steps / self.atom_steps_per_s / 3600


def estimate(screen: Screen, atom_steps_per_s: float | None) -> Estimate:
    """Count what a screen would compute."""
    protocol, members = screen.protocol, screen.members
    atoms = sum(member.n_atoms for member in members)
    frames = (
        sum(
            len(protocol.branches_of(step.name)) * step.recorded_ps * FS_PER_PS / protocol.timestep_fs
            for step in protocol.steps
        )
        / protocol.record_every
    )
    return Estimate(
        members=len(members),
        cohorts=len(screen.cohorts),
        atoms=atoms,
        steps_per_member=sum(
            len(protocol.branches_of(step.name)) * step.force_calls(protocol.timestep_fs) for step in protocol.steps
        ),
        candidates=len(screen.candidates),
        candidate_atoms=sum(len(candidate.state.numbers) for candidate in screen.candidates),
        disk_bytes=round(atoms * (frames * _FRAME_BYTES + _DOCUMENT_BYTES)),
        atom_steps_per_s=atom_steps_per_s,
    )


def measured_rate(engine: Engine, protocol: Protocol, formulas: Sequence[str]) -> float:
    """Atoms times steps per second of molecular dynamics of some compositions, one after the other.

    Each takes two short runs, whose difference leaves out what is done once; before the first, one to load the model.
    """
    states = [pack_formula(formula, protocol, 0) for formula in formulas]
    _seconds(engine, protocol, states[0], 1)
    seconds = sum(
        _seconds(engine, protocol, state, _LONG_STEPS) - _seconds(engine, protocol, state, _SHORT_STEPS)
        for state in states
    )
    return (_LONG_STEPS - _SHORT_STEPS) * sum(len(state.numbers) for state in states) / seconds


def _seconds(engine: Engine, protocol: Protocol, state: State, steps: int) -> float:
    """Wall time of a run."""
    segment = Segment(steps=steps, temperature_k=1000, timestep_fs=protocol.timestep_fs)
    request = Request(label="rate", state=state, segments=[segment], seed=0)
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        engine.run([request], Path(folder))
        return time.perf_counter() - started
