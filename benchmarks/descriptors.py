"""Speed of the descriptors; their values on melts and crystals beside published ones.

`python -m benchmarks.descriptors [speed|melts|crystals]`; the last two need published data: TACHYLITE_DATA names them.
"""

import argparse
import csv
import gzip
import json
import time
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import iread, write
from benchmarks.common import MELTS, own_engine, publish, simulate, table
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.descriptors import compute_descriptors
from tachylite.descriptors.atoms import Roles, assign_roles
from tachylite.descriptors.registry import DESCRIPTORS, Convention
from tachylite.descriptors.structure import compute_frame_descriptors
from tachylite.engines.packmol import pack
from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.schemas import Request, Segment

DATA = data_folder()
TEMPERATURE_K = 2000
FORMULA_UNITS = {
    "Li2O": 33, "Li15Sn2F8": 4, "LiSi": 50, "LiPF6": 13, "Li3N": 25, "LiAlO2": 25, "Li4P2O7": 8, "Li4Pt": 20,
}  # fmt: skip
COLUMNS = [name for name, d in DESCRIPTORS.items() if d.of == "structure" and name not in {"density", "AAV", "ENS"}]
SENDEK = {
    "AAV": (13.34, 4.58), "LNC": (21.4, 6.4), "LLB": (6.2, 4.4), "SNC": (20.7, 7.1), "AFC": (10.1, 2.2),
    "AASD": (3.40, 0.71), "VPA": (36.6, 35.1), "LASD": (2.07, 0.29), "LLSD": (2.73, 0.75), "ENS": (2.78, 0.31),
    "PF": (0.465, 0.173), "SPF": (0.234, 0.186), "SLPW": (0.85, 0.25), "SLPE": (2.54, 0.71), "RBI": (1.61, 0.72),
    "RNC": (1.06, 0.15), "LBI": (1.40, 0.37), "SBI": (0.98, 0.33),
}  # fmt: skip
"""Mean and standard deviation over 40 crystals, DOI 10.1039/C6EE02697D."""

OPEN_SHELLS = {"Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Mo"}
NONMETALS = {"N", "O", "F", "P", "S", "Cl", "Se", "Br", "Te", "I"}


def published(formula: str) -> dict[str, str]:
    """The published row of a formula at 2000 K."""
    with (DATA / "zheng2024" / "feature_target.dat").open(newline="") as file:
        rows = csv.DictReader(file, delimiter=" ")
        return next(row for row in rows if (row["formula"], row["temperature"]) == (formula, str(TEMPERATURE_K)))


def melts() -> dict[str, list[Atoms]]:
    """Frames of 100-atom melts at the published volume and 2000 K, 20 fs apart, kept on disk."""
    paths = {formula: MELTS / f"descriptors-{formula}.extxyz" for formula in FORMULA_UNITS}
    requests = []
    for formula in (formula for formula, path in paths.items() if not path.exists()):
        counts = {e: n * FORMULA_UNITS[formula] for e, n in parse_formula(formula).unit.items()}
        start = pack(counts, float(published(formula)["AAV"]) * sum(counts.values()), seed=1)
        segments = [
            Segment(steps=100, temperature_k=5000, thermostat="langevin"),
            Segment(steps=150, temperature_k=TEMPERATURE_K, thermostat="langevin"),
            Segment(steps=150, temperature_k=TEMPERATURE_K, record_every=10),
        ]
        requests.append(Request(label=formula, state=start, segments=segments, seed=1))
    for answer in simulate(own_engine(), requests) if requests else []:
        if answer.trajectory is None:
            raise SystemExit(f"the melt of {answer.run.label} failed: {answer.run.reason}")
        found = answer.trajectory
        frames = [Atoms(numbers=found.numbers, positions=p, cell=found.cells[0], pbc=True) for p in found.positions]
        write(paths[answer.run.label], frames)
    return {formula: list(iread(path)) for formula, path in paths.items()}


def compare_melts() -> None:
    """Every structural column of our melts beside the published row."""
    found = melts()
    conventions: tuple[Convention, ...] = ("exact", "zheng2024")
    for convention in conventions:
        rows, numbers = [], {}
        for column in COLUMNS:
            cells = []
            for formula, frames in found.items():
                mean, error, scatter = frame_statistics(formula, frames, convention)[column]
                value = float(published(formula)[column])
                # the published value is that of one frame
                agrees = abs(mean - value) <= 2.5 * float(np.hypot(error, scatter)) + 1e-6 * abs(value)
                spread = f" ± {scatter:.2g}" if scatter > 1e-6 * abs(mean) else ""
                cells.append(f"{mean:.3g}{spread} / {value:.3g}{'' if agrees else ' !'}")
                numbers[f"{formula} {column}"] = [mean, error, scatter, value, agrees]
            rows.append([column, *cells])
        title = f"Melts at {TEMPERATURE_K} K, convention {convention}"
        publish("descriptors", {title: table(["column", *found], rows)}, {title: numbers})


