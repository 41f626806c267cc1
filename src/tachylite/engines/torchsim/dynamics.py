"""Molecular dynamics of a batch: steps, recording, checks of every member, checkpoints, answers."""

import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tachylite.engines.answers import make_answer
from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.engines.interruption import Interruption, interruptible
from tachylite.engines.potentials.committee import Committee
from tachylite.engines.torchsim.batch import Batch, Potential, PotentialWithStress, remove_members, state_of
from tachylite.engines.torchsim.checkpoint import dump_batch, load_batch
from tachylite.engines.torchsim.engine import Guards
from tachylite.engines.torchsim.health import Health
from tachylite.engines.torchsim.integration import begin_next_segment, start_batch, take_step
from tachylite.engines.torchsim.recorder import Recorder, first_row
from tachylite.engines.workdir import CHECKPOINT, write_atomically
from tachylite.schemas import Provenance, Request

_CHECK_EVERY = 20
"""Steps between checks of the members; until then their numbers stay on the device."""


@dataclass
class Clock:
    """Wall time of a run, including that before it was interrupted and resumed."""

    before_s: float = 0.0
    started: float = field(default_factory=time.monotonic)
    steps: int = 0

    @property
    def total_s(self) -> float:
        """Wall time in s."""
        return self.before_s + time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Steps per second since the run began or was resumed."""
        return self.steps / max(time.monotonic() - self.started, 1e-9)


@dataclass
class RunInProgress:
    """A batch with its recorder, health checks and clock, which are saved together in a checkpoint."""

    batch: Batch
    potential: PotentialWithStress
    recorder: Recorder
    health: Health
    clock: Clock
    folder: Path

    @classmethod
    def begin(
        cls,
        requests: list[Request],
        potential: Potential,
        folder: Path,
        guards: Guards,
        committee: Committee | None = None,
    ) -> "RunInProgress":
        """Begin, or continue from the checkpoint in the folder if there is one."""
        wrapped, path = PotentialWithStress(potential), folder / CHECKPOINT
        wrapped.reset()
        saved: dict[str, Any] | None = None
        if path.exists():
            saved = torch.load(path, map_location=wrapped.device, weights_only=True)
        atoms = [len(r.state.numbers) for r in requests]
        recorder = Recorder.in_folder(folder, atoms, requests[0].record_forces, saved and saved["recorder"])
        batch = start_batch(requests, wrapped) if saved is None else load_batch(saved["batch"], requests, wrapped)
        run = cls(batch, wrapped, recorder, Health(batch, guards, committee), Clock(), folder)
        if saved is None:
            run.end_members(run.health.examine(batch, first_row(batch, wrapped), wrapped.reasons))
        else:
            run.health.load(saved["health"])
            run.clock.before_s = saved["wall_time_s"]
        return run

    @property
    def is_unfinished(self) -> bool:
        """Whether steps and members are left."""
        return bool(self.batch.members) and self.batch.done < self.batch.total

    def step(self) -> None:
        """Take one step, and check the members where a check is due."""
        batch = self.batch
        if batch.step == batch.schedule.steps:
            begin_next_segment(batch, self.potential)
        take_step(batch, self.potential)
        self.clock.steps += 1
        self.recorder.record(batch, self.potential)
        if batch.step % _CHECK_EVERY == 0 or batch.step == batch.schedule.steps:
            self.end_members(self.health.examine(batch, self.recorder.take_rows(batch), self.potential.reasons))
            self.recorder.flush_if_full(batch)
            _report(batch, self.clock)

    def end_members(self, reasons: dict[int, str]) -> None:
        """End members (by position in the state), each with its reason and its last good state."""
        if not reasons:
            return
        batch = self.batch
        self.recorder.flush(batch)
        for index in reasons:
            batch.last_good[batch.members[index]] = self.health.last_good(batch, index)
        self.health.keep_only(batch, [i for i in range(len(batch.members)) if i not in reasons])
        remove_members(batch, reasons, self.potential)

    def save(self) -> None:
        """Write a checkpoint.

        Neighbour lists are rebuilt afterwards, so that a run that continues and one that is resumed add the same
        numbers in the same order.
        """
        self.recorder.flush(self.batch)
        content = {
            "batch": dump_batch(self.batch, self.potential),
            "recorder": self.recorder.dump(),
            "health": self.health.dump(),
            "wall_time_s": self.clock.total_s,
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_atomically(self.folder / CHECKPOINT, buffer.getbuffer())
        self.potential.reset()


def run_batch(
    requests: list[Request],
    potential: Potential,
    folder: Path,
    *,
    provenance: Provenance,
    checkpoint_every: int,
    guards: Guards,
    committee: Committee | None = None,
) -> list[Answer]:
    """Run requests with the same segments (temperatures may differ), from the checkpoint if there is one.

    Checkpoints and a log are written to `folder` every `checkpoint_every` steps and before a signal or the end
    of the walltime ends the work. Raises OutOfTimeError for the latter, InputError where the folder cannot be
    written.
    """
    run = RunInProgress.begin(requests, potential, folder, guards, committee)
    with interruptible() as interruption:
        while run.is_unfinished:
            if interruption.due():
                _interrupt(run, interruption)
            run.step()
            if run.batch.members and (run.batch.done % checkpoint_every == 0 or not run.is_unfinished):
                with interruption.saving():
                    run.save()
    return [_answer(member, run, provenance) for member in range(len(requests))]


def _interrupt(run: RunInProgress, interruption: Interruption) -> None:
    if run.clock.steps:
        with interruption.saving():
            run.save()
    batch = run.batch
    interruption.end(f"at step {batch.done:,} of {batch.total:,} of {batch.requests[0].label}")


def _report(batch: Batch, clock: Clock) -> None:
    listener = progress_listener.get()
    if listener is None:
        return
    label, members = batch.requests[0].label, len(batch.members)
    if members:
        listener(Progress(label=label, done=batch.done, total=batch.total, members=members, rate=clock.rate))
        return
    outcome = f"no member is left after {batch.done:,} steps"
    members = len(batch.requests)
    listener(Progress(label, batch.done, batch.done, members, clock.rate, outcome=outcome))


def _answer(member: int, run: RunInProgress, provenance: Provenance) -> Answer:
    batch = run.batch
    reason = batch.failures.get(member)
    if reason is None:
        until = None
        state = batch.state
        final = state_of(batch, batch.members.index(member), state.positions, state.momenta, state.row_vector_cell)
    else:
        final, until = batch.last_good[member]
    series, frames = run.recorder.read(member, until)
    return make_answer(
        batch.requests[member],
        series=series,
        frames=frames,
        final=final,
        reason=reason,
        wall_time_s=run.clock.total_s,
        provenance=provenance,
        stated_force_error_ev_a=run.health.stated_error_ev_a(member),
    )
