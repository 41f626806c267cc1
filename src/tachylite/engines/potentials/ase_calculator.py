"""Any ASE calculator as a potential: those of ASE, of atomate2, and any that can be imported."""

import importlib.metadata
import importlib.util
from collections import OrderedDict
from collections.abc import Callable, Collection
from numbers import Integral
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import get_calculator_class
from ase.calculators.emt import EMT
from ase.calculators.names import names as ase_names
from ase.data import atomic_numbers
from ase.stress import voigt_6_to_full_3x3_stress
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.engines.potentials.importing import call_constructor, fingerprint, import_object
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.members import MemberModel
from tachylite.errors import InputError

ALL_ELEMENTS = frozenset(range(1, 119))

_EMT_ELEMENTS = frozenset(atomic_numbers[symbol] for symbol in ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au"))
"""ASE has parameters for H, C, N and O too, which its documentation advises against using."""

_DECLARATIONS = ("implemented_elements", "supported_elements", "elements", "species")
"""Attributes in which calculators list symbols or atomic numbers."""

_MOST_SYSTEMS = 512
"""Calculators that `AseSystems` keeps; one of UNEP-v1 takes 2.3 MB."""

USAGE = "give ase:emt, ase:PACKAGE.MODULE:NAME or ase:FILE.py:NAME, where NAME makes a calculator without arguments"


class AseSystem:
    """Computes one system at a time with an ASE calculator, in ASE's units; in the stress, tension is positive."""

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator

    def compute(
        self, numbers: NDArray[np.int64], positions: Array, cell: Array, pbc: NDArray[np.bool_], *, stress: bool
    ) -> tuple[float, Array, Array | float]:
        """Energy in eV, forces (n_atoms, 3) in eV/A, stress (3, 3) in eV/A^3, or NaN where `stress` is false."""
        atoms = Atoms(numbers, positions=positions, cell=cell, pbc=pbc)
        changes = self.calculator.check_state(atoms)
        if changes:
            self.reset()
            properties = ["energy", "forces", "stress"] if stress else ["energy", "forces"]
            self.calculator.calculate(atoms, properties, changes)
            if not hasattr(self.calculator, "reset"):  # nor does its `calculate` remember the atoms
                self.calculator.atoms = atoms
        results = self.calculator.results
        return float(results["energy"]), results["forces"], _tensor(results["stress"]) if stress else np.nan

    def reset(self) -> None:
        """Clear the atoms and results of the last call; calculators that run a program, like ASE's Espresso, cannot."""
        if hasattr(self.calculator, "reset"):
            self.calculator.reset()
        else:
            self.calculator.atoms, self.calculator.results = None, {}


class AseSystems:
    """Computes one system at a time, with an ASE calculator for every sequence of elements.

    For calculators that are bound to their elements, and whose results depend on nothing but the atoms: making one
    takes several times as long as computing forces, so those that were used last stay.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._systems: OrderedDict[bytes, AseSystem] = OrderedDict()

    def compute(
        self, numbers: NDArray[np.int64], positions: Array, cell: Array, pbc: NDArray[np.bool_], *, stress: bool
    ) -> tuple[float, Array, Array | float]:
        """Energy in eV, forces (n_atoms, 3) in eV/A, stress (3, 3) in eV/A^3, or NaN where `stress` is false."""
        key = numbers.tobytes()
        if key not in self._systems:
            self._systems[key] = AseSystem(self._make())
            if len(self._systems) > _MOST_SYSTEMS:
                self._systems.popitem(last=False)
        self._systems.move_to_end(key)
        return self._systems[key].compute(numbers, positions, cell, pbc, stress=stress)

    def reset(self) -> None:
        """Clear the atoms and results of the last calls."""
        for system in self._systems.values():
            system.reset()


def _tensor(stress: Array) -> Array:
    """Stress as (3, 3), from ASE's order of six components; some calculators give all nine."""
    tensor: Array = np.asarray(stress) if np.size(stress) == 9 else voigt_6_to_full_3x3_stress(stress)
    return tensor.reshape(3, 3)


def load(model: str | None, _: torch.device) -> LoadedPotential:
    """Make the calculator that `model` names; it chooses its device, its results are on the CPU.

    `model` is a name that ASE or atomate2's force-field interface knows, `package.module:NAME` or `FILE.py:NAME`.
    Raises InputError, saying how to name one, where there is no such calculator or it has no stress, and
    MissingPackageError where its package is not installed.
    """
    if not model:
        raise InputError(f"engine 'ase' needs a calculator; {USAGE}")
    calculator = _make(model)
    if not hasattr(calculator, "calculate") or not hasattr(calculator, "check_state"):
        raise InputError(f"ase:{model} gives a {type(calculator).__name__}, and no ASE calculator; {USAGE}")
    if "stress" not in calculator.implemented_properties:
        raise InputError(f"calculator ase:{model} has no stress, and so no pressure; choose another engine")
    return LoadedPotential(
        potential=MemberModel(AseSystem(calculator)),
        name=f"{type(calculator).__name__} ({model})",
        sha256=fingerprint(model, dict(getattr(calculator, "parameters", {}))),
        elements=_elements(calculator),
        precision="unknown",
        packages=_distributions(calculator),
    )


def _elements(calculator: Any) -> frozenset[int]:
    """Atomic numbers that a calculator says it is made for.

    Most do not say; these are taken at their word for all elements, and refuse one when they first meet it.
    """
    if isinstance(calculator, EMT):
        return _EMT_ELEMENTS
    parameters = getattr(calculator, "parameters", None) or {}
    declared = [getattr(calculator, name, None) for name in _DECLARATIONS]
    declared.append(parameters.get("pseudopotentials"))
    for names in declared:
        if isinstance(names, Collection) and not isinstance(names, str) and len(names):
            numbers: list[Any] = [atomic_numbers.get(name, name) for name in names]
            known = [int(number) for number in numbers if isinstance(number, Integral) and number in ALL_ELEMENTS]
            if len(known) == len(numbers):
                return frozenset(known)
    return ALL_ELEMENTS


def _make(model: str) -> Any:
    constructor = import_object("ase", model, USAGE) if ":" in model else _known_calculator(model)
    return call_constructor("ase", model, constructor, USAGE) if callable(constructor) else constructor


def _known_calculator(model: str) -> Callable[[], Any]:
    """A function that makes the calculator that ASE or atomate2 knows by this name."""
    if model.lower() in ase_names:
        return lambda: get_calculator_class(model.lower())()
    searched = "ASE"
    if importlib.util.find_spec("atomate2") is not None:
        from atomate2.forcefields.utils import MLFF, ForceFieldMixin, ase_calculator

        if model in MLFF.__members__ or model in {field.value for field in MLFF}:
            settings = ForceFieldMixin(force_field_name=model)
            metadata = settings.calculator_meta
            assert metadata is not None  # noqa: S101 - for the type checker: the mixin itself has filled it in
            return lambda: ase_calculator(metadata, **settings.calculator_kwargs)
        searched = "ASE or atomate2"
    hint = "" if "atomate2" in searched else "; with pip install atomate2, names of its force fields work too"
    raise InputError(f"unknown calculator ase:{model}: {searched} has none of that name; {USAGE}{hint}")


def _distributions(calculator: Any) -> tuple[str, ...]:
    """Names of ASE's distribution and of the one that the calculator's module belongs to."""
    top = type(calculator).__module__.partition(".")[0]
    try:
        importlib.metadata.distribution(top)
    except importlib.metadata.PackageNotFoundError:  # of another name, or none; looking through all takes a second
        return tuple(dict.fromkeys(["ase", *importlib.metadata.packages_distributions().get(top, [])]))
    return tuple(dict.fromkeys(["ase", top]))
