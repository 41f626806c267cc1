"""Reading VASP's output: steps from vasprun.xml, even if incomplete, and the next state from CONTCAR."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# files of the user's own, and expat has limited the expansion of entities since 2.4.1
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np

from tachylite.arrays import Array
from tachylite.units import GPA_PER_EV_A3, KBAR_PER_GPA

_NOT_A_NUMBER = float("nan")
_LATTICE_LINES = 8
"""Of the velocities of the lattice in CONTCAR: a heading, a flag, three velocities and three vectors."""


@dataclass(frozen=True)
class Step:
    """One ionic step."""

    scaled: Array
    """Positions in units of the lattice vectors, (N, 3), in the order of the POSCAR."""
    cell: Array
    """Lattice vectors as rows, in A."""
    forces: Array
    """In eV/A, (N, 3), in the order of the POSCAR."""
    stress_ev_a3: Array
    """(3, 3), tension positive, without kinetic part."""
    energy_ev: float
    """Free energy, of which the forces are derivatives."""
    kinetic_ev: float
    virial_gpa: float
    """Pressure from VASP's stress, without kinetic part."""
    finite: bool
    electronic_steps: int


@dataclass
class Output:
    """The steps of one call of VASP."""

    steps: list[Step] = field(default_factory=list)
    version: str = ""
    potcars: list[str] = field(default_factory=list)
    """Titles of the POTCARs."""
    truncated: bool = False
    """Whether vasprun.xml is incomplete or missing."""


def read_vasprun(path: Path) -> Output:
    """Read a vasprun.xml with one step in memory at a time; of an incomplete file, the complete steps.

    Numbers that VASP could not fit into their columns (asterisks) are read as NaN.
    """
    output = Output()
    try:
        for element in _elements(path):
            if element.tag == "generator":
                output.version = _text(element, "version")
            elif element.tag == "atominfo":
                rows = element.iterfind("array[@name='atomtypes']/set/rc")
                output.potcars = [(row.findall("c")[-1].text or "").strip() for row in rows]
            else:
                output.steps.append(_step(element))
                element.clear()
    except (ParseError, OSError):
        output.truncated = True
    return output


def _elements(path: Path) -> Iterator[Element]:
    with path.open("rb") as file:
        for _, element in iterparse(file, events=("end",)):  # noqa: S314 - a file of the user's own, see the import
            if element.tag in {"generator", "atominfo", "calculation"}:
                yield element


def _step(element: Element) -> Step:
    stress = _vectors(element, "varray[@name='stress']/v")
    forces = _vectors(element, "varray[@name='forces']/v")
    scaled = _vectors(element, "structure/varray[@name='positions']/v")
    energies = {entry.get("name"): _number(entry.text) for entry in element.iterfind("energy/i")}
    energy, kinetic = energies.get("e_fr_energy", _NOT_A_NUMBER), energies.get("kinetic", 0.0)
    virial = float(np.trace(stress)) / 3 / KBAR_PER_GPA if stress.shape == (3, 3) else _NOT_A_NUMBER
    numbers = (energy, kinetic, virial)
    known = stress.shape == (3, 3)
    return Step(
        scaled=scaled,
        cell=_vectors(element, "structure/crystal/varray[@name='basis']/v"),
        forces=forces,
        stress_ev_a3=-stress / KBAR_PER_GPA / GPA_PER_EV_A3 if known else np.full((3, 3), _NOT_A_NUMBER),
        energy_ev=energy,
        kinetic_ev=kinetic,
        virial_gpa=virial,
        finite=bool(np.isfinite(numbers).all() and np.isfinite(forces).all() and np.isfinite(scaled).all()),
        electronic_steps=len(element.findall("scstep")),
    )


def _text(element: Element, name: str) -> str:
    entry = element.find(f"i[@name='{name}']")
    return "" if entry is None else (entry.text or "").strip()


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return _NOT_A_NUMBER


def _vectors(element: Element, path: str) -> Array:
    rows = [[_number(word) for word in (v.text or "").split()] for v in element.iterfind(path)]
    if any(len(row) != 3 for row in rows):  # asterisks run into each other
        return np.full((len(rows), 3), _NOT_A_NUMBER)
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def read_contcar(path: Path, n_atoms: int) -> tuple[Array, Array, Array] | None:
    """Positions in units of the lattice vectors and velocities in A/fs, each (N, 3), and the lattice vectors in A.

    None if the file is incomplete. https://www.vasp.at/wiki/index.php/CONTCAR: velocities come after the positions, in
    A/fs; at constant pressure those of the lattice, eight lines, are between them.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        begin = 8 + n_atoms
        begin += _LATTICE_LINES if lines[begin].lower().startswith("lattice") else 0
        rows = lines[8 : 8 + n_atoms] + lines[begin + 1 : begin + 1 + n_atoms]
        numbers = np.array([[float(word) for word in row.split()[:3]] for row in rows])
        direct = lines[7].strip().lower().startswith("d")
        scale = float(lines[1])
        cell = scale * np.array([[float(word) for word in line.split()[:3]] for line in lines[2:5]])
    except (OSError, ValueError, IndexError):
        return None
    whole = numbers.shape == (2 * n_atoms, 3) and cell.shape == (3, 3) and bool(np.isfinite(numbers).all())
    # VASP writes CONTCAR in direct coordinates; another file is not one that it finished
    if not whole or not np.isfinite(cell).all() or not direct or scale <= 0:
        return None
    return numbers[:n_atoms], numbers[n_atoms:], cell
