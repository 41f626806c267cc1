"""Check a universal potential on simple crystals, to detect weights that are read wrongly."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from ase import Atoms
from ase.build import bulk
from torch_sim.io import atoms_to_state

from tachylite.errors import InputError
from tachylite.units import GPA_PER_EV_A3

UNIVERSAL = 30
"""Number of elements from which on a model counts as universal; one of fewer may be made for one system."""

_LARGEST_PRESSURE = 12.0
"""GPa at the measured lattice parameter: the worst of 16 crystals is below 6 with the weights of CHGNet (PBE, r2SCAN),
TensorNet-MatPES and SevenNet-0, and 29 to 326 with five sets that matgl 4.1 misreads."""

_LARGEST_ERROR = 0.25
"""eV/atom of a reaction energy: at most 0.11 with CHGNet and TensorNet-MatPES, and 0.4 to 2 with those misread."""

_CRYSTALS = {
    "Li": partial(bulk, "Li", "bcc", a=3.510),
    "Na": partial(bulk, "Na", "bcc", a=4.291),
    "Mg": partial(bulk, "Mg", "hcp", a=3.209, c=5.211),
    "Ca": partial(bulk, "Ca", "fcc", a=5.588),
    "Si": partial(bulk, "Si", "diamond", a=5.431),
    "C": partial(bulk, "C", "diamond", a=3.567),
    "Al": partial(bulk, "Al", "fcc", a=4.050),
    "Cu": partial(bulk, "Cu", "fcc", a=3.615),
    "Li2O": partial(bulk, "OLi2", "fluorite", a=4.619),
    "MgO": partial(bulk, "MgO", "rocksalt", a=4.212),
    "CaO": partial(bulk, "CaO", "rocksalt", a=4.811),
    "LiF": partial(bulk, "LiF", "rocksalt", a=4.027),
    "NaF": partial(bulk, "NaF", "rocksalt", a=4.634),
    "LiCl": partial(bulk, "LiCl", "rocksalt", a=5.140),
    "NaCl": partial(bulk, "NaCl", "rocksalt", a=5.640),
    "SiC": partial(bulk, "SiC", "zincblende", a=4.360),
}
"""Lattice parameters in A at room temperature (Wyckoff, Crystal Structures, 1963)."""

type FormulaUnits = dict[str, int]
"""Numbers of formula units by formula."""


@dataclass(frozen=True)
class _Reaction:
    """A reaction between crystals: reactants, products, and the measured energy in eV."""

    reactants: FormulaUnits
    products: FormulaUnits
    energy: float


_REACTIONS = (
    _Reaction({"Li2O": 1, "Mg": 1}, {"MgO": 1, "Li": 2}, -0.03),
    _Reaction({"MgO": 1, "Ca": 1}, {"CaO": 1, "Mg": 1}, -0.35),
    _Reaction({"NaF": 1, "Li": 1}, {"LiF": 1, "Na": 1}, -0.43),
    _Reaction({"NaCl": 1, "Li": 1}, {"LiCl": 1, "Na": 1}, 0.03),
    _Reaction({"Si": 1, "C": 1}, {"SiC": 1}, -0.78),
)
"""From enthalpies of formation at 298 K in the NIST-JANAF tables (DOI 10.18434/T42S31); diamond is 0.02 eV above
graphite. Energies of reaction do not depend on what a model takes as the zero of energy for each element, so that any
functional and any correction of the anions passes."""


def check_crystals(
    potential: Callable[[Any], dict[str, torch.Tensor]], elements: Collection[int], device: torch.device, name: str
) -> bool:
    """Compare pressures at measured lattice parameters, and energies of reaction, with measured ones.

    Returns False, without a check, for a model of fewer than 30 `elements` (atomic numbers). Raises InputError,
    with the model's `name` and the crystal or reaction, where pressures exceed 12 GPa or an energy of reaction
    is off by more than 0.25 eV/atom, which happens when weights are misread.
    """
    if len(elements) < UNIVERSAL:
        return False
    crystals = {f: build() for f, build in _CRYSTALS.items()}
    crystals = {f: crystal for f, crystal in crystals.items() if set(crystal.numbers.tolist()) <= set(elements)}
    answer = potential(atoms_to_state(list(crystals.values()), device, torch.float64))
    _check_pressures(crystals, answer["stress"], name)
    _check_reactions(crystals, answer["energy"], name)
    return True


def _check_pressures(crystals: dict[str, Atoms], stress: torch.Tensor, name: str) -> None:
    pressures = -stress.diagonal(dim1=1, dim2=2).mean(dim=1).cpu() * GPA_PER_EV_A3
    for formula, pressure in zip(crystals, pressures.tolist(), strict=True):
        if not abs(pressure) < _LARGEST_PRESSURE:
            raise _misread(name, f"crystalline {formula} has a pressure of {pressure:.1f} GPa at its measured density")


def _check_reactions(crystals: dict[str, Atoms], energies: torch.Tensor, name: str) -> None:
    per_unit = {}
    for (formula, crystal), energy in zip(crystals.items(), energies.tolist(), strict=True):
        per_unit[formula] = energy / crystal.symbols.formula.reduce()[1]
    for reaction in _REACTIONS:
        sides = (reaction.reactants, reaction.products)
        if not per_unit.keys() >= {formula for side in sides for formula in side}:
            continue
        before, after = (sum(count * per_unit[formula] for formula, count in side.items()) for side in sides)
        size = sum(count * len(Atoms(formula)) for formula, count in reaction.reactants.items())
        energy, expected = (after - before) / size, reaction.energy / size
        if not abs(energy - expected) < _LARGEST_ERROR:
            equation = " -> ".join(" + ".join(f"{n} {f}" for f, n in side.items()) for side in sides)
            raise _misread(name, f"{equation} gives {energy:.2f} instead of {expected:.2f} eV/atom")


def _misread(name: str, what: str) -> InputError:
    return InputError(
        f"weights {name} are misread: {what}; "
        "install the version of the model's package that wrote them, or take weights converted for this one"
    )
