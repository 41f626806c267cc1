"""Crystals of the elements and molecules of gases, the references of formation energies."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.errors import InputError


@dataclass(frozen=True)
class Crystal:
    """A crystal of one element."""

    symbol: str
    numbers: NDArray[np.int64]
    """Shape (n,)."""
    cell: NDArray[np.float64]
    """Lattice vectors as rows, shape (3, 3), in A."""
    positions: NDArray[np.float64]
    """Cartesian, shape (n, 3), in A."""
    energy_ev_per_atom: float | None
    """PBE total energy in the Materials Project."""

    @property
    def volume_a3_per_atom(self) -> float:
        """Volume per atom in A^3."""
        return float(abs(np.linalg.det(self.cell))) / len(self.numbers)


def reference_elements() -> tuple[str, ...]:
    """Symbols of the elements that `reference_crystal` knows, by atomic number."""
    return tuple(_crystals())


def reference_crystal(symbol: str) -> Crystal:
    """Crystal of lowest PBE energy of an element in the Materials Project (DOI 10.1063/1.4812323).

    Hydrogen, nitrogen, oxygen and the halogens are molecular crystals. All elements up to plutonium are
    there but Po, At, Rn, Fr and Ra; InputError for these and for what is not an element.
    """
    crystals = _crystals()
    if symbol not in crystals:
        raise InputError(f"no reference crystal of '{symbol}'; there is one of {', '.join(crystals)}")
    entry = crystals[symbol]
    cell = np.array(entry["cell"], dtype=np.float64)
    fractional = np.array(entry["fractional"], dtype=np.float64)
    return Crystal(
        symbol=symbol,
        numbers=np.full(len(fractional), atomic_numbers[symbol], dtype=np.int64),
        cell=cell,
        positions=fractional @ cell,
        energy_ev_per_atom=entry["energy_ev_per_atom"],
    )


_BOND_LENGTHS_A = {"H": 0.741, "N": 1.098, "O": 1.208, "F": 1.412, "Cl": 1.988}
"""Of the diatomic gases (Huber and Herzberg 1979, in the NIST Chemistry WebBook)."""

_EMPTY_A = 14.0
"""Edge of the cell around an isolated molecule."""


def gas_molecule(symbol: str) -> Crystal | None:
    """An isolated molecule of an element that is a diatomic gas at 25 C, in a cell of 14 A; None of any other."""
    if symbol not in _BOND_LENGTHS_A:
        return None
    positions = np.full((2, 3), _EMPTY_A / 2)
    positions[1, 0] += _BOND_LENGTHS_A[symbol]
    numbers = np.full(2, atomic_numbers[symbol], dtype=np.int64)
    return Crystal(symbol, numbers, np.eye(3) * _EMPTY_A, positions, None)


@cache
def _crystals() -> dict[str, Any]:
    text = (files("tachylite") / "physics" / "data" / "elemental_crystals.json").read_text(encoding="utf-8")
    crystals: dict[str, Any] = json.loads(text)["crystals"]
    return crystals
