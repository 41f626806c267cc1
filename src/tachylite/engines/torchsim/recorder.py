"""Recording a batch: time series of every step and frames at intervals, in a log on disk."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tachylite.arrays import Array
from tachylite.engines.answers import SERIES, RecordedFrames
from tachylite.engines.torchsim.batch import Batch, PotentialWithStress, kinetic_energy
from tachylite.engines.torchsim.log import Log
from tachylite.engines.workdir import LOG
from tachylite.units import GPA_PER_EV_A3, KB_EV

_MEMBER_COLUMNS = SERIES[2:]

KINETIC, ENERGY, STRESS, FORCE, VOLUME = range(5)
"""Rows of `measure`: kinetic and potential energy (eV), trace of the stress (eV/A^3), largest squared force, volume
(A^3)."""

BUFFER_BYTES = 32 * 1024**2
"""The log is written at every checkpoint, and earlier when more than this has accumulated."""


def measure(batch: Batch, potential: PotentialWithStress) -> Tensor:
    """Measure every member at a step, (5, n_members), on the device."""
    state = batch.state
    largest = torch.zeros_like(state.energy)
    largest.scatter_reduce_(0, state.system_idx, state.forces.square().sum(dim=1), "amax")
    trace = potential.stress.diagonal(dim1=1, dim2=2).sum(dim=1)
    return torch.stack([kinetic_energy(batch), state.energy, trace, largest, state.volume])


def first_row(batch: Batch, potential: PotentialWithStress) -> Array:
    """Rows of the members before any step, (1, 5, n_members), as `Recorder.take_rows` returns them."""
    return _with_force(torch.stack([measure(batch, potential)]))


def temperatures_k(batch: Batch, rows: Array) -> Array:
    """Temperature of the internal motion in K, (n_steps, n_members), from rows of `measure`."""
    return np.asarray(2 * rows[:, KINETIC] / KB_EV / batch.freedoms.cpu().numpy())


def _with_force(rows: Tensor) -> Array:
    """Copy rows to the CPU, with the force instead of its square."""
    numbers: Array = rows.to(torch.float64).cpu().numpy().copy()
    numbers[:, FORCE] = np.sqrt(numbers[:, FORCE])
    return numbers


@dataclass(frozen=True)
class _Block:
    """Series between two checks: (2, n) shared, (n_members, 6, n) of members, and frames with their times.

    Frames are arrays of all atoms, (F, n_atoms, 3), and of members, (F, n_members, 3, 3), by name.
    """

    shared: Array
    members: Array
    frame_times: Array
    frames: dict[str, Array]

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.members.nbytes + sum(array.nbytes for array in self.frames.values())


@dataclass
class Recorder:
    """Time series and frames of a batch: on the device since the last check, then in memory, then in the log."""

    log: Log
    atoms: list[int]
    """Number of atoms of every request."""
    forces: bool
    """Whether frames hold forces and stresses beside positions and cells."""
    time_fs: float = 0.0
    rows: list[Tensor] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    frame_times: list[float] = field(default_factory=list)
    frames: list[dict[str, Tensor]] = field(default_factory=list)
    _blocks: list[_Block] = field(default_factory=list)

    @classmethod
    def in_folder(cls, folder: Path, atoms: list[int], forces: bool, saved: dict[str, Any] | None) -> "Recorder":
        """Begin, or continue from what `dump` returned."""
        path = folder / LOG
        if saved is None:
            return cls(Log(path), atoms, forces)
        return cls(Log(path, saved["log_bytes"]), atoms, forces, **{name: saved[name] for name in _BUFFERS})

    def dump(self) -> dict[str, Any]:
        """Content for a checkpoint, once `flush` has written the rest."""
        return {name: getattr(self, name) for name in _BUFFERS} | {"log_bytes": self.log.length}

    def record(self, batch: Batch, potential: PotentialWithStress) -> None:
        """Record the step just taken."""
        self.time_fs += batch.schedule.timestep_fs
        self.times.append(self.time_fs)
        self.rows.append(measure(batch, potential))
        every = batch.schedule.record_every
        if every and batch.step % every == 0:
            self.frame_times.append(self.time_fs)
            self.frames.append(self._frame(batch, potential))

    def _frame(self, batch: Batch, potential: PotentialWithStress) -> dict[str, Tensor]:
        state = batch.state
        frame = {"positions": state.positions, "cells": state.row_vector_cell}
        return frame | ({"forces": state.forces, "stresses": potential.stress} if self.forces else {})

    def take_rows(self, batch: Batch) -> Array:
        """Move what was recorded since the last check to memory; its rows of `measure`, (n_steps, 5, n_members).

        Instead of the squared force they hold the force itself.
        """
        rows = _with_force(torch.stack(self.rows))
        count = len(rows)
        temperature = temperatures_k(batch, rows)
        virial = -rows[:, STRESS] / 3 * GPA_PER_EV_A3
        kinetic = batch.sizes.cpu().numpy() * KB_EV * temperature / rows[:, VOLUME] * GPA_PER_EV_A3
        columns = [batch.targets_k(count), temperature, rows[:, ENERGY], virial, virial + kinetic, rows[:, VOLUME]]
        self._blocks.append(
            _Block(
                shared=np.array([self.times, [batch.segment] * count]),
                members=np.stack(columns).transpose(2, 0, 1),
                frame_times=np.array(self.frame_times),
                frames=self._stacked_frames(batch),
            )
        )
        self.rows, self.times, self.frame_times, self.frames = [], [], [], []
        return rows

    def _stacked_frames(self, batch: Batch) -> dict[str, Array]:
        if not self.frames:
            sizes = {"positions": (0, len(batch.state.positions), 3), "cells": (0, len(batch.members), 3, 3)}
            return {name: np.empty(sizes[_LIKE[name]]) for name in self._parts}
        stacked = {name: torch.stack([frame[name] for frame in self.frames]) for name in self._parts}
        return {name: tensor.to(torch.float64).cpu().numpy() for name, tensor in stacked.items()}

    @property
    def _parts(self) -> list[str]:
        """What a frame holds."""
        return ["positions", "cells", "forces", "stresses"] if self.forces else ["positions", "cells"]

    def flush_if_full(self, batch: Batch) -> None:
        """Write blocks to the log if they exceed BUFFER_BYTES."""
        if sum(block.size for block in self._blocks) > BUFFER_BYTES:
            self.flush(batch)

    def flush(self, batch: Batch) -> None:
        """Write blocks to the log; `batch` holds the members that they are of."""
        if not self._blocks:
            return
        shared = np.concatenate([b.shared for b in self._blocks], axis=1)
        members = np.concatenate([b.members for b in self._blocks], axis=2)
        frame_times = np.concatenate([b.frame_times for b in self._blocks])
        frames = {name: np.concatenate([b.frames[name] for b in self._blocks]) for name in self._parts}
        arrays: list[Array] = [shared, frame_times]
        ends = np.cumsum([self.atoms[m] for m in batch.members])
        for index, member in enumerate(batch.members):
            atoms = slice(ends[index] - self.atoms[member], ends[index])
            arrays.append(members[index])
            arrays += [frames[name][:, atoms if _LIKE[name] == "positions" else index] for name in self._parts]
        header = {
            "members": batch.members,
            "steps": shared.shape[1],
            "frames": len(frame_times),
            "numbers": sum(a.size for a in arrays),
        }
        self.log.append(header, arrays)
        self._blocks = []

    def read(self, member: int, until: int | None = None) -> tuple[dict[str, Array], RecordedFrames]:
        """Series by column name, and frames, of a member; only the first `until` steps, where a number is given."""
        records = [(header, start) for header, start in self.log.headers() if member in header["members"]]
        table = [np.empty((len(SERIES), 0))]
        times, parts = [np.empty(0)], [{name: np.empty((0, *self._shape(name, member))) for name in self._parts}]
        for header, start in records:
            steps, count = header["steps"], header["frames"]
            before = header["members"][: header["members"].index(member)]
            place = 2 * steps + count + sum(self._numbers(m, steps, count) for m in before)
            shared = self.log.read(start, 0, 2 * steps).reshape(2, steps)
            own = self.log.read(start, place, len(_MEMBER_COLUMNS) * steps).reshape(-1, steps)
            table.append(np.concatenate([shared, own]))
            times.append(self.log.read(start, 2 * steps, count))
            place += own.size
            frames = {}
            for name in self._parts:
                shape = (count, *self._shape(name, member))
                frames[name] = self.log.read(start, place, math.prod(shape)).reshape(shape)
                place += math.prod(shape)
            parts.append(frames)
        columns = np.concatenate(table, axis=1)
        series = {name: columns[i, :until] for i, name in enumerate(SERIES)}
        last = series["time_fs"][-1] if len(series["time_fs"]) else -1.0
        times_fs = np.concatenate(times)
        kept = slice(int(np.searchsorted(times_fs, last, side="right")))
        arrays = {name: np.concatenate([part[name] for part in parts])[kept] for name in self._parts}
        return series, RecordedFrames(times_fs=times_fs[kept], **arrays)

    def _shape(self, name: str, member: int) -> tuple[int, int]:
        """Of one frame of a member."""
        return (self.atoms[member], 3) if _LIKE[name] == "positions" else (3, 3)

    def _numbers(self, member: int, steps: int, frames: int) -> int:
        """How many numbers a record holds of a member."""
        return len(_MEMBER_COLUMNS) * steps + frames * sum(math.prod(self._shape(n, member)) for n in self._parts)


_BUFFERS = ("time_fs", "rows", "times", "frame_times", "frames")
_LIKE = {"positions": "positions", "forces": "positions", "cells": "cells", "stresses": "cells"}
"""What a part of a frame has the shape of."""
