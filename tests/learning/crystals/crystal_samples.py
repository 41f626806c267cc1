"""Crystals that the tests of this folder share."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from tachylite.schemas import State


def state_of(atoms: Atoms) -> State:
    return State(numbers=atoms.numbers.tolist(), positions=atoms.positions.tolist(), cell=atoms.cell.tolist())


def rutile() -> Atoms:
    cell = [4.594, 4.594, 2.959, 90, 90, 90]
    return Atoms(crystal(["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=cell))


def rattled(atoms: Atoms, seed: int = 0) -> Atoms:
    moved = Atoms(atoms)
    moved.positions += np.random.default_rng(seed).normal(scale=0.05, size=moved.positions.shape)
    return moved


def rock_salts(number: int, seed: int = 0) -> list[State]:
    """Of several elements, strained at random."""
    generator = np.random.default_rng(seed)
    pairs = [(cation, anion) for cation in ("Li", "Na", "K", "Mg", "Ca", "Sr") for anion in ("F", "Cl", "Br", "O", "S")]
    states = []
    for index in range(number):
        cation, anion = pairs[index % len(pairs)]
        atoms = bulk(cation + anion, "rocksalt", a=4.5 + generator.uniform(0, 1.5))
        states.append(state_of(atoms))
    return states
