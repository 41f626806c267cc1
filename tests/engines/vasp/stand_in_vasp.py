"""Stands in for VASP where there is none: its files in, its files out, and forces from Morse's potential.

Run in a folder with INCAR, POSCAR, KPOINTS and POTCAR, it refuses what VASP would refuse, moves the atoms and
writes vasprun.xml, OUTCAR, OSZICAR, XDATCAR and CONTCAR with velocities. Its energies mean nothing for VASP.

STAND_IN_VASP tells it what to suffer: `WHAT:STEP` or `WHAT:STEP@WORD`, separated by commas, the latter only where
WORD is in the path of the folder or an element: `crash` ends in the middle of a step, `kill` by SIGKILL, `nan`
writes a stress that is no number, `unconverged` uses up NELM, `cut` ends well but loses half of vasprun.xml, `slow`
takes STEP milliseconds more for every step.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.units import GPa
from tests.engines.vasp.stand_in_files import Inputs, Writer, read_inputs

KB = 8.617333262e-5
EV_PER_U_A2_FS2 = 103.64269656
ARRIVED_EV_A = 0.01
MORSE = {"Cu": (0.3429, 1.3588, 2.866), "Al": (0.2703, 1.1646, 3.253), "Fe": (0.4174, 1.3885, 2.845)}
"""Depth (eV), stiffness (1/A) and distance (A) of the pair, of the metals (Girifalco and Weizer 1959, DOI
10.1103/PhysRev.114.687)."""

REACH_A = 6.5


class Morse(Calculator):
    """Pairs of a small cell and all its images within reach; the parameters of two elements are their mean."""

    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]  # ASE has no types here
        cell, n = atoms.cell.array, len(atoms)
        heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
        axes = [np.arange(-m, m + 1) for m in np.ceil(REACH_A / heights).astype(int) + 1]
        images = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) @ cell
        positions = atoms.get_scaled_positions(wrap=True) @ cell
        vectors = positions[None, :, None] + images[None, None] - positions[:, None, None]
        distances = np.linalg.norm(vectors, axis=-1)
        near = (distances < REACH_A) & (distances > 0)
        i, j, _ = np.nonzero(near)
        vector, r = vectors[near], distances[near]
        own = np.array([MORSE.get(symbol, MORSE["Cu"]) for symbol in atoms.get_chemical_symbols()])
        depth, stiffness, distance = ((own[i] + own[j]) / 2).T
        decay, at_reach = np.exp(-stiffness * (r - distance)), np.exp(-stiffness * (REACH_A - distance))
        energy = depth * ((1 - decay) ** 2 - (1 - at_reach) ** 2)
        pull = (2 * depth * stiffness * (1 - decay) * decay / r)[:, None] * vector
        forces = np.zeros((n, 3))
        np.add.at(forces, i, pull)
        stress = (vector[:, :, None] * pull[:, None]).sum(axis=0) / 2 / atoms.get_volume()
        self.results = {
            "energy": float(energy.sum() / 2),
            "forces": forces,
            "stress": stress.ravel()[[0, 4, 8, 5, 2, 1]],
        }


@dataclass(frozen=True)
class Misfortune:
    """What happens at which ionic step, counting from 1."""

    what: str
    step: float


def misfortunes(elements: list[str]) -> list[Misfortune]:
    misfortunes = []
    for word in filter(None, os.environ.get("STAND_IN_VASP", "").split(",")):
        what, _, rest = word.partition(":")
        step, _, where = rest.partition("@")
        if not where or where in str(Path.cwd()) or where in elements:
            misfortunes.append(Misfortune(what, float(step)))
    return misfortunes


class Run:
    """Atoms, a cheap potential, and the files."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.atoms = Atoms(inputs.symbols, scaled_positions=inputs.scaled, cell=inputs.cell, pbc=True)
        self.atoms.calc = Morse()  # type: ignore[no-untyped-call]  # ASE has no types here
        self.masses = self.atoms.get_masses()[:, None]
        self.velocities = inputs.velocities
        self.writer = Writer(inputs)
        self.fate = misfortunes(inputs.elements)
        self.rng = np.random.default_rng(0)
        self.done = 0

    def meets(self, what: str) -> bool:
        return any(m.what == what and m.step == self.done + 1 for m in self.fate)

    def record(self, kinetic_ev: float, temperature_k: float) -> None:
        """Write the step that is under way, and suffer what is due."""
        time.sleep(sum(m.step for m in self.fate if m.what == "slow") / 1000)
        stress = self.atoms.get_stress(voigt=False) / GPa * -10
        if self.meets("nan"):
            stress[0, 0] = np.nan
        if self.meets("kill") or self.meets("crash"):
            self.writer.half_a_step()
            if self.meets("kill"):
                os.kill(os.getpid(), signal.SIGKILL)
            sys.exit("forrtl: severe (174): SIGSEGV, segmentation fault occurred")
        self.writer.step(
            scaled=self.atoms.get_scaled_positions(wrap=True),
            cell=self.atoms.cell.array,
            energy_ev=float(self.atoms.get_potential_energy()),
            forces=self.atoms.get_forces(),
            stress_kbar=stress,
            kinetic_ev=kinetic_ev,
            temperature_k=temperature_k,
            electronic_steps=int(self.inputs.incar.get("NELM", "60")) if self.meets("unconverged") else 5,
        )
        self.done += 1

    def save(self) -> None:
        """CONTCAR: where the next run would start."""
        self.writer.contcar(self.atoms.get_scaled_positions(wrap=True), self.atoms.cell.array, self.velocities)

    def told_to_stop(self) -> bool:
        return Path("STOPCAR").exists()

    def finish(self, arrived: bool = False) -> None:
        Path("STOPCAR").unlink(missing_ok=True)
        self.writer.end(self.atoms.get_scaled_positions(wrap=True), self.atoms.cell.array, arrived)
        if any(m.what == "cut" for m in self.fate):
            size = Path("vasprun.xml").stat().st_size
            os.truncate("vasprun.xml", size // 2)

    # -- molecular dynamics -------------------------------------------------------------------------------------

    def dynamics(self) -> None:
        incar, n = self.inputs.incar, len(self.atoms)
        steps, step_fs = int(incar["NSW"]), float(incar["POTIM"])
        begin, end = float(incar["TEBEG"]), float(incar["TEEND"])
        algorithm = int(incar.get("MDALGO", "0"))
        freedoms = 3 * n - (0 if algorithm == 3 else 3)
        if self.velocities is None:
            self.velocities = self.rng.standard_normal((n, 3)) * np.sqrt(KB * begin / EV_PER_U_A2_FS2 / self.masses)
        friction = 0.0  # of the Nose-Hoover thermostat, per fs
        for step in range(steps):
            target = begin + (end - begin) * step / max(steps - 1, 1)
            kinetic = self.kinetic_ev()
            self.record(kinetic, 2 * kinetic / KB / freedoms)
            half = self.atoms.get_forces() / self.masses / EV_PER_U_A2_FS2 * step_fs / 2
            if algorithm == 2:
                # thermostat mass for a period of 40 steps, which is what SMASS = 0 chooses
                friction += (2 * kinetic / (freedoms * KB * target) - 1) * (2 * np.pi / 40) ** 2 / step_fs
                self.velocities *= np.exp(-friction * step_fs)
            self.velocities = self.velocities + half
            self.atoms.positions += self.velocities * step_fs
            self.velocities = self.velocities + self.atoms.get_forces() / self.masses / EV_PER_U_A2_FS2 * step_fs / 2
            if algorithm == 3:
                gamma = float(incar["LANGEVIN_GAMMA"].split()[0]) / 1000
                damping = np.exp(-gamma * step_fs)
                width = np.sqrt((1 - damping**2) * KB * target / EV_PER_U_A2_FS2 / self.masses)
                self.velocities = damping * self.velocities + width * self.rng.standard_normal((n, 3))
            self.save()
            if self.told_to_stop():
                break
        self.finish()

    def kinetic_ev(self) -> float:
        assert self.velocities is not None
        return float((self.masses * self.velocities**2).sum() / 2 * EV_PER_U_A2_FS2)

    # -- energies ---------------------------------------------------------------------------------------------------

    def relaxation(self) -> None:
        # slow to import, and dynamics needs neither
        from ase.filters import FrechetCellFilter
        from ase.optimize import FIRE

        moving = FrechetCellFilter(self.atoms) if self.inputs.incar.get("ISIF", "2") == "3" else self.atoms
        optimiser = FIRE(moving, logfile=None)
        arrived = False
        for _ in range(int(self.inputs.incar["NSW"])):
            arrived = bool(np.linalg.norm(moving.get_forces(), axis=1).max() < ARRIVED_EV_A)
            self.record(0.0, 0.0)
            if arrived or self.told_to_stop():
                break
            optimiser.step()
        self.save()
        self.finish(arrived)

    def static(self) -> None:
        self.record(0.0, 0.0)
        self.save()
        self.finish()


def main() -> None:
    print(" running the stand-in for VASP; its energies are those of a pair potential")  # noqa: T201 - as VASP does
    run = Run(read_inputs(Path.cwd()))
    match run.inputs.incar.get("IBRION", "-1"), int(run.inputs.incar.get("NSW", "0")):
        case "0", steps if steps > 0:
            run.dynamics()
        case _, 0:
            run.static()
        case _:
            run.relaxation()


if __name__ == "__main__":
    main()
