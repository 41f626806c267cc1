"""The Lennard-Jones fluid at constant pressure and its equation of state: python -m benchmarks.constant_pressure.

Six states of 108 atoms, one batch with a temperature and a pressure for each member. The truth is that of Thol et al.
(2016, DOI 10.1063/1.4945000), as the library teqp has it, for the whole potential. What the shifted force leaves out
within its cutoff of 3 sigma is measured on the frames, what lies beyond is integrated for atoms spread evenly; truths
are those at the pressure that the whole potential has. Then 32 atoms are held at two pressures: their volumes must
overlap as the ensemble says, which the library physical-validation examines (Merz and Shirts 2018,
DOI 10.1371/journal.pone.0202764). Both libraries: `pip install teqp physical-validation`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import physical_validation as pv
import teqp
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from benchmarks.common import publish, table
from scipy.integrate import quad
from scipy.optimize import brentq

from tachylite.arrays import Array
from tachylite.engines.base import Answer
from tachylite.engines.potentials.lennard_jones import ARGON_EPSILON, ARGON_SIGMA, LennardJonesPotential
from tachylite.engines.torchsim.dynamics import run_batch
from tachylite.engines.torchsim.engine import Guards
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.fluctuations import response_functions
from tachylite.schemas import Provenance, Request, Segment, State
from tachylite.units import GPA_PER_EV_A3, KB_EV

STATES = ((0.85, 0.80), (1.0, 0.75), (1.3, 0.65), (1.5, 0.85), (2.0, 0.55), (3.0, 0.75))
"""Reduced temperatures and densities."""

CUTOFF = 3.0
"""In sigma."""

OVERLAPPING, PRESSURE_STEP_GPA = (1.0, 0.75), 0.012
"""The state that is also held at a pressure which moves its volume by less than a standard deviation."""

LENGTH_PS, OVERLAP_PS = 200.0, 640.0
N_CELLS, OVERLAP_CELLS = 3, 2
TIMESTEP_FS, MELTING_STEPS, EQUILIBRATION_PS = 8.0, 1000, 10.0
KELVIN = ARGON_EPSILON / KB_EV
GPA = ARGON_EPSILON / ARGON_SIGMA**3 * GPA_PER_EV_A3


class EquationOfState:
    """Thol et al. at a reduced temperature and density."""

    def __init__(self, temperature: float, density: float) -> None:
        model = teqp.make_model({"kind": "LJ126_TholJPCRD2016", "model": {}})
        whole = np.array([1.0])
        slope = model.get_Ar01(temperature, density, whole)
        curvature = model.get_Ar02(temperature, density, whole)
        self.density = density
        self.pressure = density * temperature * (1 + slope)
        self.enthalpy = temperature * (model.get_Ar10(temperature, density, whole) + 1.5 + 1 + slope)
        self.compressibility = 1 / (density * temperature * (1 + 2 * slope + curvature))

    @classmethod
    def at_pressure(cls, temperature: float, pressure: float, near: float) -> "EquationOfState":
        """At a reduced pressure, with a density near one that is known."""
        density = brentq(lambda rho: cls(temperature, rho).pressure - pressure, 0.85 * near, 1.15 * near)
        return cls(temperature, float(density))


def beyond_cutoff(density: float) -> tuple[float, float]:
    """Pressure and energy per atom, reduced, of the potential beyond its cutoff, for atoms that are spread evenly."""
    pressure = -(2 * np.pi / 3) * density**2 * quad(lambda r: r**3 * _slope(r), CUTOFF, np.inf)[0]
    return float(pressure), float(2 * np.pi * density * quad(lambda r: r**2 * _energy(r), CUTOFF, np.inf)[0])


def left_out(state: State) -> tuple[float, float]:
    """Pressure and energy per atom, reduced, of the whole potential over those of the shifted force, in a state."""
    reduced = state.atoms
    reduced.set_cell(reduced.cell / ARGON_SIGMA, scale_atoms=True)
    distances = neighbor_list("d", reduced, CUTOFF)
    n_atoms, volume = len(reduced), reduced.get_volume()
    # every pair is there twice
    pressure = -_slope(CUTOFF) * distances.sum() / 6 / volume
    energy = (_energy(CUTOFF) + (distances - CUTOFF) * _slope(CUTOFF)).sum() / 2 / n_atoms
    beyond_pressure, beyond_energy = beyond_cutoff(n_atoms / volume)
    return pressure + beyond_pressure, energy + beyond_energy


def _energy(r: float) -> float:
    return 4 * (r**-12 - r**-6)


def _slope(r: float) -> float:
    return 24 * (r**-7 - 2 * r**-13)


def request(
    temperature: float, density: float, seed: int, *, n_cells: int, length_ps: float, raised_gpa: float = 0.0
) -> Request:
    """Molecular dynamics near the pressure of the equation of state or above it, from a density 3 % off."""
    crystal: Atoms = bulk("Ar", "fcc", a=(4 / (0.97 * density)) ** (1 / 3) * ARGON_SIGMA, cubic=True) * ((n_cells,) * 3)
    pressure = EquationOfState(temperature, density).pressure - left_out(State.from_atoms(crystal))[0]
    segment = Segment(
        steps=round(1000 * length_ps / TIMESTEP_FS),
        temperature_k=temperature * KELVIN,
        pressure_gpa=pressure * GPA + raised_gpa,
        timestep_fs=TIMESTEP_FS,
        record_every=100,
    )
    melt = segment.model_copy(update={"steps": MELTING_STEPS, "temperature_k": 4 * KELVIN, "pressure_gpa": None})
    state = State.from_atoms(crystal)
    return Request(label="Lennard-Jones", state=state, segments=[melt, segment], seed=seed)


def run(requests: list[Request]) -> list[Answer]:
    """In one batch."""
    potential = LennardJonesPotential(cutoff=CUTOFF * ARGON_SIGMA)
    provenance = Provenance(engine="lennard-jones", model="3 sigma", device="cpu", dtype="float64")
    with TemporaryDirectory() as folder:
        return run_batch(
            requests, potential, Path(folder), provenance=provenance, checkpoint_every=1000, guards=Guards()
        )


def main() -> None:
    """Run all states and print the tables."""
    answers = run([request(*state, seed, n_cells=N_CELLS, length_ps=LENGTH_PS) for seed, state in enumerate(STATES)])
    numbers = {state: beside_equation_of_state(*state, answer) for state, answer in zip(STATES, answers, strict=True)}
    rows = [
        [temperature, f"{EquationOfState(temperature, pairs[0][1]).pressure:.3f}", *(_beside(*pair) for pair in pairs)]
        for (temperature, _), pairs in numbers.items()
    ]
    title = f"Lennard-Jones fluid, {4 * N_CELLS**3} atoms, {LENGTH_PS:g} ps each"
    header = ["T", "P", "density: measured, equation of state", "enthalpy per atom", "compressibility"]
    kept = {f"{t:g} {d:g}": [pair[0] for pair in pairs] for (t, d), pairs in numbers.items()}
    publish("constant_pressure", {title: table(header, rows)}, {title: kept})

    pressures = (0.0, PRESSURE_STEP_GPA)
    answers = run(
        [
            request(*OVERLAPPING, seed, n_cells=OVERLAP_CELLS, length_ps=OVERLAP_PS, raised_gpa=pressure)
            for seed, pressure in enumerate(pressures)
        ]
    )
    sigmas, row = overlap(*answers)
    title = f"Volumes of the same liquid at two pressures, {4 * OVERLAP_CELLS**3} atoms, {OVERLAP_PS:g} ps each"
    header = ["T", "pressures, GPa", "mean volumes, A^3", "slope of the logarithm of their ratio, off by"]
    publish("constant_pressure", {title: table(header, [row])}, {title: {"sigmas": sigmas}})


def beside_equation_of_state(temperature: float, density: float, answer: Answer) -> list[tuple[Measured, float]]:
    """Density, enthalpy per atom and compressibility, reduced, each measured and as the equation of state has it."""
    last, trajectory = answer.run.last, answer.trajectory
    assert trajectory is not None, answer.run.reason
    assert last.volume_a3 is not None
    assert last.enthalpy_ev_per_atom is not None
    held_gpa = last.segment.pressure_gpa or 0.0
    n_atoms = len(answer.run.final.numbers)
    value = n_atoms * ARGON_SIGMA**3 / last.volume_a3.value
    measured_density = Measured(value=value, error=value * last.volume_a3.error / last.volume_a3.value)
    frames = [trajectory.frame(i) for i in range(len(trajectory.times_fs) // 10, len(trajectory.times_fs))]
    more_pressure, more_energy = np.mean([left_out(frame) for frame in frames], axis=0)
    truth = EquationOfState.at_pressure(temperature, held_gpa / GPA + more_pressure, density)
    enthalpy = Measured(
        value=last.enthalpy_ev_per_atom.value / ARGON_EPSILON + more_energy + more_pressure / value,
        error=last.enthalpy_ev_per_atom.error / ARGON_EPSILON,
    )
    energies, volumes = produced(answer, "energy_ev"), produced(answer, "volume_a3")
    response = response_functions(energies, volumes, temperature * KELVIN, held_gpa, n_atoms)
    return [
        (measured_density, truth.density),
        (enthalpy, truth.enthalpy),
        (response.compressibility_per_gpa * GPA, truth.compressibility),
    ]


def produced(answer: Answer, name: str) -> Array:
    """A series without the melting and the equilibration."""
    assert answer.trajectory is not None, answer.run.reason
    values: Array = answer.trajectory.series[name][MELTING_STEPS + int(EQUILIBRATION_PS * 1000 / TIMESTEP_FS) :]
    return values


def overlap(low: Answer, high: Answer) -> tuple[float, list[object]]:
    """Standard deviations that the volumes of two pressures are off from what the ensemble says; a row of the table."""
    units = pv.data.UnitData(
        kb=KB_EV,
        energy_conversion=1.0,
        length_conversion=1.0,
        volume_conversion=1.0,
        temperature_conversion=1.0,
        pressure_conversion=1.0,
        time_conversion=1.0,
        energy_str="eV",
        volume_str="A^3",
        temperature_str="K",
        pressure_str="eV/A^3",
    )
    data = []
    for answer in (low, high):
        held = answer.run.last.segment
        assert held.pressure_gpa is not None
        n_atoms = len(answer.run.final.numbers)
        ensemble = pv.data.EnsembleData(
            "NPT", natoms=n_atoms, pressure=held.pressure_gpa / GPA_PER_EV_A3, temperature=held.temperature_k
        )
        volumes = pv.data.ObservableData(volume=produced(answer, "volume_a3"))
        data.append(pv.data.SimulationData(units=units, ensemble=ensemble, observables=volumes))
    (sigmas,) = pv.ensemble.check(*data, verbosity=0, bootstrap_seed=1)
    pressures = [answer.run.last.segment.pressure_gpa for answer in (low, high)]
    volumes_a3 = [answer.run.last.volume_a3 for answer in (low, high)]
    row = [
        OVERLAPPING[0],
        " / ".join(f"{p:.4f}" for p in pressures if p is not None),
        " / ".join(f"{v.value:.0f} ± {v.error:.0f}" for v in volumes_a3 if v is not None),
        f"{sigmas:.1f} σ",
    ]
    return float(sigmas), row


def _beside(measured: Measured, truth: float) -> str:
    sigmas = (measured.value - truth) / measured.error
    return f"{measured.value:.4f} ± {measured.error:.4f}, {truth:.4f} ({sigmas:+.1f} σ)"


if __name__ == "__main__":
    main()
