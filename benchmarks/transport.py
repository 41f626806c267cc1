"""Diffusivities against the truth, and against other codes: python -m benchmarks.transport [PART ...].

Parts are coverage, sodium, speed and memory; all of them where none is named. The other codes are measured where
`pymatgen.analysis.diffusion` and kinisi can be imported.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from benchmarks.common import publish, table
from benchmarks.walks import STEP_A2, brownian, langevin

from tachylite.analysis.laws import combine_transport
from tachylite.analysis.transport import measure_transport
from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.physics.transport.diffusivity import diffusivity_of_tracks
from tachylite.readers import open_trajectory

LIQUID_NA = data_folder() / "liquid_na"
PUBLISHED_NA = {671.0: 1.272e-4, 763.5: 1.605e-4}
SIZES = ((200, 20), (400, 50), (300, 100), (1000, 8), (5000, 10))
TRAJECTORIES = 400
TRUTH = STEP_A2 / 6 * 0.1
"""In cm^2/s for frames that are 1 fs apart."""


def least_squares(lags: Array, msd: Array) -> tuple[float, float]:
    """Slope and its standard error by ordinary least squares, as if the points were independent."""
    design = np.column_stack([lags, np.ones_like(lags)])
    solution, residuals, *_ = np.linalg.lstsq(design, msd, rcond=None)
    variance = float(residuals[0]) / (len(lags) - 2) * np.linalg.inv(design.T @ design)[0, 0]
    return float(solution[0]), float(variance) ** 0.5


def one_size(walk: Callable[[int, int, int], Array], n_frames: int, n_atoms: int) -> dict[str, float]:
    """Coverage of both intervals over many trajectories."""
    ours, plain, logs, claimed = [], [], [], []
    for seed in range(TRAJECTORIES):
        found = diffusivity_of_tracks(walk(n_frames, n_atoms, seed), 1.0)
        interval = found.diffusivity_interval_cm2_s
        if interval is not None and found.diffusivity_cm2_s is not None:
            ours.append(interval.low < TRUTH < interval.high)
            logs.append(np.log(found.diffusivity_cm2_s / TRUTH))
            claimed.append(found.ln_error or 0.0)
        slope, error = least_squares(np.array(found.lags_fs), np.array(found.msd_a2))
        plain.append(abs(slope - STEP_A2) < 1.96 * error)
    return {
        "answers": len(ours),
        "coverage": float(np.mean(ours)),
        "coverage_ols": float(np.mean(plain)),
        "bias": float(np.mean(logs)),
        "scatter": float(np.std(logs)),
        "claimed": float(np.median(claimed)),
    }


def coverage() -> None:
    """How often the 95 % interval holds the truth, for walks short and long, of few and many particles."""
    numbers, rows = {}, []
    for name, walk in (("Brownian", brownian), ("Langevin", langevin)):
        for n_frames, n_atoms in SIZES:
            one = numbers[f"{name} {n_frames} {n_atoms}"] = one_size(walk, n_frames, n_atoms)
            rows.append(
                [
                    name,
                    n_frames,
                    n_atoms,
                    f"{100 * one['coverage']:.1f} %",
                    f"{100 * one['coverage_ols']:.1f} %",
                    f"{one['scatter']:.3f}",
                    f"{one['claimed']:.3f}",
                    f"{100 * one['bias']:+.1f} %",
                ]
            )
            print(*rows[-1], flush=True)
    header = ["walk", "frames", "particles", "coverage", "least squares", "scatter of ln D", "claimed", "bias of ln D"]
    title = f"Coverage of the 95 % interval, {TRAJECTORIES} trajectories each"
    publish("transport", {title: table(header, rows)}, {title: numbers})


def sodium() -> None:
    """Liquid sodium at both temperatures, and the activation energy from them."""
    found = [
        measure_transport(open_trajectory(LIQUID_NA / f"XDATCAR_{kelvin:.1f}.gz", 2.0), "Na", kelvin)
        for kelvin in PUBLISHED_NA
    ]
    rows: list[list[object]] = []
    for one in found:
        interval = one.diffusivity_interval_cm2_s
        low, high = (0.0, 0.0) if interval is None else (interval.low, interval.high)
        published = f"{1e4 * PUBLISHED_NA[one.temperature_k]:.3f}"
        measured = f"{1e4 * (one.diffusivity_cm2_s or 0):.3f} [{1e4 * low:.2f}, {1e4 * high:.2f}]"
        rows.append([f"D at {one.temperature_k:g} K (1e-4 cm^2/s)", measured, published])
    law = combine_transport(found).arrhenius
    if law is not None:
        energy = law.activation_energy_ev
        (t1, d1), (t2, d2) = PUBLISHED_NA.items()
        published_ev = 8.617333e-5 * np.log(d2 / d1) / (1 / t1 - 1 / t2)
        ends = f"[{energy.value - 1.96 * energy.error:.3f}, {energy.value + 1.96 * energy.error:.3f}]"
        rows.append(["activation energy (eV)", f"{energy.value:.3f} {ends}", f"{published_ev:.3f}"])
    title = "Liquid sodium, 100 atoms, 2000 frames"
    numbers = {str(one.temperature_k): one.diffusivity_cm2_s for one in found}
    publish("transport", {title: table(["", "measured, 95 %", "published"], rows)}, {title: numbers})


def timed(work: Callable[[], object]) -> float:
    """Seconds, the best of three."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def speed() -> None:
    """10,000 frames of 100 atoms on one core: mean squared displacement, covariance, fit."""
    positions = brownian(10_000, 100, 0)
    works: dict[str, Callable[[], object]] = {"tachylite, 60 lags": lambda: diffusivity_of_tracks(positions, 1.0)}
    works |= peers(positions)
    seconds = {name: f"{timed(work):.2f}" for name, work in works.items()}
    title = "Diffusivity of 100 atoms over 10,000 frames, one core"
    publish("transport", {title: table(["code", "seconds"], list(seconds.items()))}, {title: seconds})


