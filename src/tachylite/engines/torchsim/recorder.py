"""Recording a batch: time series of every step and frames at intervals, in a log on disk."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tachylite.arrays import Array
from tachylite.engines.torchsim.batch import Batch, PotentialWithStress, kinetic_energy
from tachylite.engines.torchsim.log import Log
from tachylite.engines.workdir import LOG
from tachylite.units import GPA_PER_EV_A3, KB_EV

SHARED_COLUMNS = ("time_fs", "segment")
MEMBER_COLUMNS = (
    "target_temperature_k",
    "temperature_k",
    "energy_ev",
    "pressure_virial_gpa",
    "pressure_total_gpa",
)

KINETIC, ENERGY, STRESS, FORCE = range(4)
"""Rows of `measure`: kinetic and potential energy (eV), trace of the stress (eV/A^3), largest squared force."""

BUFFER_BYTES = 32 * 1024**2
"""The log is written at every checkpoint, and earlier when more than this has accumulated."""


def measure(batch: Batch, potential: PotentialWithStress) -> Tensor:
    """Measure every member at a step, (4, n_members), on the device."""
    state = batch.state
    largest = torch.zeros_like(state.energy)
    largest.scatter_reduce_(0, state.system_idx, state.forces.square().sum(dim=1), "amax")
    trace = potential.stress.diagonal(dim1=1, dim2=2).sum(dim=1)
    return torch.stack([kinetic_energy(batch), state.energy, trace, largest])


def first_row(batch: Batch, potential: PotentialWithStress) -> Array:
    """Rows of the members before any step, (1, 4, n_members), as `Recorder.take_rows` returns them."""
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
    """Series between two checks: (2, n) shared, (n_members, 5, n) of members, and frames with their times."""

    shared: Array
    members: Array
    frame_times: Array
    frames: Array

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.members.nbytes + self.frames.nbytes


@dataclass
class Recorder:
    """Time series and frames of a batch: on the device since the last check, then in memory, then in the log."""

    log: Log
    atoms: list[int]
    """Number of atoms of every request."""
    time_fs: float = 0.0
    rows: list[Tensor] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    frames: list[tuple[float, Tensor]] = field(default_factory=list)
    _blocks: list[_Block] = field(default_factory=list)

    @classmethod
    def in_folder(cls, folder: Path, atoms: list[int], saved: dict[str, Any] | None) -> "Recorder":
        """Begin, or continue from what `dump` returned."""
        path = folder / LOG
        if saved is None:
            return cls(Log(path), atoms)
        buffers = {name: saved[name] for name in ("time_fs", "rows", "times", "frames")}
        return cls(Log(path, saved["log_bytes"]), atoms, **buffers)

    def dump(self) -> dict[str, Any]:
        """Content for a checkpoint, once `flush` has written the rest."""
        buffers = {"time_fs": self.time_fs, "rows": self.rows, "times": self.times, "frames": self.frames}
        return buffers | {"log_bytes": self.log.length}

    def record(self, batch: Batch, potential: PotentialWithStress) -> None:
        """Record the step just taken."""
        self.time_fs += batch.schedule.timestep_fs
        self.times.append(self.time_fs)
        self.rows.append(measure(batch, potential))
        every = batch.schedule.record_every
        if every and batch.step % every == 0:
            self.frames.append((self.time_fs, batch.state.positions))

    def take_rows(self, batch: Batch) -> Array:
        """Move what was recorded since the last check to memory; its rows of `measure`, (n_steps, 4, n_members).

        The last of a row's quantities is the force itself.
        """
        rows = _with_force(torch.stack(self.rows))
        count = len(rows)
        temperature = temperatures_k(batch, rows)
        volumes = batch.state.volume.cpu().numpy()
        virial = -rows[:, STRESS] / 3 * GPA_PER_EV_A3
        kinetic = batch.sizes.cpu().numpy() * KB_EV * temperature / volumes * GPA_PER_EV_A3
        columns = [batch.targets_k(count), temperature, rows[:, ENERGY], virial, virial + kinetic]
        times, positions = zip(*self.frames, strict=True) if self.frames else ((), ())
        frames = torch.stack(positions).to(torch.float64).cpu().numpy() if positions else np.empty((0, 0, 3))
        self._blocks.append(
            _Block(
                shared=np.array([self.times, [batch.segment] * count]),
                members=np.stack(columns).transpose(2, 0, 1),
                frame_times=np.array(times),
                frames=frames,
            )
        )
        self.rows, self.times, self.frames = [], [], []
        return rows

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
        frames = np.concatenate([b.frames for b in self._blocks if len(b.frames)] or [np.empty((0, 0, 3))])
        arrays: list[Array] = [shared, frame_times]
        ends = np.cumsum([self.atoms[m] for m in batch.members])
        for index, member in enumerate(batch.members):
            arrays += [members[index], frames[:, ends[index] - self.atoms[member] : ends[index]]]
        header = {
            "members": batch.members,
            "steps": shared.shape[1],
            "frames": len(frame_times),
            "numbers": sum(a.size for a in arrays),
        }
        self.log.append(header, arrays)
        self._blocks = []

    def read(self, member: int, until: int | None = None) -> tuple[dict[str, Array], Array, Array]:
        """Series by column name, frame times (F,) in fs and positions (F, N, 3) in A of a member.

        Only the first `until` steps, where a number is given.
        """
        records = [(header, start) for header, start in self.log.headers() if member in header["members"]]
        atoms = self.atoms[member]
        steps, count = (sum(header[key] for header, _ in records) for key in ("steps", "frames"))
        table = np.empty((len(SHARED_COLUMNS) + len(MEMBER_COLUMNS), steps))
        times, frames = np.empty(count), np.empty((count, atoms, 3))
        step = frame = 0
        for header, start in records:
            n, f = header["steps"], header["frames"]
            before = header["members"][: header["members"].index(member)]
            skip = 2 * n + f + sum(len(MEMBER_COLUMNS) * n + 3 * self.atoms[m] * f for m in before)
            table[:2, step : step + n] = self.log.read(start, 0, 2 * n).reshape(2, n)
            table[2:, step : step + n] = self.log.read(start, skip, len(MEMBER_COLUMNS) * n).reshape(-1, n)
            times[frame : frame + f] = self.log.read(start, 2 * n, f)
            flat = self.log.read(start, skip + len(MEMBER_COLUMNS) * n, 3 * atoms * f)
            frames[frame : frame + f] = flat.reshape(f, atoms, 3)
            step, frame = step + n, frame + f
        series = {name: table[i, :until] for i, name in enumerate((*SHARED_COLUMNS, *MEMBER_COLUMNS))}
        last = series["time_fs"][-1] if len(series["time_fs"]) else -1.0
        n_frames = int(np.searchsorted(times, last, side="right"))
        return series, times[:n_frames], frames[:n_frames]
