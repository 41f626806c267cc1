"""Relaxation of one state, with or without its cell, by calls of pw.x that each continue the one before."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.engines.answers import relaxation_by_calls
from tachylite.engines.espresso.calling import OUTPUT, end_orphan, has_ended, report_progress
from tachylite.engines.espresso.inputs import Task
from tachylite.engines.espresso.output import Output, read_output
from tachylite.engines.espresso.preparation import Preparation, cutoff_refusal, prepare
from tachylite.engines.espresso.program import Program
from tachylite.engines.espresso.settings import k_mesh, kspacing_for_gap
from tachylite.engines.interruption import Interruption, must_end
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import Relaxation

RECORD = "stage.json"

MAX_STEPS = 100
"""Ionic steps of one call; a relaxation that needs more is continued by another one."""

_MAX_CALLS = 8
"""The plane waves of a call are those of its first cell, so that a cell needs two calls or three."""

_MAX_STRESS_GPA = 0.1
"""Largest component of the stress of a relaxed cell."""

_DENSER = 0.9
"""Ratio of the distances of k-points from which on a denser mesh is worth another call."""


@dataclass
class PwRelaxation:
    """Relaxation of one state by successive calls of pw.x, and the result of the last of them."""

    program: Program
    state: State
    folder: Path
    label: str
    relax_cell: bool
    max_force_ev_a: float
    max_pulay_gpa: float
    preparation: Preparation | None = None
    kspacing_per_a: float = 0.0
    calls: int = 0
    steps: int = 0
    crashes: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    _earlier: Path | None = None

    def run(self, interruption: Interruption, max_crashes: int) -> None:
        """Relax until forces and, with the cell, the stress are small enough, or a call has a problem."""
        if self.reason is not None:
            return
        preparation = prepare(self.program, self.state, self.folder, interruption, self.label, max_crashes=max_crashes)
        if isinstance(preparation, str):
            self.reason = preparation
            return
        self.preparation, self.kspacing_per_a = preparation, preparation.kspacing_per_a
        self._earlier = self.folder / "cutoff-higher"
        pulay_gpa = preparation.pulay_pressure_gpa(self.state.volume_a3)
        self.reason = cutoff_refusal(pulay_gpa, self.program.level.ecutwfc_ry, self.max_pulay_gpa)
        self._resume()
        begun = self.calls
        while self.reason is None and not self._is_converged():
            if must_end(interruption, 0.0):
                interruption.end(f"after {self.steps} steps of relaxing {self.label}")
            if self.calls - begun - self.crashes >= _MAX_CALLS:
                self.reason = self._not_converged()
                return
            error = self._call(interruption)
            if error is not None and not must_end(interruption, 0.0):
                self.crashes += 1
                if self.crashes > max_crashes or "did not converge" in error:
                    self.reason = error

    def _resume(self) -> None:
        """Read the records that earlier processes left, including the steps of a call that was killed."""
        for folder in sorted(self.folder.glob("stage-*")):
            self.calls += 1
            self._earlier = folder
            if (folder / RECORD).exists():
                self._apply(json.loads((folder / RECORD).read_bytes()))
                continue
            end_orphan(folder)
            self._store(read_output(folder), folder, self._mesh())

    def _call(self, interruption: Interruption) -> str | None:
        assert self.preparation is not None  # noqa: S101 - for the type checker: `run` has made it
        folder = self.folder / f"stage-{self.calls:02d}"
        self.calls += 1
        mesh = self._mesh()
        task = Task(
            "vc-relax" if self.relax_cell else "relax",
            mesh,
            steps=MAX_STEPS,
            max_force_ev_a=self.max_force_ev_a,
            # pw.x computes this pressure where the true one is zero
            pressure_gpa=self.preparation.pulay_pressure_gpa(self.state.volume_a3),
            pressure_error_gpa=_MAX_STRESS_GPA / 2,
            scratch=False,
            symmetric=self.crashes == 0,
        )
        report = report_progress(self.label, self.steps, self.steps + MAX_STEPS)
        output, error = self.program.compute(
            folder, self.state, task, interruption, report=report, earlier=self._earlier
        )
        self._earlier = folder
        if not self._store(output, folder, mesh) and error is None and not must_end(interruption, 0.0):
            return f"pw.x ended without a result; see {folder}"
        return error

    def _mesh(self) -> tuple[int, int, int]:
        return k_mesh(self.state.cell, self.kspacing_per_a)

    def _store(self, output: Output, folder: Path, mesh: tuple[int, int, int]) -> bool:
        """Record the last good step of a call; False where there is none."""
        good = [step for step in output.steps if step.finite and step.converged]
        is_final = output.final is not None and output.final.finite and output.final.converged
        # an interrupted call has moved the atoms on, and the forces in its file are not of its structure
        ended = is_final and len(output.stresses_gpa) > 0 and _ended(folder)
        last = output.final if ended else (good[-1] if good else None)
        if last is None or not last.finite:
            return False
        stress = output.stresses_gpa[-1 if ended else len(good) - 1] if output.stresses_gpa else None
        record = {
            "state": _replace_atoms(self.state, last.positions, last.cell).model_dump(),
            "energy_ev": last.energy_ev,
            "max_force_ev_a": float(np.linalg.norm(last.forces, axis=1).max()),
            "forces_ev_a": last.forces.tolist(),
            "stress_gpa": None if stress is None else stress.tolist(),
            "steps": len(good),
            "gap_ev": output.gap_ev,
            "mesh": list(mesh),
            "version": output.version,
            "ended": bool(ended),
        }
        write_atomically(folder / RECORD, json.dumps(record).encode())
        self._apply(record)
        return True

    def _apply(self, record: dict[str, Any]) -> None:
        self.last, self.state = record, State.model_validate(record["state"])
        self.steps += record["steps"]
        if self.program.level.kspacing_per_a is None and record["gap_ev"] is not None:
            # a gap that closes on the way needs a denser mesh
            spacing = kspacing_for_gap(record["gap_ev"])
            if spacing < _DENSER * self.kspacing_per_a:
                self.kspacing_per_a = spacing
                self.last = record | {"ended": False}

    def _stress_gpa(self) -> Any:
        """Static stress of the last call without the error of the cutoff, (3, 3), tension positive."""
        if self.preparation is None or self.last.get("stress_gpa") is None:
            return None
        pulay_gpa = self.preparation.pulay_pressure_gpa(self.state.volume_a3)
        return np.array(self.last["stress_gpa"]) + pulay_gpa * np.eye(3)

    def _is_converged(self) -> bool:
        stress = self._stress_gpa()
        if not self.last.get("ended") or stress is None:
            return False
        small = self.last["max_force_ev_a"] <= self.max_force_ev_a
        return bool(small and (not self.relax_cell or np.abs(stress).max() <= _MAX_STRESS_GPA))

    def _not_converged(self) -> str:
        words = f"not relaxed after {self.steps} steps in {self.calls} calls of pw.x"
        if not self.last:
            return words
        stress = self._stress_gpa()
        largest = f", stress {np.abs(stress).max():.2f} GPa" if self.relax_cell and stress is not None else ""
        return f"{words}: largest force {self.last['max_force_ev_a']:.2g} eV/A{largest}"

    def answer(self, provenance: Provenance) -> Relaxation:
        """The document."""
        details: dict[str, Any] = {}
        if self.preparation is not None and self.last:
            details = {
                "k_mesh": self.last["mesh"],
                "band_gap_ev": self.last["gap_ev"],
                "pulay_pressure_gpa": self.preparation.pulay_pressure_gpa(self.state.volume_a3),
            }
        return relaxation_by_calls(
            self.state,
            self.last,
            self._stress_gpa(),
            provenance,
            program="pw.x",
            details=details,
            label=self.label,
            reason=self.reason,
            relax_cell=self.relax_cell,
            steps=self.steps,
            forces_ev_a=self.last.get("forces_ev_a"),
        )


def _replace_atoms(state: State, positions: Any, cell: Any) -> State:
    """A state with the same atoms elsewhere, in another cell."""
    return State(numbers=state.numbers, positions=np.asarray(positions).tolist(), cell=np.asarray(cell).tolist())


def _ended(folder: Path) -> bool:
    """Whether pw.x went on to its own end without being asked to stop."""
    text = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace")
    return has_ended(folder) and "stopped by user" not in text