def peers(positions: Array) -> dict[str, Callable[[], object]]:
    """What other codes do for the same answer, where they are installed."""
    found: dict[str, Callable[[], object]] = {}
    edge = 30.0
    try:
        from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
        from pymatgen.core import Lattice, Structure
    except ImportError:
        pass
    else:
        # it does not work without a framework of other atoms
        symbols = ["Na"] * (positions.shape[1] - 1) + ["Cl"]
        structure = Structure(Lattice.cubic(edge), symbols, positions[0] / edge % 1)
        moved = np.swapaxes(positions - positions[0], 0, 1)
        lattices = np.array([structure.lattice.matrix])
        found["pymatgen-analysis-diffusion, smoothed over all origins"] = lambda: DiffusionAnalyzer(
            structure, moved, "Na", 1000.0, 1.0, 1, smoothed="max", lattices=lattices
        )
    try:
        import scipp as sc
        from kinisi.analyze import DiffusionAnalyzer as Kinisi
    except ImportError:
        return found
    cells = np.broadcast_to(np.eye(3) * edge, (len(positions), 3, 3))
    lags = sc.array(dims=["time interval"], values=np.linspace(84, 5000, 60).round(), unit="fs")

    def kinisi() -> object:
        from ase import Atoms

        frames = [
            Atoms(f"Na{positions.shape[1]}", x % edge, cell=c, pbc=True) for x, c in zip(positions, cells, strict=True)
        ]
        analyzer = Kinisi.from_ase(
            frames,
            specie="Na",
            time_step=1 * sc.Unit("fs"),
            step_skip=1 * sc.Unit("dimensionless"),
            dt=lags,
            progress=False,
        )
        analyzer.diffusion(500 * sc.Unit("fs"), progress=False)
        return analyzer.D

    found["kinisi, the same 60 lags"] = kinisi
    return found


def memory() -> None:
    """Peak memory of the command on files of growing size, each in a process of its own."""
    rows: list[list[object]] = []
    with TemporaryDirectory() as folder:
        for n_frames in (2_000, 20_000, 100_000, 1_500_000):
            path = Path(folder) / "XDATCAR"
            write_xdatcar(path, n_frames, 100)
            started = time.perf_counter()
            words = f"analyze transport {path} --species Na --timestep 2 --temperature 700 --json".split()
            code = (
                "import resource, sys; from tachylite.cli import main; main(sys.argv[1:]);"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
            )
            done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
            rows.append(
                [
                    n_frames,
                    f"{path.stat().st_size / 1e6:.0f}",
                    f"{int(done.stderr.split()[-1]) / 1e3:.0f}",
                    f"{time.perf_counter() - started:.1f}",
                ]
            )
            print(*rows[-1], flush=True)
    title = "Memory of analyze transport, 100 atoms"
    header = ["frames", "file (MB)", "peak memory (MB)", "seconds"]
    publish("transport", {title: table(header, rows)}, {title: rows})


def write_xdatcar(path: Path, n_frames: int, n_atoms: int, edge: float = 16.0) -> None:
    """Write a random walk a thousand frames at a time."""
    rng = np.random.default_rng(0)
    last = rng.random((n_atoms, 3))
    rows = "%.8f %.8f %.8f\n" * n_atoms
    with path.open("w", encoding="ascii") as file:
        file.write(f"walk\n1.0\n{edge} 0 0\n0 {edge} 0\n0 0 {edge}\nNa\n{n_atoms}\n")
        for index in range(n_frames):
            last = (last + rng.normal(0, 0.01, last.shape)) % 1
            file.write(f"Direct configuration= {index + 1}\n" + rows % tuple(last.ravel()))


def main() -> None:
    parts = {"coverage": coverage, "sodium": sodium, "speed": speed, "memory": memory}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    for name in parser.parse_args().parts or parts:
        parts[name]()


if __name__ == "__main__":
    main()