CACHE: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}


def frame_statistics(
    formula: str, frames: list[Atoms], convention: Convention
) -> dict[str, tuple[float, float, float]]:
    """Mean, its standard error and the scatter of single frames, of each column."""
    if (formula, convention) not in CACHE:
        positions, cell = np.array([atoms.positions for atoms in frames]), frames[0].cell.array
        whole = compute_descriptors(positions, cell, frames[0].numbers, convention=convention)
        roles = assign_roles(frames[0].numbers, "Li", convention=convention)
        single = [compute_frame_descriptors(one, cell, roles, convention) for one in positions]
        CACHE[formula, convention] = {
            column: (whole[column].mean, whole[column].error, float(np.std([row[column] for row in single], ddof=1)))
            for column in COLUMNS
        }
    return CACHE[formula, convention]


def compare_crystals() -> None:
    """Means over crystals with lithium and an anion, beside those of another forty."""
    with gzip.open(DATA / "elasticity" / "mp-binary-pbe-elasticity.json.gz") as file:
        binaries = [structure(entry["structure"]) for entry in json.load(file)]
    others = [(a.positions, a.cell.array, a.numbers) for a in iread(DATA / "mptrj" / "mptrj-random-1k.xyz", ":")]
    sets = {"binaries of the Materials Project": binaries, "frames of MPtrj": others}
    means = {name: crystal_means(crystals) for name, crystals in sets.items()}
    rows = []
    for column, (mean, deviation) in SENDEK.items():
        ours = [f"{np.mean(values[column]):.3g} ({np.std(values[column]):.2g})" for values in means.values()]
        rows.append([column, f"{mean} ({deviation})", *ours])
    header = ["column", "Sendek, 40 crystals"]
    header += [f"{name}, {len(values['AAV'])}" for name, values in means.items()]
    title = "Mean (standard deviation) over crystals"
    publish("descriptors", {title: table(header, rows)}, {title: means})


type Crystal = tuple[Array, Array, NDArray[np.int64]]
"""Positions (n_atoms, 3) and cell (3, 3) in A, atomic numbers (n_atoms,)."""


def structure(entry: dict[str, Any]) -> Crystal:
    """A crystal from a structure as pymatgen writes it."""
    cell = np.array(entry["lattice"]["matrix"])
    symbols = [site["species"][0]["element"] for site in entry["sites"]]
    return np.array([site["abc"] for site in entry["sites"]]) @ cell, cell, Atoms(symbols).numbers


def crystal_means(crystals: list[Crystal]) -> dict[str, list[float]]:
    """Values over the crystals of lithium, a nonmetal and no open shells."""
    values: dict[str, list[float]] = {column: [] for column in SENDEK}
    for positions, cell, numbers in crystals:
        symbols = set(Atoms(numbers=numbers).get_chemical_symbols())
        if "Li" not in symbols or not symbols & NONMETALS or symbols & OPEN_SHELLS:
            continue
        try:
            found = compute_descriptors(positions[None], cell, numbers)
        except InputError:
            continue
        for column, one in values.items():
            one.append(found[column].mean)
    return values


def speed() -> None:
    """Structures of about 100 atoms a second on one core."""
    rows, numbers = [], {}
    for formula, frames in melts().items():
        roles, cell = assign_roles(frames[0].numbers, "Li"), frames[0].cell.array
        rates = {packing: rate(frames, cell, roles, packing) for packing in (False, True)}
        rows.append([formula, len(frames[0]), *(f"{value:.0f}" for value in rates.values())])
        numbers[formula] = list(rates.values())
    header = ["melt", "atoms", "structures/s without packing", "with packing fractions"]
    publish("descriptors", {"Speed": table(header, rows)}, {"Speed": numbers})


def rate(frames: list[Atoms], cell: Array, roles: Roles, packing: bool) -> float:
    """Structures a second of processor time, the best of five rounds."""
    seconds = []
    for _ in range(5):
        started = time.process_time()
        for atoms in frames:
            compute_frame_descriptors(atoms.positions, cell, roles, packing=packing)
        seconds.append(time.process_time() - started)
    return len(frames) / min(seconds)


PARTS = {"speed": speed, "melts": compare_melts, "crystals": compare_crystals}


def main() -> None:
    """Measure the parts named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []])
    for name in parser.parse_args().part or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
