"""Diffusion at constant pressure and at constant volume: python -m benchmarks.diffusion_of_liquids argon|NEP_FILE.

Argon as Lennard-Jones atoms, 1 ns each, or molten Cu64Zr36 with the potential UNEP-v1. The volume is the mean of the
run at constant pressure, so that D is the same but for its error; the third row is what positions that breathe with the
cell would give, the naive way (DOI 10.1063/5.0008316).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.build import bulk
from benchmarks.common import publish, simulate, table

from tachylite.analysis.transport import measure_diffusivity
from tachylite.engines import Engine, get_engine
from tachylite.engines.potentials.lennard_jones import ARGON_EPSILON, ARGON_SIGMA
from tachylite.jobs.starts import pack_formula
from tachylite.measured import Measured
from tachylite.schemas import Protocol, Request, Segment, State, Trajectory
from tachylite.units import GPA_PER_EV_A3, KB_EV

MEMBERS, MELTING_PS, SETTLING_PS, RECORD_EVERY = 4, 16.0, 10.0, 20


@dataclass(frozen=True)
class Liquid:
    """What is held, and how."""

    engine: Engine
    starts: list[State]
    species: str
    melting_k: float
    temperature_k: float
    pressure_gpa: float
    timestep_fs: float
    length_ps: float

    def segment(self, length_ps: float, temperature_k: float, pressure_gpa: float | None) -> Segment:
        """Molecular dynamics of so many picoseconds."""
        steps = round(1000 * length_ps / self.timestep_fs)
        return Segment(
            steps=steps,
            temperature_k=temperature_k,
            pressure_gpa=pressure_gpa,
            timestep_fs=self.timestep_fs,
            record_every=RECORD_EVERY,
        )

    def held(
        self, starts: Sequence[State], pressure_gpa: float | None, before: Sequence[Segment] = ()
    ) -> list[Trajectory]:
        """Trajectories after settling."""
        segments = [*before, self.segment(self.length_ps + SETTLING_PS, self.temperature_k, pressure_gpa)]
        requests = [Request(label="liquid", state=s, segments=segments, seed=i) for i, s in enumerate(starts)]
        return [last(answer.trajectory, self.length_ps) for answer in simulate(self.engine, requests)]


def last(trajectory: Trajectory | None, length_ps: float) -> Trajectory:
    """The last picoseconds of a trajectory."""
    assert trajectory is not None
    kept = trajectory.times_fs > trajectory.times_fs[-1] - 1000 * length_ps
    return Trajectory.from_arrays(
        numbers=trajectory.numbers,
        positions=trajectory.positions[kept],
        cells=trajectory.cells[kept],
        times_fs=trajectory.times_fs[kept],
        series={},
    )


def argon() -> Liquid:
    """At reduced temperature and pressure 1: a dense liquid, far from the critical point."""
    kelvin = ARGON_EPSILON / KB_EV
    crystal = bulk("Ar", "fcc", a=(4 / 0.72) ** (1 / 3) * ARGON_SIGMA, cubic=True) * (3, 3, 3)
    return Liquid(
        engine=get_engine("lennard-jones"),
        starts=[State.from_atoms(crystal)] * MEMBERS,
        species="Ar",
        melting_k=3 * kelvin,
        temperature_k=kelvin,
        pressure_gpa=ARGON_EPSILON / ARGON_SIGMA**3 * GPA_PER_EV_A3,
        timestep_fs=8.0,
        length_ps=1000 / MEMBERS,
    )


def copper_zirconium(file: str) -> Liquid:
    """Cu64Zr36 at 1800 K and zero pressure."""
    packing = {"n_atoms": 100, "volume_factor": 1.2}
    steps = [{"kind": "hold", "temperature_k": 1800}]
    protocol = Protocol.model_validate({"name": "", "packing": packing, "steps": steps})
    return Liquid(
        engine=get_engine(f"nep:{file}"),
        starts=[pack_formula("Cu64Zr36", protocol, seed) for seed in range(MEMBERS)],
        species="Cu",
        melting_k=2500,
        temperature_k=1800,
        pressure_gpa=0.0,
        timestep_fs=4.0,
        length_ps=50,
    )


def main() -> None:
    """Run, and publish the table."""
    liquid = argon() if sys.argv[1] == "argon" else copper_zirconium(sys.argv[1])
    breathing = liquid.held(liquid.starts, liquid.pressure_gpa, [liquid.segment(MELTING_PS, liquid.melting_k, None)])
    volume = float(np.mean([np.abs(np.linalg.det(trajectory.cells)).mean() for trajectory in breathing]))
    rigid = liquid.held([trajectory.frame(-1).scaled_to(volume) for trajectory in breathing], None)
    naive = [with_fixed_cell(trajectory) for trajectory in breathing]
    rows, numbers = [], {}
    for name, trajectories in (
        ("constant pressure", breathing),
        ("constant volume", rigid),
        ("constant pressure, positions as they are", naive),
    ):
        measured = [diffusivity(trajectory, liquid) for trajectory in trajectories]
        value, error = np.mean(measured), np.std(measured, ddof=1) / MEMBERS**0.5
        numbers[name] = Measured(value=float(value), error=float(error))
        rows.append([name, f"{1e5 * value:.3f} ± {1e5 * error:.3f}", ", ".join(f"{1e5 * d:.3f}" for d in measured)])
    formula, n_atoms = liquid.starts[0].formula, len(liquid.starts[0].numbers)
    title = f"Diffusion of {liquid.species} in liquid {formula}, {n_atoms} atoms, {liquid.temperature_k:.0f} K"
    header = ["", "D, 1e-5 cm^2/s", f"{MEMBERS} runs of {liquid.length_ps:g} ps"]
    publish("diffusion_of_liquids", {title: table(header, rows)}, {title: numbers})


def with_fixed_cell(trajectory: Trajectory) -> Trajectory:
    """The same positions in the mean cell, which they do not belong to."""
    return Trajectory.from_arrays(
        numbers=trajectory.numbers,
        positions=trajectory.positions,
        cells=trajectory.cells.mean(axis=0),
        times_fs=trajectory.times_fs,
        series={},
    )


def diffusivity(trajectory: Trajectory, liquid: Liquid) -> float:
    """D in cm^2/s."""
    measured = measure_diffusivity(trajectory, liquid.species, liquid.temperature_k).diffusivity_cm2_s
    assert measured is not None
    return measured


if __name__ == "__main__":
    main()
