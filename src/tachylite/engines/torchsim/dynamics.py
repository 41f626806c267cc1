"""Molecular dynamics of a batch: step, record, guard, checkpoint; then averages and a trajectory."""

import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tachylite.engines.answers import make_answer
from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.engines.interruption import Interruption, interruptible
from tachylite.engines.torchsim.batch import (
    Batch,
    Potential,
    PotentialWithStress,
    advance,
    drop,
    dump,
    load,
    next_segment,
    start,
    state_of,
)
from tachylite.engines.torchsim.guards import Guards
from tachylite.engines.torchsim.health import Health
from tachylite.engines.torchsim.recorder import Recorder, first_row
from tachylite.engines.workdir import CHECKPOINT, write_atomically
from tachylite.schemas import Provenance, Request

LOOK_EVERY = 20
"""Steps between looks at the members; until then their numbers stay on the device."""


@dataclass
class Clock:
    """Wall time of the run, over all its sittings."""

    before_s: float = 0.0
    started: float = field(default_factory=time.monotonic)
    steps: int = 0

    @property
    def total_s(self) -> float:
        """Seconds at work."""
        return self.before_s + time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Steps per second in this sitting."""
        return self.steps / max(time.monotonic() - self.started, 1e-9)


@dataclass
class RunInProgress:
    """A batch on its way, and everything that goes with it into a checkpoint."""

    batch: Batch
    potential: PotentialWithStress
    recorder: Recorder
    health: Health
    clock: Clock
    folder: Path

    @classmethod
    def begin(cls, requests: list[Request], potential: Potential, folder: Path, guards: Guards) -> "RunInProgress":
        """Begin, or go on from the last checkpoint in the folder."""
        watched, path = PotentialWithStress(potential), folder / CHECKPOINT
        saved: dict[str, Any] | None = None
        if path.exists():
            saved = torch.load(path, map_location=watched.device, weights_only=True)
        atoms = [len(r.state.numbers) for r in requests]
        recorder = Recorder.in_folder(folder, atoms, saved and saved["recorder"])
        batch = start(requests, watched) if saved is None else load(saved["batch"], requests, watched)
        flight = cls(batch, watched, recorder, Health(batch, guards), Clock(), folder)
        if saved is None:
            flight.drop_members(flight.health.examine(batch, first_row(batch, watched), watched.reasons))
        else:
            flight.health.load(saved["health"])
            flight.clock.before_s = saved["wall_time_s"]
        return flight

    @property
    def goes_on(self) -> bool:
        """Whether there is a step to be made."""
        return bool(self.batch.members) and self.batch.done < self.batch.total

    def step(self) -> None:
        """Make one step, and look at the members where it is time to."""
        batch = self.batch
        if batch.step == batch.schedule.steps:
            next_segment(batch, self.potential)
        advance(batch, self.potential)
        self.clock.steps += 1
        self.recorder.record(batch, self.potential)
        if batch.step % LOOK_EVERY == 0 or batch.step == batch.schedule.steps:
            self.drop_members(self.health.examine(batch, self.recorder.look(batch), self.potential.reasons))
            self.recorder.flush_if_much(batch)
            _report(batch, self.clock)

    def drop_members(self, reasons: dict[int, str]) -> None:
        """Let members end, each with its reason and its last good state."""
        if not reasons:
            return
        batch = self.batch
        self.recorder.flush(batch)
        for index in reasons:
            batch.last_good[batch.members[index]] = self.health.last_good(batch, index)
        self.health.keep(batch, [i for i in range(len(batch.members)) if i not in reasons])
        drop(batch, reasons, self.potential)

    def save(self) -> None:
        """Write a checkpoint.

        Neighbour lists are rebuilt after it, so that a run that goes on and one that is resumed see the same
        sums in the same order.
        """
        self.recorder.flush(self.batch)
        content = {
            "batch": dump(self.batch, self.potential),
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
) -> list[Answer]:
    """Run requests that share their schedule (temperatures aside), from the last checkpoint if there is one.

    Checkpoints and a log are written to `folder` every `checkpoint_every` steps and before a signal or the end
    of the walltime ends the work. Raises OutOfTimeError for the latter, InputError where the folder cannot be
    written.
    """
    flight = RunInProgress.begin(requests, potential, folder, guards)
    with interruptible() as interruption:
        while flight.goes_on:
            if interruption.due():
                _interrupt(flight, interruption)
            flight.step()
            if flight.batch.members and (flight.batch.done % checkpoint_every == 0 or not flight.goes_on):
                with interruption.saving():
                    flight.save()
    return [_answer(member, flight, provenance) for member in range(len(requests))]


def _interrupt(flight: RunInProgress, interruption: Interruption) -> None:
    if flight.clock.steps:
        with interruption.saving():
            flight.save()
    batch = flight.batch
    interruption.end(f"at step {batch.done:,} of {batch.total:,} of {batch.requests[0].label}")


def _report(batch: Batch, clock: Clock) -> None:
    listener = progress_listener.get()
    if listener is not None:
        label, members = batch.requests[0].label, len(batch.members)
        listener(Progress(label=label, done=batch.done, total=batch.total, members=members, rate=clock.rate))


def _answer(member: int, flight: RunInProgress, provenance: Provenance) -> Answer:
    batch = flight.batch
    reason = batch.failures.get(member)
    if reason is None:
        until = None
        final = state_of(batch, batch.members.index(member), batch.state.positions, batch.state.momenta)
    else:
        final, until = batch.last_good[member]
    series, times, frames = flight.recorder.read(member, until)
    return make_answer(
        batch.requests[member],
        series=series,
        times_fs=times,
        frames=frames,
        final=final,
        reason=reason,
        wall_time_s=flight.clock.total_s,
        provenance=provenance,
    )
