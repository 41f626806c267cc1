"""Parameters of D3: fitted to functionals, and reference coefficients of the elements."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError, MissingPackageError

PACKAGE = "torch-dftd"
"""Distribution with the reference coefficients, as pip knows it."""

HEAVIEST = 94
"""Atomic number of plutonium: the last element that D3 has coefficients of."""


@dataclass(frozen=True)
class Damping:
    """Parameters of D3 with the damping of Becke and Johnson for one functional."""

    a1: float
    a2_bohr: float
    s8: float
    s6: float = 1.0


DAMPINGS = {
    "PBE": Damping(0.4289, 4.4407, 0.7875),
    "PBEsol": Damping(0.4466, 6.1742, 2.9491),
    "RPBE": Damping(0.1820, 4.0094, 0.8318),
    "revPBE": Damping(0.5238, 3.5016, 2.3550),
    "SCAN": Damping(0.5380, 5.4200, 0.0),
    "r2SCAN": Damping(0.49484001, 5.73083694, 0.78981345),
}
"""PBE and revPBE: DOI 10.1002/jcc.21759; PBEsol: 10.1039/c0cp02984j; SCAN: 10.1103/PhysRevB.94.115144; r2SCAN:
10.1063/5.0041008; RPBE: as published by Grimme's group with the program dftd3."""


@dataclass(frozen=True, eq=False)
class ReferenceCoefficients:
    """Coefficients of the elements, by atomic number; row 0 is empty."""

    radii_bohr: Array
    """Covalent radii times 4/3, (95,)."""
    charges_bohr: Array
    """Square roots of C8 / 3 C6 of two like atoms, (95,)."""
    c6_hartree_bohr6: Array
    """Between the five reference systems of two elements, (95, 95, 5, 5); zero where there are fewer."""
    coordination: Array
    """Coordination numbers of the reference systems, (95, 5); infinite where there are fewer."""


def damping_for(functional: str | None, chosen: str | None, model: str) -> Damping:
    """Parameters for the functional that a model was trained on, or, where that is not known, for the `chosen` one.

    `functional` is that of `functional_of`, `chosen` a name in `DAMPINGS` in any case, `model` is for messages. Raises
    InputError for a model that has dispersion already, an unknown functional, and one that contradicts the model's.
    """
    names = ", ".join(DAMPINGS)
    if functional is not None and functional not in DAMPINGS:
        raise InputError(f"{model} has dispersion already ({functional}); leave dispersion=d3 out")
    known = {name.lower(): name for name in DAMPINGS}
    if chosen is None and functional is None:
        raise InputError(
            f"dispersion=d3 needs the functional that {model} was trained on, which is not known; "
            f"give it, as in dispersion=d3@PBE: {names}"
        )
    name = functional or known[str(chosen).lower()]
    if chosen is not None and known[chosen.lower()] != name:
        raise InputError(f"dispersion=d3@{chosen}: {model} was trained on {name}; write dispersion=d3")
    return DAMPINGS[name]


@functools.cache
def reference_coefficients() -> ReferenceCoefficients:
    """Read the reference coefficients from the package torch-dftd; raises MissingPackageError without it."""
    package = importlib.util.find_spec("torch_dftd")  # its import would take seconds
    if package is None or package.origin is None:
        raise MissingPackageError("dispersion=d3 needs the package torch-dftd: pip install 'tachylite[d3]'")
    with np.load(Path(package.origin).parent / "nn" / "params" / "dftd3_params.npz") as file:
        table, radii, charges = file["c6ab"], file["rcov"], file["r2r4"]
    c6, coordination = table[..., 0], table[..., 1]
    # the coordination numbers of an element's reference systems are repeated for every partner
    own = np.max(coordination[:, 1:], axis=(1, 3))
    return ReferenceCoefficients(radii, charges, np.maximum(c6, 0.0), np.where(own >= 0, own, np.inf))
