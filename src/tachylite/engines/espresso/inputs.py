"""Input files of pw.x, written by ASE."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase.io.espresso import write_espresso_in
from ase.units import Bohr, Rydberg, _aut
from numpy.typing import ArrayLike, NDArray

from tachylite.arrays import Array
from tachylite.engines.espresso.settings import LevelOfTheory, half_steps
from tachylite.engines.espresso.setup import pseudopotential
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import State
from tachylite.units import KBAR_PER_GPA

PREFIX = "pw"
OUTDIR = "out"
"""Folder of pw.x's own files beside its input."""

INPUT = "pw.in"

_RYDBERG_TIME_FS = 2 * _aut * 1e15
"""Atomic unit of time of Rydberg units, in fs."""

_ENERGY_ERROR_RY = 1e-7
"""Of the electronic steps (conv_thr)."""

_STARTING_MAGNETIZATION = 0.5
"""Of every kind of atom, as a fraction of its valence electrons, where spin is polarised."""

_FEW_OPERATIONS = 4
_SAME_PLACE_A = 1e-4

type Calculation = Literal["scf", "relax", "vc-relax", "md"]


@dataclass(frozen=True)
class Task:
    """One call of pw.x: the calculation, its k-mesh, and the keys of it alone."""

    calculation: Calculation
    mesh: tuple[int, int, int]
    steps: int = 1
    timestep_fs: float = 1.0
    max_force_ev_a: float | None = None
    """Largest force at which a relaxation ends."""
    pressure_gpa: float = 0.0
    """Pressure that a relaxation of the cell ends at, within `pressure_error_gpa`."""
    pressure_error_gpa: float = 0.1
    stress: bool = True
    scratch: bool = True
    """Whether the charge density begins anew, instead of from that of an earlier call."""
    symmetric: bool = True
    """Whether symmetry, where there is enough of it, serves for more than to choose the points of the k-mesh."""
    same_waves: bool = False
    """Whether the wave functions begin from those of an earlier call, too: of the same cell, mesh and cutoff."""


def input_text(state: State, level: LevelOfTheory, task: Task, pseudopotentials: Path) -> str:
    """Input of pw.x for a state with one cell, in A, and, for dynamics, velocities."""
    atoms, rotations = state.atoms, _rotations(state)
    # with little symmetry, pw.x makes more k-points of it than it saves; and velocities have none
    symmetric = task.calculation != "md" and len(rotations) > _FEW_OPERATIONS
    if symmetric:
        atoms.set_cell(symmetrized_cell(state.cell, rotations), scale_atoms=True)
    if level.is_spin_polarized(state.elements):
        atoms.set_initial_magnetic_moments([_STARTING_MAGNETIZATION] * len(atoms))  # which ASE writes as such fractions
    files = {symbol: pseudopotential(symbol, pseudopotentials).name for symbol in state.elements}
    is_gamma = task.mesh == (1, 1, 1)
    buffer = io.StringIO()
    write_espresso_in(
        buffer,
        atoms,
        input_data=_namelists(state, level, task, pseudopotentials, nosym=not symmetric),
        pseudopotentials=files,
        kpts=None if is_gamma else task.mesh,
        koffset=half_steps(task.mesh),
        additional_cards=_velocities(state) if task.calculation == "md" else None,
    )
    return buffer.getvalue()


def write_input(folder: Path, text: str) -> None:
    """Write the input of pw.x to a folder; InputError where it cannot be written."""
    write_atomically(folder / INPUT, text.encode())


def _namelists(
    state: State, level: LevelOfTheory, task: Task, pseudopotentials: Path, *, nosym: bool
) -> dict[str, dict[str, Any]]:
    control: dict[str, Any] = {
        "calculation": task.calculation,
        "prefix": PREFIX,
        "outdir": f"./{OUTDIR}",
        "pseudo_dir": str(pseudopotentials),
        "disk_io": "low",
        "tprnfor": True,
        "tstress": task.stress,
        "nstep": task.steps,
    }
    system: dict[str, Any] = {
        "ecutwfc": level.ecutwfc_ry,
        "occupations": "smearing",
        "smearing": level.smearing,
        "degauss": level.smearing_ev / Rydberg,
        "nosym": nosym,
        "nosym_evc": not task.symmetric,
    }
    electrons: dict[str, Any] = {"conv_thr": _ENERGY_ERROR_RY, "electron_maxstep": 200, "mixing_beta": 0.4}
    if level.is_spin_polarized(state.elements):
        system["nspin"] = 2
    if not task.scratch:
        electrons["startingpot"] = "file"
    if task.same_waves:
        electrons["startingwfc"] = "file"
    namelists = {"control": control, "system": system, "electrons": electrons}
    if task.calculation == "md":
        control["dt"] = task.timestep_fs / _RYDBERG_TIME_FS
        namelists["ions"] = {"ion_velocities": "from_input", "ion_temperature": "not_controlled"}
    elif task.max_force_ev_a is not None:
        # pw.x compares components, and the energy; a force of the largest components is as large as allowed
        control["forc_conv_thr"] = float(task.max_force_ev_a / np.sqrt(3) / (Rydberg / Bohr))
        control["etot_conv_thr"] = 1e3
        # by default, pw.x tightens conv_thr as it comes near to that energy
        namelists["ions"] = {"ion_dynamics": "bfgs", "upscale": 1.0}
    if task.calculation == "vc-relax":
        namelists["cell"] = {
            "press": task.pressure_gpa * KBAR_PER_GPA,
            "press_conv_thr": task.pressure_error_gpa * KBAR_PER_GPA,
        }
    return namelists


def _rotations(state: State) -> NDArray[np.integer[Any]]:
    """Rotations of the symmetry operations of a structure, (n, 3, 3), on fractional coordinates."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    rotations: NDArray[np.integer[Any]] = (
        SpacegroupAnalyzer(state.structure, _SAME_PLACE_A).get_symmetry_dataset().rotations
    )
    return rotations


def symmetrized_cell(cell: ArrayLike, rotations: NDArray[np.integer[Any]]) -> Array:
    r"""The cell (3, 3; rows) next to one that has rotations (n, 3, 3) nearly, which has them as far as numbers do.

    pw.x finds the symmetry of a cell that is known to five digits, and ends where it checks it once more. To first
    order in the difference of the metric tensors G = C C^T, of the cell and averaged over W^T G W,

    $$ C' = C + (G' - G) C^{-T} / 2 $$
    """
    vectors = np.asarray(cell, dtype=float)
    for _ in range(2):  # the second time for what is left beyond first order
        metric = vectors @ vectors.T
        averaged = np.mean(rotations.transpose(0, 2, 1) @ metric @ rotations, axis=0)
        vectors = vectors + (averaged - metric) @ np.linalg.inv(vectors).T / 2
    return vectors


def _velocities(state: State) -> str:
    """Card of the velocities, in Rydberg atomic units, from A/fs."""
    velocities = np.asarray(state.velocities) / Bohr * _RYDBERG_TIME_FS
    symbols = state.atoms.get_chemical_symbols()
    rows = [f"{symbol} {x:.14e} {y:.14e} {z:.14e}" for symbol, (x, y, z) in zip(symbols, velocities, strict=True)]
    return "\n".join(["ATOMIC_VELOCITIES {a.u}", *rows, ""])
