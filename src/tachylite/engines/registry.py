"""Engines by name."""

from typing import Any

from tachylite.engines.base import Engine
from tachylite.engines.potentials.loading import FAMILIES
from tachylite.errors import InputError


def get_engine(name: str = "chgnet", **options: Any) -> Engine:
    """Return the engine of that name, `FAMILY` or `FAMILY:MODEL`; options go to it.

    | name | model |
    |---|---|
    | `chgnet` | a version inside the CHGNet wheel (0.3.0 if not given), or a checkpoint file |
    | `nep:FILE` | a `nep.txt` of version 4 |
    | `matgl:FOLDER` | a MatGL potential |
    | `mace`, `sevennet`, `orb`, `mattersim`, `fairchem`, `nequip` | a model of that package, or a file |
    | `ase:NAME` | an ASE calculator: of ASE, of atomate2, or `package.module:NAME`, or `FILE.py:NAME` |
    | `torchsim:FILE.py:NAME` | a TorchSim model of one's own, or `package.module:NAME` |
    | `lennard-jones` | none: argon |
    | `vasp` | none: VASP itself, with atomate2's input sets |

    Raises InputError for an unknown name or option; a model is looked for when it is needed first.
    """
    family, _, model = name.partition(":")
    if family in FAMILIES:
        from tachylite.engines.torchsim.engine import TorchSimEngine

        return TorchSimEngine.from_options(family, {"model": model} | options if model else options)
    if name == "vasp":
        from tachylite.engines.vasp.engine import VaspEngine

        return VaspEngine.from_options(options)
    names = ", ".join([*FAMILIES, "vasp"])
    raise InputError(f"unknown engine {name!r}; engines are {names}, each with :MODEL where it has any")
