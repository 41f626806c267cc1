"""Cooling runs with a known glass transition."""

import numpy as np

from tachylite.arrays import Array
from tachylite.readers.thermo import ThermoTable
from tachylite.schemas import Trajectory
from tachylite.units import KB_EV

TG, ATOMS = 700.0, 50


def branches(temperatures: Array, glass: float, jump: float) -> Array:
    x = temperatures - TG
    return np.asarray(glass * x + jump * np.maximum(x, 0))


def log(*, volume: bool, n: int = 4000) -> ThermoTable:
    """A cooling run of 40 ps from 1500 to 200 K with a kink in energy and volume."""
    rng = np.random.default_rng(0)
    temperatures = np.linspace(1500, 200, n)
    energies = ATOMS * (-5 + branches(temperatures, 1.5 * KB_EV, KB_EV) + rng.normal(0, 2e-3, n))
    volumes = ATOMS * 12 * (1 + branches(temperatures, 4e-5, 6e-5)) + rng.normal(0, 0.5, n)
    return ThermoTable(
        temperatures, energies, "potential", volumes if volume else None, np.linspace(0, 40_000, n, endpoint=False)
    )


def quenched(steps: int = 600) -> Trajectory:
    """A hotter stretch, a ramp from 1500 to 200 K, a hold."""
    target = np.concatenate([np.full(50, 2000.0), np.linspace(1500, 200, steps), np.full(200, 200.0)])
    rng = np.random.default_rng(1)
    energy = ATOMS * branches(target, 1.5 * KB_EV, KB_EV) + rng.normal(0, 0.01, len(target))
    segment = np.repeat([0, 1, 2], [50, steps, 200])
    times = 2.0 * np.arange(1, len(target) + 1)
    return Trajectory.from_arrays(
        numbers=[18] * ATOMS,
        positions=np.random.default_rng(2).uniform(0, 10, (1, ATOMS, 3)),
        cells=np.eye(3) * 10,
        times_fs=[0.0],
        series={"target_temperature_k": target, "energy_ev": energy, "segment": segment, "time_fs": times},
    )
