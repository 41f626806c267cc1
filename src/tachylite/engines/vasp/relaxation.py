"""Energies as in the Materials Project: two relaxations, a static calculation, and its corrections."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.engines.answers import relaxation_by_calls
from tachylite.engines.interruption import Interruption, must_end
from tachylite.engines.vasp.calling import CallContext, call_vasp, remove_potcars
from tachylite.engines.vasp.inputs import energy_set, order_of, write_inputs
from tachylite.engines.vasp.setup import PotcarFunctional, quietly
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import KBAR_PER_GPA

RECORD = "stage.json"

STAGES = {True: ("relax", "relax", "static"), False: ("relax", "static")}
"""Calculations with and without relaxation of the cell; the second one uses the basis set of the relaxed cell."""

MAX_STEPS = 99
"""NSW of the Materials Project's relaxations; a relaxation that needs more steps is continued by another call."""

_COMPATIBILITY = "MaterialsProject2020Compatibility"
"""Pymatgen's class with the corrections of DOI 10.1038/s41598-021-94550-5."""

_CONVERGED = "reached required accuracy - stopping structural energy minimisation"
"""VASP's message at the end of a converged relaxation; the number of steps does not tell, as VASP may be stopped."""


@dataclass
class VaspRelaxation:
    """Relaxation of one state by successive calls of VASP, and the result of the last of them."""

    state: State
    folder: Path
    label: str
    relax_cell: bool
    potcar_functional: PotcarFunctional
    max_crashes: int
    max_force_ev_a: float | None = None
    """Criterion of convergence instead of the Materials Project's, which is the energy."""
    plain_kspacing_per_a: float | None = None
    """Distance of k-points where the settings are those of the espresso engine, whose energies have no corrections."""
    finished: int = 0
    """Number of finished stages."""
    steps: int = 0
    attempts: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def resume(self) -> None:
        """Read the records that earlier processes left, including the steps of a call that was killed."""
        for folder in sorted(self.folder.glob("stage-*")):
            self.attempts += 1
            if (folder / RECORD).exists():
                self._apply(json.loads((folder / RECORD).read_text(encoding="utf-8")))
                continue
            remove_potcars(folder)
            if self.finished < len(STAGES[self.relax_cell]):
                self._store(self._read(folder, folder.name.rpartition("-")[2], "VASP was killed"), folder)

    def run(self, interruption: Interruption) -> None:
        """Run the stages until all are finished or one has a problem; custodian corrects the errors it can."""
        stages = STAGES[self.relax_cell]
        unfinished_calls = 0
        while self.finished < len(stages) and self.reason is None:
            if must_end(interruption, 0.0):
                interruption.end(f"in {stages[self.finished]} {self.finished + 1} of {len(stages)} of {self.label}")
            record = self._run_vasp(stages[self.finished], interruption)
            self.reason = record["problem"]
            if self.reason is None:
                unfinished_calls += not record["finished"]
            if unfinished_calls > self.max_crashes:
                self.reason = f"not relaxed after {self.steps} steps in {self.attempts} calls of VASP"

    def _run_vasp(self, kind: str, interruption: Interruption) -> dict[str, Any]:
        from atomate2.vasp.run import DEFAULT_HANDLERS

        folder = self.folder / f"stage-{self.attempts:02d}-{kind}"
        self.attempts += 1
        inputs = energy_set(
            kind,
            self.state,
            relax_cell=self.relax_cell,
            potcar_functional=self.potcar_functional,
            max_force_ev_a=self.max_force_ev_a,
            plain_kspacing_per_a=self.plain_kspacing_per_a,
        )
        write_inputs(inputs, folder)
        context = CallContext(f"{self.label}: {kind}", 0, 1 if kind == "static" else MAX_STEPS)
        # atomate2's handlers count errors over all the calculations of a process
        handlers = [type(handler)() for handler in DEFAULT_HANDLERS]
        error = call_vasp(folder, interruption, context, corrections=handlers)
        record = self._read(folder, kind, error)
        self._store(record, folder)
        return record

    def _store(self, record: dict[str, Any], folder: Path) -> None:
        if record["problem"] is None:
            write_atomically(folder / RECORD, json.dumps(record).encode())
            self._apply(record)

    def _apply(self, record: dict[str, Any]) -> None:
        self.last, self.state = record, State.model_validate(record["state"])
        self.steps += record["steps"]
        self.finished += record["finished"]

    def _read(self, folder: Path, kind: str, error: str | None) -> dict[str, Any]:
        from pymatgen.io.vasp.outputs import Vasprun

        path = folder / "vasprun.xml"
        whole = _text(path).rstrip().endswith("</modeling>")
        try:
            with quietly():
                run = Vasprun(
                    path, parse_dos=False, parse_eigen=False, parse_potcar_file=False, exception_on_bad_xml=False
                )
                last = run.ionic_steps[-1]
                forces, stress = (np.asarray(last[name], dtype=float) for name in ("forces", "stress"))
                energy = float(run.final_energy)
        except Exception as unreadable:  # lxml, missing files and missing tags each fail in their own way
            message = " ".join(str(unreadable).split())
            words = f"cannot be read: {message}" if whole else "is cut off before the end of a step"
            return {"problem": error or f"{kind}: vasprun.xml {words}"}
        problem = None
        if not np.isfinite((energy, *forces.flat, *stress.flat)).all():
            problem = f"{kind}: an energy, force or stress is not a number (NaN)"
        elif not run.converged_electronic:
            problem = f"{kind}: the electronic steps did not converge in NELM = {run.parameters.get('NELM')}"
        elif not whole and (error is None or kind == "static"):
            problem = error or f"{kind}: vasprun.xml is cut off after {len(run.ionic_steps)} steps"
        converged = kind == "static" or _CONVERGED in _text(folder / "OUTCAR")
        return {
            "problem": problem,
            "finished": converged and whole and problem is None,
            "steps": len(run.ionic_steps),
            "state": self._state(last["structure"]).model_dump(),
            "energy_ev": energy,
            "max_force_ev_a": float(np.linalg.norm(forces, axis=1).max()),
            "stress_gpa": (-stress / KBAR_PER_GPA).tolist(),  # VASP's stress is positive where the cell would expand
            "version": run.vasp_version.strip(),
            "potcars": list(run.potcar_symbols),
            "correction_ev": self._correction(run) if kind == "static" and problem is None else None,
        }

    def _state(self, structure: Any) -> State:
        positions = np.empty((len(structure), 3))
        positions[order_of(self.state)] = structure.cart_coords
        return State(numbers=self.state.numbers, positions=positions.tolist(), cell=structure.lattice.matrix.tolist())

    def _correction(self, run: Any) -> float | None:
        """Correction that the Materials Project adds to the energy, in eV; None where it has none for a calculation."""
        if self.plain_kspacing_per_a is not None:
            return None
        from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

        with quietly():
            entry = MaterialsProject2020Compatibility().process_entry(run.get_computed_entry(), inplace=False)
        return None if entry is None else float(entry.correction)

    def answer(self, label: str, provenance: Provenance) -> Relaxation:
        """The document, with a corrected energy that is comparable with the Materials Project."""
        last = self.last
        correction = last.get("correction_ev")
        if self.reason is None and correction is None and self.plain_kspacing_per_a is None:
            self.reason = f"{_COMPATIBILITY} does not take this calculation: {', '.join(last['potcars'])}"
        details: dict[str, Any] = {"potcars": last.get("potcars", [])}
        if correction is not None:
            last = last | {"energy_ev": last["energy_ev"] + correction}
            per_atom = correction / len(self.state.numbers)
            details |= {"corrections": _COMPATIBILITY, "correction_ev_per_atom": per_atom}
        return relaxation_by_calls(
            self.state,
            last,
            np.array(last["stress_gpa"]) if last else None,
            provenance,
            program="vasp",
            details=details,
            label=label,
            reason=self.reason,
            relax_cell=self.relax_cell,
            steps=self.steps,
        )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
