"""Molecular dynamics of one member in chunks, each a call of a program that continues the one before."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.answers import SERIES, RecordedFrames, make_answer, total_pressure_gpa
from tachylite.engines.base import Answer
from tachylite.engines.chunks import Chunk
from tachylite.engines.interruption import Interruption, must_end
from tachylite.schemas import Provenance, Request, Segment, State
from tachylite.units import EV_PER_U_A2_FS2, KB_EV


@dataclass
class ChunkedRun(ABC):
    """Molecular dynamics of one request as a sequence of calls of a program, each a chunk of its steps."""

    request: Request
    folder: Path
    chunk_steps: int
    max_crashes: int
    chunks: list[Chunk] = field(default_factory=list)
    attempts: int = 0
    crashes: int = 0
    reason: str | None = None

    @property
    def done(self) -> int:
        """Steps done in all segments."""
        return sum(chunk.steps for chunk in self.chunks)

    @property
    def total(self) -> int:
        """Steps of all segments."""
        return sum(segment.steps for segment in self.request.segments)

    @property
    def place(self) -> tuple[int, int]:
        """Current segment, and its steps done."""
        before = 0
        for index, segment in enumerate(self.request.segments):
            if self.done < before + segment.steps:
                return index, self.done - before
            before += segment.steps
        raise IndexError("no segment is left")

    @property
    def state(self) -> State:
        """State from which the next chunk starts."""
        return self.chunks[-1].final if self.chunks else self.request.state

    @property
    def repeated(self) -> bool:
        """Whether the first step of the next chunk is the last one of the chunk before."""
        return bool(self.chunks) and self.chunks[-1].repeats

    def resume(self) -> None:
        """Read the chunks that earlier processes left, including the steps of a call that was killed."""
        for folder in sorted(self.folder.glob("chunk-*")):
            self.attempts += 1
            if self.done == self.total:
                continue
            chunk = Chunk.load(folder)
            if chunk is None:
                chunk = self._read_killed(folder)
                chunk.save(folder)
            if chunk.problem is None and chunk.steps:
                self.chunks.append(chunk)

    def run(self, interruption: Interruption) -> None:
        """Run chunks until all steps are done or one has a problem.

        A program that crashes after some steps is called again from the last one, at most `max_crashes` times.
        """
        step_s = 0.0
        while self.done < self.total and self.reason is None:
            if must_end(interruption, step_s):
                self._end(interruption)
            chunk, error = self._run_chunk(interruption)
            step_s = chunk.wall_time_s / max(chunk.steps, 1)
            self.crashes += error is not None
            # the signal that ends this process may have ended the program too
            ended_by_signal = not chunk.steps and must_end(interruption, 0.0)
            if chunk.problem is not None and not ended_by_signal:
                self.reason = self._located(chunk.problem, chunk)
            elif self.crashes > self.max_crashes:
                self.reason = self._located(f"{error}, {self.crashes} times", chunk)
            self.chunks.append(chunk)

    def _end(self, interruption: Interruption) -> None:
        interruption.end(f"at step {self.done:,} of {self.total:,} of {self.request.label}")

    def _run_chunk(self, interruption: Interruption) -> tuple[Chunk, str | None]:
        folder = self.folder / f"chunk-{self.attempts:04d}"
        self.attempts += 1
        started = time.monotonic()
        error = self._call(folder, interruption)
        chunk = replace(self._read(folder, error), wall_time_s=time.monotonic() - started)
        chunk.save(folder)
        return chunk, error

    @property
    def next_steps(self) -> int:
        """Steps that the next call makes, with the one that it repeats."""
        index, begin = self.place
        return min(self.chunk_steps, self.request.segments[index].steps - begin) + self.repeated

    @abstractmethod
    def _call(self, folder: Path, interruption: Interruption) -> str | None:
        """Write the inputs of the next chunk to a folder and run the program; the error in one line, or None."""

    @abstractmethod
    def _read(self, folder: Path, error: str | None) -> Chunk:
        """Read what a call, with its error, left in a folder."""

    def _read_killed(self, folder: Path) -> Chunk:
        """Read what a call left that ended with the process which made it."""
        return self._read(folder, None)

    def _start(self, segment: Segment, begin: int) -> State:
        """Initial state of the next chunk, with velocities; without a drift where the thermostat would preserve it."""
        state = self.state
        masses = state.atoms.get_masses()[:, None]
        if state.velocities is None:
            normal = np.random.default_rng(self.request.seed).standard_normal((len(masses), 3))
            velocities = normal * np.sqrt(KB_EV * segment.temperature_k / EV_PER_U_A2_FS2 / masses)
        else:
            velocities = np.asarray(state.velocities)
        if begin == 0 and not _is_langevin(segment):
            velocities = velocities - (masses * velocities).sum(axis=0) / masses.sum()
        return state.model_copy(update={"velocities": velocities.tolist()})

    def _located(self, problem: str, chunk: Chunk) -> str:
        return f"{problem}, at step {chunk.begin + chunk.steps + 1} of segment {chunk.segment + 1}"

    def answer(self, provenance: Provenance) -> Answer:
        """The document and trajectory of the steps that were done."""
        series, frames = self._series()
        latest = next((chunk for chunk in reversed(self.chunks) if chunk.version), None)
        if latest is not None:
            provenance = self._with_program(provenance, latest)
        return make_answer(
            self.request,
            series=series,
            frames=frames,
            final=self.state,
            reason=self.reason,
            wall_time_s=sum(chunk.wall_time_s for chunk in self.chunks),
            provenance=provenance,
        )

    @abstractmethod
    def _with_program(self, provenance: Provenance, latest: Chunk) -> Provenance:
        """Provenance with what is known since the program has run, such as its version."""

    def _freedoms(self, segment: Segment) -> int:
        """Degrees of freedom of a segment: 3 fewer where the centre of mass is at rest."""
        return max(3 * len(self.request.state.numbers) - (0 if _is_langevin(segment) else 3), 1)

    def _series(self) -> tuple[dict[str, Array], RecordedFrames]:
        """Series by name, and frames; step 1 is the initial state."""
        n_atoms = len(self.request.state.numbers)
        rows: dict[str, list[Array]] = {name: [] for name in SERIES}
        times, before_fs = [np.empty(0)], 0.0
        for index, segment in enumerate(self.request.segments):
            for chunk in (c for c in self.chunks if c.segment == index):
                steps = np.arange(chunk.begin, chunk.begin + chunk.steps, dtype=np.float64)
                temperature = 2 * chunk.kinetic_ev / KB_EV / self._freedoms(segment)
                total = total_pressure_gpa(chunk.virial_gpa, temperature, n_atoms, chunk.volume_a3)
                rows["time_fs"].append(before_fs + (steps + 1) * segment.timestep_fs)
                rows["segment"].append(np.full(chunk.steps, float(index)))
                rows["target_temperature_k"].append(np.array([segment.temperature_at(int(i)) for i in steps]))
                rows["temperature_k"].append(temperature)
                rows["energy_ev"].append(chunk.energy_ev)
                rows["pressure_virial_gpa"].append(chunk.virial_gpa)
                rows["pressure_total_gpa"].append(total)
                rows["volume_a3"].append(chunk.volume_a3)
                times.append(before_fs + chunk.frame_steps * segment.timestep_fs)
            before_fs += segment.steps * segment.timestep_fs
        series = {name: np.concatenate([*parts, np.empty(0)]) for name, parts in rows.items()}
        forces = self.request.record_forces
        return series, RecordedFrames(
            times_fs=np.concatenate(times),
            positions=self._frames("frames", n_atoms),
            cells=self._frames("frame_cells", 3),
            forces=self._frames("frame_forces", n_atoms) if forces else None,
            stresses=self._frames("frame_stresses", 3) if forces else None,
        )

    def _frames(self, name: str, rows: int) -> Array:
        return np.concatenate([np.empty((0, rows, 3)), *(getattr(chunk, name) for chunk in self.chunks)])


def _is_langevin(segment: Segment) -> bool:
    """Whether a Langevin thermostat, or that of the barostat, moves the cell as a whole."""
    return segment.thermostat == "langevin" or segment.pressure_gpa is not None
