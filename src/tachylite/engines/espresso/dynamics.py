"""Molecular dynamics of one member in chunks, each a call of pw.x that continues the one before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.chunked_run import ChunkedRun
from tachylite.engines.chunks import Chunk, recorded_steps
from tachylite.engines.espresso.calling import end_orphan, report_progress
from tachylite.engines.espresso.inputs import Task
from tachylite.engines.espresso.output import Output, Step, read_output
from tachylite.engines.espresso.preparation import Preparation, cutoff_refusal, prepare
from tachylite.engines.espresso.program import Program
from tachylite.engines.espresso.settings import k_mesh, kspacing_for_gap
from tachylite.engines.espresso.thermostat import apply_thermostat, kinetic_energy
from tachylite.engines.interruption import Interruption
from tachylite.schemas import Provenance, Segment, State
from tachylite.units import GPA_PER_EV_A3

_DENSER = 0.9
"""Ratio of the distances of k-points from which on a closing gap ends a run."""


@dataclass(kw_only=True)
class PwRun(ChunkedRun):
    """Molecular dynamics of one request as a sequence of calls of pw.x, each a chunk of its steps.

    A call repeats the last step of the one before, from its charge density and wave functions.
    """

    program: Program
    max_pulay_gpa: float
    preparation: Preparation | None = None

    def run(self, interruption: Interruption) -> None:
        """Choose the k-mesh, continue what was begun earlier, and run chunks until one has a problem or all is done."""
        if not self.request.constant_volume:
            self.reason = "molecular dynamics of pw.x runs at constant volume; leave pressure_gpa out"
        if self.reason is not None:
            return
        preparation = prepare(
            self.program,
            self.request.state,
            self.folder,
            interruption,
            self.request.label,
            max_crashes=self.max_crashes,
        )
        if isinstance(preparation, str):
            self.reason = preparation
            return
        self.preparation = preparation
        self.reason = cutoff_refusal(self._pulay_gpa(), self.program.level.ecutwfc_ry, self.max_pulay_gpa)
        self.resume()
        super().run(interruption)

    def _pulay_gpa(self) -> float:
        return self.preparation.pulay_pressure_gpa(self.request.state.volume_a3) if self.preparation else 0.0

    def _mesh(self) -> tuple[int, int, int]:
        assert self.preparation is not None  # noqa: S101 - for the type checker: `run` has made it
        return k_mesh(self.request.state.cell, self.preparation.kspacing_per_a)

    def _start(self, segment: Segment, begin: int) -> State:
        """State of the next call, with velocities after the thermostat has acted for the chunk before."""
        state = super()._start(segment, begin)
        if begin == 0:
            return state
        index, _ = self.place
        # a call that was interrupted may have made no step
        last = next(chunk for chunk in reversed(self.chunks) if chunk.steps)
        elapsed_fs = last.steps * segment.timestep_fs
        rng = np.random.default_rng([self.request.seed, index, begin])
        masses, velocities = state.atoms.get_masses(), np.asarray(state.velocities)
        target_k = segment.temperature_at(begin)
        changed = apply_thermostat(velocities, masses, segment.thermostat, target_k, elapsed_fs, rng)
        return state.model_copy(update={"velocities": changed.tolist()})

    def _call(self, folder: Path, interruption: Interruption) -> str | None:
        index, begin = self.place
        segment = self.request.segments[index]
        task = Task(
            "md",
            self._mesh(),
            steps=self.next_steps,
            timestep_fs=segment.timestep_fs,
            scratch=False,
            same_waves=self.repeated,
        )
        earlier = self.folder / f"chunk-{self.attempts - 2:04d}" if self.attempts > 1 else self.folder / "cutoff-higher"
        report = report_progress(self.request.label, self.done, self.total)
        start = self._start(segment, begin)
        _, error = self.program.compute(folder, start, task, interruption, report=report, earlier=earlier)
        return error

    def _read_killed(self, folder: Path) -> Chunk:
        end_orphan(folder)
        return self._read(folder, None)

    def _read(self, folder: Path, error: str | None) -> Chunk:
        index, begin = self.place
        segment = self.request.segments[index]
        output = read_output(folder)
        steps, velocities = _complete_steps(output, self._start(segment, begin), segment.timestep_fs)
        is_whole = [step.finite and step.converged for step in steps]
        good = is_whole.index(False) if False in is_whole else len(steps)
        problem = self._problem(output, steps, good, error)
        skipped = int(self.repeated)
        final, repeats = self.state, self.repeated
        if good > 0:
            repeats = True
            final = self.state.model_copy(
                update={"positions": steps[good - 1].positions.tolist(), "velocities": velocities[good - 1].tolist()}
            )
        kept = range(skipped, max(good, skipped))
        masses = self.request.state.atoms.get_masses()
        frame_steps = recorded_steps(segment, begin, len(kept))
        positions = np.array([steps[i].positions for i in kept]).reshape(len(kept), len(masses), 3)
        chosen = frame_steps - begin - 1
        forces = np.array([steps[i].forces for i in kept]).reshape(positions.shape)
        stresses = np.array([output.stresses_gpa[i] for i in kept]).reshape(-1, 3, 3)
        pulay_gpa = self._pulay_gpa()
        return Chunk(
            segment=index,
            begin=begin,
            final=final,
            energy_ev=np.array([steps[i].energy_ev for i in kept]),
            kinetic_ev=np.array([kinetic_energy(velocities[i], masses) for i in kept]),
            virial_gpa=-np.trace(stresses, axis1=1, axis2=2) / 3 - pulay_gpa,
            volume_a3=np.full(len(kept), self.request.state.volume_a3),
            frame_steps=frame_steps.astype(np.float64),
            frames=positions[chosen],
            frame_cells=np.broadcast_to(np.asarray(self.request.state.cell), (len(chosen), 3, 3)),
            frame_forces=forces[chosen],
            frame_stresses=(stresses[chosen] + pulay_gpa * np.eye(3)) / GPA_PER_EV_A3,
            repeats=repeats,
            problem=problem,
            version=output.version,
        )

    def _problem(self, output: Output, steps: list[Step], good: int, error: str | None) -> str | None:
        """Why the run cannot go on from these steps, or None."""
        if good < len(steps):
            return "diverged: an energy, force or position is not a number (NaN)"
        if error is not None and "did not converge" in error:
            return error
        if good <= int(self.repeated):
            return error or "pw.x ended without a step"
        level, preparation = self.program.level, self.preparation
        if level.kspacing_per_a is None and preparation is not None and output.gap_ev is not None:
            spacing = kspacing_for_gap(output.gap_ev)
            if spacing < _DENSER * preparation.kspacing_per_a:
                return (
                    f"the band gap fell to {output.gap_ev:.2f} eV, for which the k-mesh is too coarse; "
                    f"give kspacing={spacing:.2g}"
                )
        return None

    def _freedoms(self, segment: Segment) -> int:
        """Degrees of freedom: pw.x keeps the centre of mass at rest, whatever the thermostat."""
        return max(3 * len(self.request.state.numbers) - 3, 1)

    def _with_program(self, provenance: Provenance, latest: Chunk) -> Provenance:
        details: dict[str, Any] = {}
        if self.preparation is not None:
            details = {
                "k_mesh": list(self._mesh()),
                "band_gap_ev": self.preparation.gap_ev,
                "pulay_pressure_gpa": self._pulay_gpa(),
            }
        return provenance.model_copy(
            update={
                "versions": provenance.versions | {"pw.x": latest.version},
                "options": provenance.options | details,
            }
        )


def _complete_steps(output: Output, start: State, timestep_fs: float) -> tuple[list[Step], Array]:
    """Steps of a call whose velocities are known, and these (steps, N, 3) in A/fs, by central differences."""
    steps = output.steps[: len(output.stresses_gpa)]
    positions = [step.positions for step in steps]
    # pw.x has moved the atoms on after the last step
    if output.final is not None and len(output.steps) == len(steps):
        positions.append(output.final.positions)
    known = len(positions) - 1
    n_atoms = len(start.numbers)
    if known < 1 or any(len(p) != n_atoms for p in positions):
        return [], np.empty((0, n_atoms, 3))
    path = np.array(positions)
    velocities = [np.asarray(start.velocities)]
    velocities += [(path[i + 1] - path[i - 1]) / (2 * timestep_fs) for i in range(1, known)]
    return steps[:known], np.array(velocities)
