"""Neuroevolution potentials (Fan et al. 2021, DOI 10.1103/PhysRevB.104.104309) by calorine's CPU code."""

import copy
import functools
import importlib.util
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.engines.potentials.ase_calculator import AseSystems
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.members import MemberModel
from tachylite.engines.potentials.nep_file import NepFile, read_nep
from tachylite.errors import InputError, MissingPackageError

TOLERANCE = 1e-6
"""In eV; calorine and the reference formula both compute in double precision."""


class NepSystem(AseSystems):
    """Computes one system at a time with calorine."""

    def __init__(self, path: Path) -> None:
        from calorine.calculators import CPUNEP

        # reading the file takes longer than forces do: what is made of it has no atoms so far, and is copied
        super().__init__(functools.partial(copy.copy, CPUNEP(str(path))))

    def compute(
        self, numbers: NDArray[np.int64], positions: Array, cell: Array, pbc: NDArray[np.bool_], *, stress: bool
    ) -> tuple[float, Array, Array | float]:
        """Energy in eV, forces (n_atoms, 3) in eV/A, stress (3, 3) in eV/A^3, or NaN where `stress` is false.

        Raises ValueError for a cell that is not periodic in all directions, which calorine would treat as periodic.
        """
        if not pbc.all():
            raise ValueError("the cell is not periodic in all directions, as NEP needs it")
        return super().compute(numbers, positions, cell, pbc, stress=stress)


def load(model: str | None, _: torch.device) -> LoadedPotential:
    """Load a `nep.txt` file with the elements of its header; it runs on the CPU.

    Raises InputError for a file that does not exist, is not a NEP4 potential, or is misread by calorine, and
    MissingPackageError where calorine is not installed.
    """
    if not model:
        raise InputError("engine 'nep' needs a file: nep:PATH of a nep.txt")
    file = read_nep(Path(model).expanduser())
    if importlib.util.find_spec("calorine") is None:
        raise MissingPackageError("engine 'nep' needs the package calorine; install it with: pip install calorine")
    system = NepSystem(file.path)
    check_pair_energies(system, file)
    system.reset()
    return LoadedPotential(
        potential=MemberModel(system),
        name=f"NEP {file.path.stem}",
        sha256=file.sha256,
        elements=frozenset(atomic_numbers[symbol] for symbol in file.elements),
        precision="float64",
        packages=("calorine",),
    )


def check_pair_energies(system: NepSystem, file: NepFile) -> None:
    """Compare calorine's energy of isolated pairs, one of each pair of elements, with that from the file's parameters.

    Raises InputError where they differ by more than 1e-6 eV.
    """
    pairs = list(combinations_with_replacement(file.elements, 2))
    length, spacing = file.pair_distance, 2 * file.cutoff
    rows = spacing * np.arange(len(pairs))
    positions = np.zeros((len(pairs), 2, 3))
    positions[:, 1, 0], positions[:, :, 1] = length, rows[:, None]
    atoms = Atoms(
        [symbol for pair in pairs for symbol in pair],
        positions=positions.reshape(-1, 3),
        cell=[length + spacing, spacing * len(pairs), spacing],
        pbc=True,
    )
    energy, _, _ = system.compute(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, stress=False)
    expected = sum(file.pair_energy(*pair) for pair in pairs)
    if not abs(energy - expected) < TOLERANCE:
        raise InputError(
            f"NEP file {file.path} is misread by calorine: pairs of its elements have {energy:.4f} instead of "
            f"{expected:.4f} eV; install the version of calorine that tachylite was tested with"
        )
