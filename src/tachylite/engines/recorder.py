"""What a batch leaves behind: a row of averages each step, a frame every so often, in chunks on disk."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tachylite.engines.batch import Batch, Watched, degrees_of_freedom, kinetic_energy
from tachylite.engines.workdir import write_atomically
from tachylite.units import GPA_PER_EV_A3, KB_EV

COLUMNS = (
    "time_fs",
    "segment",
    "target_temperature_k",
    "temperature_k",
    "energy_ev",
    "pressure_virial_gpa",
    "pressure_total_gpa",
)

type FloatArray = NDArray[np.float64]


@dataclass
class Recorder:
    """Rows and frames since the last checkpoint, per member; earlier ones lie in chunk files."""

    folder: Path
    chunks: int = 0
    times_fs: dict[int, float] = field(default_factory=dict)
    rows: dict[int, list[FloatArray]] = field(default_factory=dict)
    frames: dict[int, list[tuple[float, FloatArray]]] = field(default_factory=dict)

    def record(self, batch: Batch, potential: Watched) -> None:
        """Take down the step just made."""
        rows = _measure(batch, potential)
        segment = batch.schedule
        frame_due = segment.record_every and batch.step % segment.record_every == 0
        positions = batch.state.positions.cpu().numpy() if frame_due else None
        owner = batch.state.system_idx.cpu().numpy() if frame_due else None
        for index, member in enumerate(batch.members):
            time_fs = self.times_fs.get(member, 0.0) + segment.timestep_fs
            self.times_fs[member] = time_fs
            self.rows.setdefault(member, []).append(np.concatenate([[time_fs, batch.segment], rows[index]]))
            if positions is not None:
                self.frames.setdefault(member, []).append((time_fs, positions[owner == index].copy()))

    def flush(self) -> None:
        """Write what has been recorded since the last time as a chunk, and forget it."""
        if not self.rows:
            return
        self.chunks += 1
        arrays: dict[str, NDArray[np.float64]] = {}
        for member, rows in self.rows.items():
            arrays[f"rows-{member}"] = np.array(rows)
        for member, frames in self.frames.items():
            arrays[f"times-{member}"] = np.array([t for t, _ in frames])
            arrays[f"frames-{member}"] = np.array([x for _, x in frames])
        write_atomically(self._chunk(self.chunks), _npz(arrays))
        self.rows, self.frames = {}, {}

    def read(self, member: int) -> tuple[dict[str, FloatArray], FloatArray, FloatArray]:
        """Series by column name, frame times (F,) in fs and positions (F, N, 3) in A of a member."""
        rows: list[FloatArray] = []
        times: list[FloatArray] = []
        frames: list[FloatArray] = []
        for number in range(1, self.chunks + 1):
            with np.load(self._chunk(number)) as chunk:
                if f"rows-{member}" in chunk:
                    rows.append(chunk[f"rows-{member}"])
                if f"frames-{member}" in chunk:
                    times.append(chunk[f"times-{member}"])
                    frames.append(chunk[f"frames-{member}"])
        table = np.concatenate(rows) if rows else np.empty((0, len(COLUMNS)))
        series = {name: table[:, i] for i, name in enumerate(COLUMNS)}
        if not frames:
            return series, np.empty(0), np.empty((0, 0, 3))
        return series, np.concatenate(times), np.concatenate(frames)

    def _chunk(self, number: int) -> Path:
        return self.folder / f"chunk-{number:05d}.npz"


def _measure(batch: Batch, potential: Watched) -> FloatArray:
    """Target and actual temperature (K), potential energy (eV), virial and total pressure (GPa); a row a member.

    The kinetic part of the total pressure is N k T / V with the temperature of the internal motion.
    """
    state = batch.state
    temperature = 2 * kinetic_energy(batch) / degrees_of_freedom(batch) / KB_EV
    virial = -torch.einsum("sii->s", potential.stress) / 3 * GPA_PER_EV_A3
    kinetic = state.n_atoms_per_system * KB_EV * temperature / state.volume * GPA_PER_EV_A3
    columns = [batch.targets_k, temperature, state.energy, virial, virial + kinetic]
    return torch.stack([c.to(torch.float64) for c in columns], dim=1).cpu().numpy()


def _npz(arrays: dict[str, NDArray[np.float64]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
