"""Crystals, melts, glasses and mixtures of both, and how often each is told right: python -m benchmarks.crystallinity.

The thresholds were fixed on other draws of displacements, crystals and packings from the same generators; the published
melts and glasses are the same few for both. `again` draws anew, `dynamics` adds melts and quenches (minutes).
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.io import iread
from benchmarks.common import publish, read_atoms, simulate, table
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.engines.packmol import pack
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.physics.structure.crystallinity import Crystallinity, measure_crystallinity
from tachylite.schemas import Request, Segment

DATA = data_folder()
SEED, OTHER_SEED = 2, 1

CUBIC, HEXAGONAL, TETRAGONAL = Lattice.cubic, Lattice.hexagonal, Lattice.tetragonal
Q, H = 0.25, 0.5
STRUCTURE_TYPES: dict[str, tuple[str, Lattice, list[str], list[list[float]]]] = {
    "fcc": ("Fm-3m", CUBIC(3.61), ["Cu"], [[0, 0, 0]]),
    "bcc": ("Im-3m", CUBIC(2.87), ["Fe"], [[0, 0, 0]]),
    "hcp": ("P6_3/mmc", HEXAGONAL(3.21, 5.21), ["Mg"], [[1 / 3, 2 / 3, Q]]),
    "diamond": ("Fd-3m", CUBIC(5.43), ["Si"], [[0, 0, 0]]),
    "rock salt": ("Fm-3m", CUBIC(4.21), ["Mg", "O"], [[0, 0, 0], [H, H, H]]),
    "CsCl": ("Pm-3m", CUBIC(4.12), ["Cs", "Cl"], [[0, 0, 0], [H, H, H]]),
    "zinc blende": ("F-43m", CUBIC(5.41), ["Zn", "S"], [[0, 0, 0], [Q, Q, Q]]),
    "wurtzite": ("P6_3mc", HEXAGONAL(3.25, 5.21), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.382]]),
    "fluorite": ("Fm-3m", CUBIC(5.46), ["Ca", "F"], [[0, 0, 0], [Q, Q, Q]]),
    "antifluorite": ("Fm-3m", CUBIC(4.62), ["O", "Li"], [[0, 0, 0], [Q, Q, Q]]),
    "rutile": ("P4_2/mnm", TETRAGONAL(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]),
    "corundum": ("R-3c", HEXAGONAL(4.76, 12.99), ["Al", "O"], [[0, 0, 0.352], [0.306, 0, Q]]),
    "perovskite": ("Pm-3m", CUBIC(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [H, H, H], [H, H, 0]]),
    "quartz": ("P3_221", HEXAGONAL(4.913, 5.405), ["Si", "O"], [[0.4697, 0, 2 / 3], [0.4135, 0.2669, 0.7858]]),
    "cristobalite": ("P4_12_12", TETRAGONAL(4.972, 6.922), ["Si", "O"], [[0.3, 0.3, 0], [0.239, 0.104, 0.179]]),
    "Cu3Au": ("Pm-3m", CUBIC(3.75), ["Au", "Cu"], [[0, 0, 0], [H, H, 0]]),
    "Li3N": ("P6/mmm", HEXAGONAL(3.65, 3.87), ["Li", "Li", "N"], [[1 / 3, 2 / 3, 0], [0, 0, H], [0, 0, 0]]),
}


def main() -> None:
    """Judge all samples and publish the table; with the word `again` others of the same kinds."""
    words = sys.argv[1:]
    seed = OTHER_SEED if "again" in words else SEED
    groups: dict[tuple[str, str], list[Crystallinity]] = defaultdict(list)
    for name, truth, atoms in samples(seed, with_dynamics="dynamics" in words):
        groups[name, truth].append(measure_crystallinity(atoms.positions, atoms.cell.array, atoms.numbers))
    rows = [[name, truth, *counts(group)] for (name, truth), group in groups.items()]
    header = ["samples", "are", "number", "crystalline", "amorphous", "no answer", "crystallinity", "contrast"]
    numbers = {name: [c.model_dump(mode="json") for c in group] for (name, _), group in groups.items()}
    title = "Crystal or glass" + (", other samples" if "again" in words else "")
    publish("crystallinity", {title: table(header, rows)}, {title: numbers})


def counts(group: list[Crystallinity]) -> list[str]:
    """How many of a group were told to be what, and the ranges of both witnesses."""
    verdicts = [crystallinity.crystalline for crystallinity in group]
    fractions = [c.crystallinity for c in group if c.crystallinity is not None]
    contrasts = [c.diffraction_contrast for c in group if c.diffraction_contrast is not None]
    return [
        str(len(group)),
        *(str(verdicts.count(verdict)) for verdict in (True, False, None)),
        f"{min(fractions):.2f} to {max(fractions):.2f}",
        f"{min(contrasts):.1f} to {max(contrasts):.1f}",
    ]


def samples(seed: int, *, with_dynamics: bool) -> Iterator[tuple[str, str, Atoms]]:
    """Name of a group, what its samples are, and one of them."""
    rng = np.random.default_rng(seed)
    for unit in map(structure_type, STRUCTURE_TYPES):
        for n_atoms in (40, 150):
            for displacement in (0.0, 0.05, 0.1, 0.15):
                atoms = displaced(supercell(unit, n_atoms), displacement, rng)
                yield f"17 types from {n_atoms} atoms, displaced {displacement:g}", "crystals", atoms
        for n_atoms in (100, 300):
            grain = displaced(turned_grain(unit, n_atoms, rng), 0.08, rng)
            yield f"crystals turned in a box of {n_atoms}", "crystals", grain
            half = displaced(half_melted(unit, n_atoms, rng), 0.08, rng)
            yield f"half crystals of {n_atoms}, displaced 0.08", "half crystals", half
    for unit in published_crystals(60, rng):
        atoms = supercell(unit, 48)
        repeats = len(atoms) // len(unit)
        often = "1" if repeats == 1 else "2" if repeats == 2 else "3 and more"
        yield f"Materials Project, cell repeats {often}, displaced 0.1", "crystals", displaced(atoms, 0.1, rng)
    for n_atoms in (24, 48, 100, 200):
        for _ in range(8):
            for composition in ([n_atoms // 2, n_atoms - n_atoms // 2], [n_atoms // 3, n_atoms - n_atoms // 3]):
                yield f"packings of two kinds of spheres, {n_atoms}", "amorphous", packing(composition, rng)
    yield from published_glasses()
    if with_dynamics:
        yield from simulated(seed)


def structure_type(name: str) -> Atoms:
    """Conventional cell."""
    return Structure.from_spacegroup(*STRUCTURE_TYPES[name]).to_ase_atoms()


def published_crystals(number: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Primitive cells of up to 100 atoms of the Materials Project, drawn at random."""
    with gzip.open(DATA / "mp_crystals" / "mp_structures_yu.jsonl.gz", "rt") as lines:
        entries = [json.loads(line) for line in lines]
    small = [entry for entry in entries if len(entry["sp"]) <= 100]
    for entry in rng.choice(np.array(small, dtype=object), number, replace=False):
        yield Structure(Lattice.from_parameters(*entry["cell"]), entry["sp"], entry["x"]).to_ase_atoms()


