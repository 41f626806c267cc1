"""Engines by name, and the options that a person gives them."""

from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from tachylite.engines.base import Engine
from tachylite.engines.potentials.loading import FAMILIES
from tachylite.errors import InputError

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""Pydantic's types of error for a name that is no option."""


def get_engine(name: str = "chgnet", **options: Any) -> Engine:
    """Return the engine of that name, `FAMILY` or `FAMILY:MODEL`; options go to it.

    =======================  ====================================================================
    name                     model
    =======================  ====================================================================
    `chgnet`                 a version inside the CHGNet wheel (0.3.0 if not given), or a file
    `nep:FILE`               a `nep.txt` of version 4
    `mtp:FILE@ELEMENTS`      a moment tensor potential; its elements in the order of the file
    `nequix:FILE`            weights of Nequix in PyTorch's form
    `matgl:FOLDER`           a MatGL potential
    `mace`, `sevennet`       a model of that package, or a file
    `orb`, `mattersim`       likewise
    `fairchem`, `nequip`     likewise
    `ase:NAME`               a calculator of ASE or atomate2, `package.module:NAME`, `FILE.py:NAME`
    `torchsim:FILE.py:NAME`  a TorchSim model of your own, or `package.module:NAME`
    `lennard-jones`          none: argon
    `vasp`                   none: VASP itself, with atomate2's input sets
    `espresso`               none: pw.x of Quantum ESPRESSO, with PBE
    =======================  ====================================================================

    Raises InputError for an unknown name or option; a model is loaded at its first use.
    """
    family, _, model = name.partition(":")
    if family in FAMILIES:
        from tachylite.engines.torchsim.engine import TorchSimEngine

        return TorchSimEngine.from_options(family, {"model": model} | options if model else options)
    if name == "vasp":
        from tachylite.engines.vasp.engine import VaspEngine

        return VaspEngine.from_options(options)
    if name == "espresso":
        from tachylite.engines.espresso.engine import EspressoEngine

        return EspressoEngine.from_options(options)
    names = ", ".join([*FAMILIES, "espresso", "vasp"])
    raise InputError(f"unknown engine {name!r}; engines are {names}, each with :MODEL where it has any")


def check_options(engine: str, settings_class: type, options: dict[str, Any], *, hidden: str) -> dict[str, Any]:
    """Validate options against the fields of a dataclass and convert them to the fields' types.

    Numbers may be given as text. A field that is a dataclass itself takes a mapping; the field named `hidden` is not
    an option. Raises InputError, naming engine and option, for an unknown option or a value that is not allowed.
    """
    types = get_type_hints(settings_class, include_extras=True)
    hints = {name: types[name] for name in _field_names(settings_class) if name != hidden}
    allowed: dict[str, Any] = {name: (hint, None) for name, hint in hints.items()}
    model = create_model(settings_class.__name__, __config__=ConfigDict(extra="forbid"), **allowed)
    try:
        checked = model.model_validate(options)
    except ValidationError as error:
        raise InputError(f"engine {engine!r} {_first_problem(error, hints)}") from None
    return {name: getattr(checked, name) for name in options}


def changed_options(engine: Any, names: Sequence[str]) -> dict[str, Any]:
    """Those of an engine's options, by name, that have other than their default values."""
    defaults = {option.name: option.default for option in fields(engine)}
    return {name: value for name in names if (value := getattr(engine, name)) != defaults[name]}


def _first_problem(error: ValidationError, hints: dict[str, Any]) -> str:
    problem = error.errors(include_url=False)[0]
    outer, *inner = (str(key) for key in problem["loc"])
    names = _field_names(hints[outer]) if inner else list(hints)
    name = ".".join([outer, *inner])
    if problem["type"] in _UNKNOWN:
        guess = get_close_matches((inner or [outer])[-1], names, n=1)
        hint = f" did you mean {guess[0]!r}?" if guess else ""
        return f"has no option {name!r};{hint} options are {', '.join(names)}"
    if problem["type"] == "dataclass_type":
        return f"option {name} = {problem['input']!r} must be a mapping of {', '.join(_field_names(hints[outer]))}"
    return f"option {name} = {problem['input']!r} {problem['msg'].replace('Input should', 'must')}"


def _field_names(dataclass_type: type) -> list[str]:
    return [f.name for f in fields(dataclass_type)]
