"""The Lennard-Jones fluid at constant pressure: python -m benchmarks.constant_pressure [PS | diffusion].

Against its equation of state: six states of 256 atoms, one batch with a temperature and a pressure for each member.
The truth is that of Thol et al. (2016, DOI 10.1063/1.4945000), as the library teqp has it (`pip install teqp`), for the
whole potential; what the cutoff of 4 sigma and the shifted force leave out is added as if all atoms beyond one sigma
were spread evenly. With the word `diffusion`: a liquid at constant pressure and at its mean volume, 1 ns each, and what
positions that breathe with the cell would give.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import teqp
from ase import Atoms
from ase.build import bulk
from benchmarks.common import publish, simulate, table
from scipy.integrate import quad

from tachylite.analysis.transport import measure_diffusivity
from tachylite.engines import get_engine
from tachylite.engines.potentials.lennard_jones import ARGON_EPSILON, ARGON_SIGMA, LennardJonesPotential
from tachylite.engines.torchsim.dynamics import run_batch
from tachylite.engines.torchsim.engine import Guards
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.fluctuations import response_functions
from tachylite.schemas import Provenance, Request, Segment, State, Trajectory
from tachylite.units import GPA_PER_EV_A3, KB_EV

STATES = ((0.85, 0.80), (1.0, 0.75), (1.3, 0.65), (1.5, 0.85), (2.0, 0.55), (3.0, 0.75))
"""Reduced temperatures and densities."""

CUTOFF = 4.0
"""In sigma."""

N_CELLS, TIMESTEP_FS, EQUILIBRATION_PS, SETTLING_PS = 4, 8.0, 10.0, 10.0
KELVIN = ARGON_EPSILON / KB_EV
GPA = ARGON_EPSILON / ARGON_SIGMA**3 * GPA_PER_EV_A3


class EquationOfState:
    """Thol et al. at a reduced temperature and density."""

    def __init__(self, temperature: float, density: float) -> None:
        model = teqp.make_model({"kind": "LJ126_TholJPCRD2016", "model": {}})
        whole = np.array([1.0])
        slope = model.get_Ar01(temperature, density, whole)
        curvature = model.get_Ar02(temperature, density, whole)
        self.pressure = density * temperature * (1 + slope)
        self.enthalpy = temperature * (model.get_Ar10(temperature, density, whole) + 1.5 + 1 + slope)
        self.compressibility = 1 / (density * temperature * (1 + 2 * slope + curvature))


def left_out(density: float) -> tuple[float, float]:
    """Pressure and energy per atom, reduced, of the whole potential over those of the shifted force."""
    slope_at_cutoff = _slope(CUTOFF)
    pressure = (
        -(2 * np.pi / 3)
        * density**2
        * (slope_at_cutoff * (CUTOFF**4 - 1) / 4 + quad(lambda r: r**3 * _slope(r), CUTOFF, np.inf)[0])
    )
    shift = quad(lambda r: r**2 * (_energy(CUTOFF) + (r - CUTOFF) * slope_at_cutoff), 1, CUTOFF)[0]
    energy = 2 * np.pi * density * (shift + quad(lambda r: r**2 * _energy(r), CUTOFF, np.inf)[0])
    return float(pressure), float(energy)


def _energy(r: float) -> float:
    return 4 * (r**-12 - r**-6)


def _slope(r: float) -> float:
    return 24 * (r**-7 - 2 * r**-13)


def request(temperature: float, density: float, steps: int, seed: int) -> Request:
    """Molecular dynamics that starts at the density of the equation of state, 3 % off."""
    crystal: Atoms = bulk("Ar", "fcc", a=(4 / (0.97 * density)) ** (1 / 3) * ARGON_SIGMA, cubic=True) * ((N_CELLS,) * 3)
    pressure = EquationOfState(temperature, density).pressure - left_out(density)[0]
    segment = Segment(
        steps=steps,
        temperature_k=temperature * KELVIN,
        pressure_gpa=pressure * GPA,
        timestep_fs=TIMESTEP_FS,
        record_every=100,
    )
    melt = segment.model_copy(update={"steps": 1000, "temperature_k": 4 * KELVIN, "pressure_gpa": None})
    state = State.from_atoms(crystal)
    return Request(label="Lennard-Jones", state=state, segments=[melt, segment], seed=seed)


def diffusion() -> None:
    """D at constant pressure, at constant volume, and from positions that are not taken to the mean cell."""
    temperature, density, members, steps = 1.0, 0.75, 4, 31_250
    crystal: Atoms = bulk("Ar", "fcc", a=(4 / density) ** (1 / 3) * ARGON_SIGMA, cubic=True) * (3, 3, 3)
    pressure = EquationOfState(temperature, density).pressure - left_out(density)[0]
    melt = Segment(steps=2000, temperature_k=3 * KELVIN, timestep_fs=TIMESTEP_FS, thermostat="langevin")
    held = Segment(
        steps=steps, temperature_k=temperature * KELVIN, pressure_gpa=pressure * GPA, timestep_fs=TIMESTEP_FS
    )
    breathing = _produced([State.from_atoms(crystal)] * members, [melt, held])
    volume = float(np.mean([np.abs(np.linalg.det(t.cells)).mean() for t in breathing]))
    states = [t.frame(-1).scaled_to(volume) for t in breathing]
    rigid = _produced(states, [held.model_copy(update={"pressure_gpa": None})])
    rows, numbers = [], {}
    for name, trajectories, follows_cell in (
        ("constant pressure", breathing, True),
        ("constant volume", rigid, True),
        ("constant pressure, positions as they are", breathing, False),
    ):
        measured = [_diffusivity(trajectory, follows_cell=follows_cell) for trajectory in trajectories]
        value, error = np.mean(measured), np.std(measured, ddof=1) / members**0.5
        numbers[name] = Measured(value=float(value), error=float(error))
        rows.append([name, f"{1e5 * value:.3f} ± {1e5 * error:.3f}", ", ".join(f"{1e5 * d:.3f}" for d in measured)])
    title = f"Diffusion of a Lennard-Jones liquid, 108 atoms, {members} x {steps * TIMESTEP_FS / 1000:g} ps"
    publish("constant_pressure", {title: table(["", "D, 1e-5 cm^2/s", "members"], rows)}, {title: numbers})


def _produced(states: Sequence[State], segments: list[Segment]) -> list[Trajectory]:
    """Trajectories of the last segments."""
    requests = [Request(label="liquid", state=s, segments=segments, seed=i) for i, s in enumerate(states)]
    answers = simulate(get_engine("lennard-jones"), requests)
    length_fs = segments[-1].steps * TIMESTEP_FS
    trajectories = []
    for answer in answers:
        assert answer.trajectory is not None, answer.run.reason
        start = float(answer.trajectory.times_fs[-1]) - length_fs + SETTLING_PS * 1000
        kept = np.flatnonzero(answer.trajectory.times_fs > start)
        trajectories.append(
            Trajectory.from_arrays(
                numbers=answer.trajectory.numbers,
                positions=answer.trajectory.positions[kept],
                cells=answer.trajectory.cells[kept],
                times_fs=answer.trajectory.times_fs[kept],
                series={},
            )
        )
    return trajectories


def _diffusivity(trajectory: Trajectory, *, follows_cell: bool) -> float:
    if not follows_cell:
        trajectory = Trajectory.from_arrays(
            numbers=trajectory.numbers,
            positions=trajectory.positions,
            cells=trajectory.cells.mean(axis=0),
            times_fs=trajectory.times_fs,
            series={},
        )
    found = measure_diffusivity(trajectory, "Ar", KELVIN).diffusivity_cm2_s
    assert found is not None
    return found


def main() -> None:
    """Run all states and print the table."""
    if sys.argv[1:] == ["diffusion"]:
        diffusion()
        return
    steps = int(float(sys.argv[1]) * 1000 / TIMESTEP_FS) if len(sys.argv) > 1 else 25_000
    requests = [request(*state, steps, seed) for seed, state in enumerate(STATES)]
    potential = LennardJonesPotential(cutoff=CUTOFF * ARGON_SIGMA)
    provenance = Provenance(engine="lennard-jones", model="4 sigma", device="cpu", dtype="float64")
    with TemporaryDirectory() as folder:
        answers = run_batch(
            requests, potential, Path(folder), provenance=provenance, checkpoint_every=5000, guards=Guards()
        )
    rows, numbers = [], {}
    for (temperature, density), answer in zip(STATES, answers, strict=True):
        truth = EquationOfState(temperature, density)
        last, trajectory = answer.run.last, answer.trajectory
        assert trajectory is not None
        assert last.volume_a3 is not None
        series = {
            name: values[1000 + int(EQUILIBRATION_PS * 1000 / TIMESTEP_FS) :]
            for name, values in trajectory.series.items()
        }
        found = response_functions(
            series["energy_ev"],
            series["volume_a3"],
            temperature * KELVIN,
            last.segment.pressure_gpa or 0.0,
            len(trajectory.numbers),
        )
        n_atoms = len(trajectory.numbers)
        value = n_atoms * ARGON_SIGMA**3 / last.volume_a3.value
        ours = Measured(value=value, error=value * last.volume_a3.error / last.volume_a3.value)
        assert last.enthalpy_ev_per_atom is not None
        beyond_pressure, beyond_energy = left_out(density)
        enthalpy = last.enthalpy_ev_per_atom / ARGON_EPSILON
        beyond = beyond_energy + beyond_pressure / density
        enthalpy = Measured(value=enthalpy.value + beyond, error=enthalpy.error)
        compressibility = found.compressibility_per_gpa * GPA
        numbers[f"{temperature} {density}"] = {
            "density": ours,
            "enthalpy": enthalpy,
            "compressibility": compressibility,
        }
        rows.append(
            [
                temperature,
                f"{truth.pressure:.3f}",
                _beside(ours, density),
                _beside(enthalpy, truth.enthalpy),
                _beside(compressibility, truth.compressibility),
            ]
        )
    title = f"Lennard-Jones fluid, {4 * N_CELLS**3} atoms, {steps * TIMESTEP_FS / 1000:g} ps each"
    header = ["T", "P", "density: measured, equation of state", "enthalpy per atom", "compressibility"]
    publish("constant_pressure", {title: table(header, rows)}, {title: numbers})


def _beside(measured: Measured, truth: float) -> str:
    sigmas = (measured.value - truth) / measured.error
    return f"{measured.value:.4f} ± {measured.error:.4f}, {truth:.4f} ({sigmas:+.1f} σ)"


if __name__ == "__main__":
    main()