def published_glasses() -> Iterator[tuple[str, str, Atoms]]:
    """Melts and glasses of the reference data."""
    yield "silica glass, 3,000", "amorphous", read_atoms(DATA / "silica" / "SiO2_glass_3000_atoms.xyz")
    yield "MgV2O5 at 900 K, 96", "amorphous", read_atoms(DATA / "mgvo" / "amorphous_MgV2O5_900K.vasp")
    yield "MgV2O5 at 600 K, 96", "published as amorphous", read_atoms(DATA / "mgvo" / "amorphous_MgV2O5_600K.vasp")
    for name in ("train", "validation"):
        for frame in iread(DATA / "b2o3" / f"{name}.extxyz"):
            yield "B2O3 melt and glass, 265", "amorphous", frame


def simulated(seed: int) -> Iterator[tuple[str, str, Atoms]]:
    """Melts, and the glasses or cooler melts that they become in 3 ps."""
    unep = f"nep:{DATA / 'models' / 'UNEP-v1.txt'}"
    for engine, formula, volume, hot_k, cold_k, cold in (
        (unep, "Cu64Zr36", 16.2, 2500, 300, "glasses, Cu-Zr"),
        (unep, "CuZr", 17.8, 2500, 300, "glasses, Cu-Zr"),
        ("lennard-jones", "Ar", 46.0, 130, 95, "melts, argon and Cu-Zr"),
    ):
        for n_atoms in (48, 108):
            start = pack(atom_counts(parse_formula(formula), n_atoms), n_atoms * volume, seed)
            segments = [
                Segment(steps=500, temperature_k=hot_k, thermostat="langevin", timestep_fs=4.0, record_every=250),
                Segment(steps=750, temperature_k=hot_k, end_temperature_k=cold_k, timestep_fs=4.0, record_every=250),
            ]
            request = Request(label="quench", state=start, segments=segments, seed=seed)
            (answer,) = simulate(get_engine(engine), [request])
            assert answer.trajectory is not None, answer.run.reason
            for frame in range(2):
                yield "melts, argon and Cu-Zr", "amorphous", answer.trajectory.frame(frame).atoms
            yield cold, "amorphous", answer.run.final.atoms


