"""Potentials by family: who loads which, and what a document says of what was loaded."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from tachylite.engines.quiet import import_torch_sim
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.engines.torchsim.batch import Potential

FAMILIES = {
    "ase": "tachylite.engines.potentials.ase_calculator",
    "chgnet": "tachylite.engines.potentials.chgnet.potential",
    "fairchem": "tachylite.engines.potentials.torchsim_models:fairchem",
    "lennard-jones": "tachylite.engines.potentials.lennard_jones",
    "mace": "tachylite.engines.potentials.torchsim_models:mace",
    "matgl": "tachylite.engines.potentials.matgl",
    "mattersim": "tachylite.engines.potentials.torchsim_models:mattersim",
    "nep": "tachylite.engines.potentials.nep",
    "nequip": "tachylite.engines.potentials.torchsim_models:nequip",
    "orb": "tachylite.engines.potentials.torchsim_models:orb",
    "sevennet": "tachylite.engines.potentials.torchsim_models:sevennet",
    "torchsim": "tachylite.engines.potentials.own_model",
}
"""The module of every family, and what in it takes (model, device) and gives a LoadedModel: `load` if not named."""


@dataclass(frozen=True)
class LoadedModel:
    """A potential ready for use, and what a document says of it."""

    potential: "Potential"
    name: str
    """For people: model and version."""
    sha256: str | None
    """Of the weights, or of what else tells this model from others of its family; None where there is one only."""
    elements: frozenset[int]
    """Atomic numbers that the model was made for."""
    precision: str
    packages: tuple[str, ...] = ()
    """Distributions whose versions a document names."""


@functools.cache
def load_model(family: str, model: str | None, device: str) -> LoadedModel:
    """Load a model once in a process.

    `device` is `auto`, `cpu`, `cuda` or `cuda:N`. Raises InputError for a device or a model that is not
    there, and MissingPackageError, with the command that brings it, for a package that is not installed.
    """
    import_torch_sim()
    import torch

    try:
        where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    except RuntimeError as error:
        raise InputError(f"unknown device {device!r}; devices are auto, cpu, cuda, cuda:0, ...") from error
    module, _, function = FAMILIES[family].partition(":")
    load: Callable[[str | None, torch.device], LoadedModel] = getattr(import_module(module), function or "load")
    return load(model, where)
