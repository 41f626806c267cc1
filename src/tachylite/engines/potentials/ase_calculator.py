"""Any ASE calculator as a model: ASE's own, those that atomate2 knows, and whatever can be imported."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
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
from tachylite.engines.potentials.importing import build, fingerprint, import_name
from tachylite.engines.potentials.loading import LoadedModel
from tachylite.engines.potentials.members import MemberModel
from tachylite.errors import InputError

ALL_ELEMENTS = frozenset(range(1, 119))

EMT_ELEMENTS = frozenset(atomic_numbers[symbol] for symbol in ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au"))
"""ASE has numbers for H, C, N and O too, which its page calls not for serious use."""

WAYS = "give ase:emt, ase:PACKAGE.MODULE:NAME or ase:FILE.py:NAME, where NAME makes a calculator without arguments"


class AseSystem:
    """One system at a time by an ASE calculator, in ASE's units; stress as ASE has it, tension positive."""

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator

    def compute(
        self, numbers: NDArray[np.int64], positions: Array, cell: Array, pbc: NDArray[np.bool_], *, stress: bool
    ) -> tuple[float, Array, Array | float]:
        """Energy in eV, forces (n_atoms, 3) in eV/A, stress (3, 3) in eV/A^3, or NaN where it is not asked for."""
        atoms = Atoms(numbers, positions=positions, cell=cell, pbc=pbc)
        changes = self.calculator.check_state(atoms)
        if changes:
            self.calculator.reset()
            wanted = ["energy", "forces", "stress"] if stress else ["energy", "forces"]
            self.calculator.calculate(atoms, wanted, changes)
        found = self.calculator.results
        return float(found["energy"]), found["forces"], _tensor(found["stress"]) if stress else np.nan

    def reset(self) -> None:
        """Forget the atoms of the last call; the next one is computed as if it were the first."""
        self.calculator.reset()


def _tensor(stress: Array) -> Array:
    """As (3, 3), from ASE's order of six components; some calculators have all nine."""
    tensor: Array = np.asarray(stress) if np.size(stress) == 9 else voigt_6_to_full_3x3_stress(stress)
    return tensor.reshape(3, 3)


def load(model: str | None, _: torch.device) -> LoadedModel:
    """Make the calculator that `model` names; it runs where it likes, its answers are on the CPU.

    `model` is a name that ASE or atomate2's force-field interface knows, `package.module:NAME` or `FILE.py:NAME`.
    Raises InputError, with the ways to name one, where there is no such calculator or it has no stress, and
    MissingPackageError where its package is not installed.
    """
    if not model:
        raise InputError(f"engine 'ase' needs a calculator; {WAYS}")
    calculator = _make(model)
    if not hasattr(calculator, "calculate") or not hasattr(calculator, "check_state"):
        raise InputError(f"ase:{model} gives a {type(calculator).__name__}, and no ASE calculator; {WAYS}")
    if "stress" not in calculator.implemented_properties:
        raise InputError(f"calculator ase:{model} has no stress, and so no pressure; choose another engine")
    return LoadedModel(
        potential=MemberModel(AseSystem(calculator)),
        name=f"{type(calculator).__name__} ({model})",
        sha256=fingerprint(model, dict(getattr(calculator, "parameters", {}))),
        elements=EMT_ELEMENTS if isinstance(calculator, EMT) else ALL_ELEMENTS,
        precision="unknown",
        packages=_distributions(calculator),
    )


def _make(model: str) -> Any:
    maker = import_name("ase", model, WAYS) if ":" in model else _known(model)
    return build("ase", model, maker, WAYS) if callable(maker) else maker


def _known(model: str) -> Callable[[], Any]:
    """The maker of a calculator that ASE or atomate2 knows by name."""
    if model.lower() in ase_names:
        return lambda: get_calculator_class(model.lower())()
    known = "ASE"
    if importlib.util.find_spec("atomate2") is not None:
        from atomate2.forcefields.utils import MLFF, ForceFieldMixin, ase_calculator

        if model in MLFF.__members__ or model in {field.value for field in MLFF}:
            settings = ForceFieldMixin(force_field_name=model)
            return lambda: ase_calculator(settings.calculator_meta, **settings.calculator_kwargs)
        known = "ASE or atomate2"
    more = "" if "atomate2" in known else "; with pip install atomate2, names of its force fields work too"
    raise InputError(f"unknown calculator ase:{model}: {known} has none of that name; {WAYS}{more}")


def _distributions(calculator: Any) -> tuple[str, ...]:
    """ASE, and the distribution that the calculator's module belongs to."""
    top = type(calculator).__module__.partition(".")[0]
    try:
        importlib.metadata.distribution(top)
    except importlib.metadata.PackageNotFoundError:  # of another name, or none; looking through all takes a second
        return tuple(dict.fromkeys(["ase", *importlib.metadata.packages_distributions().get(top, [])]))
    return tuple(dict.fromkeys(["ase", top]))