def supercell(unit: Atoms, n_atoms: int) -> Atoms:
    """The unit cell repeated along its shortest edge until there are so many atoms."""
    repeats = np.ones(3, dtype=int)
    while len(unit) * repeats.prod() < n_atoms:
        repeats[np.argmin(repeats * unit.cell.lengths())] += 1
    repeated: Atoms = unit * tuple(int(n) for n in repeats)
    return repeated


def displaced(atoms: Atoms, displacement: float, rng: np.random.Generator) -> Atoms:
    """Atoms displaced at random, their root mean square displacement in units of the nearest distance."""
    moved: Atoms = atoms.copy()
    moved.positions += rng.normal(0, displacement * nearest_distance(atoms) / 3**0.5, atoms.positions.shape)
    return moved


def nearest_distance(atoms: Atoms) -> float:
    """Median over atoms of the distance to the nearest one."""
    distances = (atoms * (2, 2, 2) if len(atoms) < 60 else atoms).get_all_distances(mic=True)
    distances[distances < 0.1] = np.inf
    return float(np.median(distances.min(axis=1)))


def turned_grain(unit: Atoms, n_atoms: int, rng: np.random.Generator) -> Atoms:
    """A crystal turned at random that fills a cubic box with which it does not fit."""
    edge = (n_atoms * unit.get_volume() / len(unit)) ** (1 / 3)
    block = unit * tuple(int(n) for n in np.ceil(2.2 * edge / unit.cell.lengths()))
    rotation = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    positions = (block.positions - block.positions.mean(axis=0)) @ rotation.T + edge / 2
    inside = ((positions >= 0) & (positions < edge)).all(axis=1)
    positions, numbers = positions[inside], block.numbers[inside]
    touching = KDTree(positions, boxsize=edge * (1 + 1e-9)).query_pairs(0.75 * nearest_distance(supercell(unit, 60)))
    keep = np.setdiff1d(np.arange(len(positions)), [second for _, second in touching])
    return Atoms(numbers[keep], positions[keep], cell=[edge] * 3, pbc=True)


def half_melted(unit: Atoms, n_atoms: int, rng: np.random.Generator) -> Atoms:
    """A supercell, the atoms of one half of which are packed at random."""
    atoms = supercell(unit, n_atoms)
    fractional = atoms.get_scaled_positions()
    axis = int(np.argmax(atoms.cell.lengths()))
    melted = (fractional[:, axis] + 1e-6) % 1 >= 0.5
    fractional[melted] = rng.random((int(melted.sum()), 3))
    fractional[melted, axis] = 0.5 + 0.5 * fractional[melted, axis]
    diameters = np.full((len(atoms), len(atoms)), 0.95 * nearest_distance(atoms))
    atoms.positions = pushed_apart(fractional @ atoms.cell.array, atoms.cell.array, diameters, melted)
    return atoms


def packing(composition: list[int], rng: np.random.Generator) -> Atoms:
    """Two kinds of spheres, one a quarter larger, packed at random up to 74 % of the volume with little overlap."""
    kinds = np.repeat([0, 1], composition)
    radii = np.array([0.5, 0.62])[kinds]
    edge = float((4 / 3 * np.pi * (radii**3).sum() / 0.74) ** (1 / 3))
    cell, free = edge * np.eye(3), np.ones(len(kinds), dtype=bool)
    positions = pushed_apart(rng.random((len(kinds), 3)) * edge, cell, radii[:, None] + radii, free, 300)
    return Atoms(np.array([11, 17])[kinds], positions, cell=cell, pbc=True)


def pushed_apart(positions: Array, cell: Array, diameters: Array, free: NDArray[np.bool_], n_pushes: int = 60) -> Array:
    """Positions after pushes that part those nearer than their diameters, of which only free ones move."""
    for _ in range(n_pushes):
        difference = positions[:, None] - positions
        difference -= np.round(difference @ np.linalg.inv(cell)) @ cell
        distances = np.linalg.norm(difference, axis=2)
        np.fill_diagonal(distances, np.inf)
        pushes = np.maximum(diameters - distances, 0) / distances
        positions = positions + 0.3 * np.einsum("ij,ijk->ik", pushes, difference) * free[:, None]
    return positions


if __name__ == "__main__":
    main()
