"""Reading what pw.x leaves: its XML file, with exact numbers, and the stresses in its text."""

import re
from dataclasses import dataclass, field
from pathlib import Path

# files of the user's own, and expat has limited the expansion of entities since 2.4.1
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np
from ase.units import Bohr, Hartree, Rydberg

from tachylite.arrays import Array
from tachylite.engines.espresso.calling import OUTPUT
from tachylite.engines.espresso.inputs import OUTDIR, PREFIX
from tachylite.units import GPA_PER_EV_A3

_FORCE = Hartree / Bohr
_STRESS_GPA = Rydberg / Bohr**3 * GPA_PER_EV_A3

_STRESS = re.compile(rb"total\s+stress\s+\(Ry/bohr\*\*3\)[^\n]*\n((?:[^\n]*\n){3})")


@dataclass(frozen=True)
class Step:
    """One ionic step: positions (N, 3) and cell (3, 3) in A, free energy in eV, forces (N, 3) in eV/A."""

    positions: Array
    cell: Array
    energy_ev: float
    forces: Array
    converged: bool
    """Whether the electronic steps converged."""

    @property
    def finite(self) -> bool:
        """Whether every number is one."""
        return bool(
            np.isfinite(self.energy_ev) and np.isfinite(self.forces).all() and np.isfinite(self.positions).all()
        )


@dataclass
class Output:
    """The steps of one call of pw.x, and what came of the last."""

    steps: list[Step] = field(default_factory=list)
    final: Step | None = None
    """The last self-consistent calculation; in dynamics its positions are those of the step after it."""
    stresses_gpa: list[Array] = field(default_factory=list)
    """Static stress of every step, tension positive, each (3, 3)."""
    gap_ev: float | None = None
    """Between the highest occupied and the lowest empty level of the mesh; 0 for a metal."""
    version: str = ""


def read_output(folder: Path) -> Output:
    """Read what a call of pw.x left in its folder; of a call that was killed, the complete steps."""
    output = Output(stresses_gpa=_stresses(folder / OUTPUT))
    # the copy in the folder of the charge density is the same, and is written after it
    path = folder / OUTDIR / f"{PREFIX}.xml"
    try:
        with path.open("rb") as file:
            for _, element in iterparse(file, events=("end",)):  # noqa: S314 - a file of the user's own, see the import
                if element.tag == "creator":
                    output.version = element.get("VERSION", "")
                elif element.tag == "step":
                    output.steps.append(_step(element, element.find("scf_conv")))
                    element.clear()
                elif element.tag == "output":
                    output.final = _step(element, element.find("convergence_info/scf_conv"))
                    output.gap_ev = _gap(element)
    except (ParseError, OSError):
        pass
    return output


def _step(element: Element, convergence: Element | None) -> Step:
    atoms = element.iterfind("atomic_structure/atomic_positions/atom")
    cell = element.iterfind("atomic_structure/cell/*")
    return Step(
        positions=np.array([_numbers(atom) for atom in atoms]).reshape(-1, 3) * Bohr,
        cell=np.array([_numbers(vector) for vector in cell]).reshape(-1, 3) * Bohr,
        energy_ev=float(element.findtext("total_energy/etot", "nan")) * Hartree,
        forces=np.array(_numbers(element.find("forces"))).reshape(-1, 3) * _FORCE,
        converged=convergence is not None and convergence.findtext("convergence_achieved", "").strip() == "true",
    )


def _gap(output: Element) -> float | None:
    bands = output.find("band_structure")
    fermi = None if bands is None else bands.findtext("fermi_energy")
    if bands is None or fermi is None:
        return None
    levels = np.array([_numbers(energies) for energies in bands.iterfind("ks_energies/eigenvalues")])
    occupied, empty = levels[levels <= float(fermi)], levels[levels > float(fermi)]
    if not len(occupied) or not len(empty):
        return None
    # a band that crosses the Fermi energy makes a metal, whatever the distance of its levels
    half = levels.shape[1] if "true" not in bands.findtext("lsda", "") else levels.shape[1] // 2
    bands_of_spin = [levels[:, start : start + half] for start in range(0, levels.shape[1], half)]
    crossing = any(
        bool(((spin.min(axis=0) <= float(fermi)) & (spin.max(axis=0) > float(fermi))).any()) for spin in bands_of_spin
    )
    return 0.0 if crossing else float(empty.min() - occupied.max()) * Hartree


def _numbers(element: Element | None) -> list[float]:
    return [] if element is None else [_number(word) for word in (element.text or "").split()]


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:  # asterisks
        return float("nan")


def _stresses(path: Path) -> list[Array]:
    """Stresses from the text, to 1e-8 Ry/bohr^3: the XML file of version 6.7 has that of the last step only."""
    try:
        text = path.read_bytes()
    except OSError:
        return []
    stresses = []
    for match in _STRESS.finditer(text):
        rows = [
            [_number(word) for word in line.split()[:3]]
            for line in match.group(1).decode(errors="replace").splitlines()
        ]
        matrix = np.array(rows) if all(len(row) == 3 for row in rows) else np.full((3, 3), np.nan)
        # pw.x prints pressure as positive
        stresses.append(-matrix * _STRESS_GPA)
    return stresses
