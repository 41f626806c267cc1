"""Molecular dynamics of a batch: step, record, guard, checkpoint; then averages and a trajectory."""

import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.engines.batch import (
    Batch,
    Potential,
    Watched,
    advance,
    drop,
    dump,
    enter_segment,
    load,
    member_state,
    start,
)
from tachylite.engines.guards import Limits, ailing
from tachylite.engines.recorder import FloatArray, Recorder
from tachylite.engines.workdir import write_atomically
from tachylite.physics.statistics import detect_equilibration, estimate_mean
from tachylite.schemas import Measured, Provenance, Request, Run, Segment, SegmentResult, State, Trajectory

GUARD_EVERY = 20
"""Steps between looks at the health of the members."""


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


def run_batch(
    requests: list[Request],
    potential: Potential,
    folder: Path,
    *,
    provenance: Provenance,
    checkpoint_every: int,
    limits: Limits,
) -> list[Answer]:
    """Run requests that share their schedule (temperatures aside), from the last checkpoint if there is one.

    Chunks and checkpoints are written to `folder` every `checkpoint_every` steps. Neighbour lists are rebuilt
    at each, so that a resumed run and an uninterrupted one see the same sums in the same order.
    """
    watched = Watched(potential)
    recorder = Recorder(folder)
    clock = Clock()
    batch = _resume(folder, requests, watched, recorder, clock)
    if batch is None:
        batch = start(requests, watched)
        _guard(batch, watched, limits)
    total = sum(s.steps for s in requests[0].segments)
    while batch.members and batch.segment < len(requests[0].segments):
        while batch.members and batch.step < batch.schedule.steps:
            advance(batch, watched)
            clock.steps += 1
            recorder.record(batch, watched)
            done = batch.step + sum(s.steps for s in requests[0].segments[: batch.segment])
            if batch.step % GUARD_EVERY == 0 or batch.step == batch.schedule.steps:
                _guard(batch, watched, limits)
                _report(batch, clock, done, total)
            if done % checkpoint_every == 0 and batch.members and batch.step < batch.schedule.steps:
                _save(folder, batch, watched, recorder, clock)
        _next_segment(batch, watched)
    recorder.flush()
    return [_answer(m, batch, recorder, clock, provenance) for m in range(len(requests))]


def _next_segment(batch: Batch, watched: Watched) -> None:
    batch.segment += 1
    if batch.members and batch.segment < len(batch.requests[0].segments):
        batch.step = 0
        enter_segment(batch, watched)


def _guard(batch: Batch, watched: Watched, limits: Limits) -> None:
    reasons = ailing(batch, limits)
    for index, member in enumerate(batch.members):
        if index not in reasons:
            batch.last_good[member] = member_state(batch, index)
    if reasons:
        drop(batch, reasons, watched)


def _report(batch: Batch, clock: Clock, done: int, total: int) -> None:
    listener = progress_listener.get()
    if listener is not None:
        label = batch.requests[0].label
        listener(Progress(label=label, done=done, total=total, members=len(batch.members), rate=clock.rate))


def _save(folder: Path, batch: Batch, watched: Watched, recorder: Recorder, clock: Clock) -> None:
    recorder.flush()
    buffer = io.BytesIO()
    content = dump(batch, watched) | {
        "chunks": recorder.chunks,
        "times_fs": recorder.times_fs,
        "wall_time_s": clock.total_s,
    }
    torch.save(content, buffer)
    write_atomically(folder / "checkpoint.pt", buffer.getvalue())
    watched.reset()


def _resume(folder: Path, requests: list[Request], watched: Watched, recorder: Recorder, clock: Clock) -> Batch | None:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    saved: dict[str, Any] = torch.load(path, map_location=watched.device, weights_only=True)
    recorder.chunks = saved["chunks"]
    recorder.times_fs = saved["times_fs"]
    clock.before_s = saved["wall_time_s"]
    return load(saved, requests, watched)


def _answer(member: int, batch: Batch, recorder: Recorder, clock: Clock, provenance: Provenance) -> Answer:
    request = batch.requests[member]
    series, times, frames = recorder.read(member)
    reason = batch.failures.get(member)
    final = member_state(batch, batch.members.index(member)) if reason is None else None
    final = final or batch.last_good.get(member, request.state)
    trajectory = _trajectory(request.state, series, times, frames)
    run = Run(
        label=request.label,
        status="completed" if reason is None else "failed",
        reason=reason,
        formula=request.state.formula,
        n_atoms=len(request.state.numbers),
        volume_a3=request.state.volume_a3,
        steps=len(series["time_fs"]),
        segments=[
            _summarise(segment, {k: v[series["segment"] == i] for k, v in series.items()}, final)
            for i, segment in enumerate(request.segments)
            if (series["segment"] == i).sum() == segment.steps
        ],
        final=final,
        trajectory_id=None if trajectory is None else trajectory.sha256,
        wall_time_s=clock.total_s,
        provenance=provenance.model_copy(update={"seed": request.seed}),
    )
    return Answer(run=run, trajectory=trajectory)


def _trajectory(
    state: State, series: dict[str, FloatArray], times: FloatArray, frames: FloatArray
) -> Trajectory | None:
    if not len(frames):
        return None
    return Trajectory.from_arrays(
        numbers=np.array(state.numbers),
        positions=frames,
        cells=np.array(state.cell),
        times_fs=times,
        series=series,
    )


def _summarise(segment: Segment, series: dict[str, FloatArray], state: State) -> SegmentResult:
    """Averages over the part in which both energy and virial have settled."""
    energy = series["energy_ev"] / len(state.numbers)
    virial = series["pressure_virial_gpa"]
    start = max(detect_equilibration(energy), detect_equilibration(virial))
    half = len(energy) // 2
    drift = float(energy[half:].mean() - energy[:half].mean()) if half else 0.0
    return SegmentResult(
        segment=segment,
        equilibration_steps=start,
        temperature_k=_measured(series["temperature_k"][start:]),
        energy_ev_per_atom=_measured(energy[start:]),
        pressure_total_gpa=_measured(series["pressure_total_gpa"][start:]),
        pressure_virial_gpa=_measured(virial[start:]),
        energy_drift=drift / max(abs(float(energy.mean())), 1e-12),
    )


def _measured(values: FloatArray) -> Measured:
    estimate = estimate_mean(values)
    return Measured(value=estimate.mean, error=estimate.error)
