"""g(r) of 1,000 frames of 100 atoms on one core, side by side with other codes: python -m benchmarks.structure.

pymatgen-analysis-diffusion is measured where it can be imported.
"""

import os
import time
from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.geometry.rdf import get_rdf
from benchmarks.common import publish, table

from tachylite.arrays import Array
from tachylite.physics.structure.pair_distribution import analyse_structure

LENGTH_A = 10.4
R_MAX_A = 5.0
BINS = 100
ELEMENTS = {"O": 60, "Li": 30, "P": 10}


def ase(frames: list[Atoms]) -> None:
    """The total g(r) of every frame."""
    for atoms in frames:
        get_rdf(atoms, R_MAX_A, BINS)


def peers(positions: Array) -> dict[str, Callable[[], object]]:
    """What other codes do; their structures are made beforehand."""
    symbols = [symbol for symbol, count in ELEMENTS.items() for _ in range(count)]
    cell = LENGTH_A * np.eye(3)
    frames = [Atoms(symbols, frame, cell=cell, pbc=True) for frame in positions]
    found: dict[str, Callable[[], object]] = {"ASE, the total only, no errors": lambda: ase(frames)}
    try:
        from pymatgen.analysis.diffusion.aimd.rdf import RadialDistributionFunction
    except ImportError:
        return found
    from pymatgen.core import Structure

    structures = [Structure(cell, symbols, frame, coords_are_cartesian=True) for frame in positions]
    chosen = [[i for i, symbol in enumerate(symbols) if symbol == one] for one in ELEMENTS]
    pairs = [(a, b) for i, a in enumerate(chosen) for b in chosen[i:]]
    found["pymatgen-analysis-diffusion, 6 pairs, no errors"] = lambda: [
        RadialDistributionFunction(structures, a, b, BINS + 1, R_MAX_A) for a, b in pairs
    ]
    return found


def main() -> None:
    """Measure in turns, the best of three, and publish."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    positions = np.random.default_rng(0).random((1000, sum(ELEMENTS.values()), 3)) * LENGTH_A
    numbers = Atoms("".join(f"{symbol}{count}" for symbol, count in ELEMENTS.items())).numbers
    works: dict[str, Callable[[], object]] = {
        "tachylite, 6 pairs and the total, errors": lambda: analyse_structure(
            positions, LENGTH_A * np.eye(3), numbers, R_MAX_A
        )
    }
    works |= peers(positions)
    seconds = {name: float("inf") for name in works}
    for _ in range(3):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    title = f"g(r) of 1,000 frames of 100 atoms up to {R_MAX_A:g} A, one core"
    rows = [[name, f"{taken:.2f}"] for name, taken in seconds.items()]
    publish("structure", {title: table(["code", "seconds"], rows)}, {title: seconds})


if __name__ == "__main__":
    main()
