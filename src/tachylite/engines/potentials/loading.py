"""Loading potentials by family and model."""

import functools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.engines.potentials.committee import Committee
    from tachylite.engines.potentials.model import PotentialModel

FAMILIES = {
    "ase": "tachylite.engines.potentials.ase_calculator",
    "chgnet": "tachylite.engines.potentials.chgnet.potential",
    "fairchem": "tachylite.engines.potentials.torchsim_models:fairchem",
    "lennard-jones": "tachylite.engines.potentials.lennard_jones",
    "mace": "tachylite.engines.potentials.torchsim_models:mace",
    "matgl": "tachylite.engines.potentials.matgl",
    "mattersim": "tachylite.engines.potentials.torchsim_models:mattersim",
    "mtp": "tachylite.engines.potentials.mtp",
    "nep": "tachylite.engines.potentials.nep",
    "nequip": "tachylite.engines.potentials.torchsim_models:nequip",
    "nequix": "tachylite.engines.potentials.nequix",
    "orb": "tachylite.engines.potentials.torchsim_models:orb",
    "sevennet": "tachylite.engines.potentials.torchsim_models:sevennet",
    "torchsim": "tachylite.engines.potentials.wrapped_model",
}
"""The module that loads each family, with its function from (model, device) to a LoadedPotential if not `load`."""

_GPU_LISTS = "nvalchemiops"
"""The package below TorchSim with neighbour lists for GPUs."""


@dataclass(frozen=True)
class LoadedPotential:
    """A potential ready for use, and what provenance records of it."""

    potential: "PotentialModel"
    name: str
    """Model and version, for people."""
    sha256: str | None
    """Checksum of the weights or of what else distinguishes models of the family; None where there is only one."""
    elements: frozenset[int]
    """Atomic numbers that the model was made for."""
    precision: str
    packages: tuple[str, ...] = ()
    """Distributions whose versions provenance records."""
    committee: "Committee | None" = None
    """Members trained beside it, which tell its error."""

    def corrected(self, correct: "Callable[[PotentialModel], PotentialModel]") -> "LoadedPotential":
        """The same with a term added to the potential and to its committee."""
        committee = None if self.committee is None else self.committee.corrected(correct)
        return replace(self, potential=correct(self.potential), committee=committee)


@functools.cache
def load_potential(family: str, model: str | None, device: str) -> LoadedPotential:
    """Load a potential, with the committee that lies beside its file, once in a process.

    `device` is `auto`, `cpu`, `cuda` or `cuda:N`. Raises InputError for a device or a model that does not exist, and
    MissingPackageError, with the command that installs it, for a missing package.
    """
    import_torch_sim()
    import torch

    try:
        where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    except RuntimeError as error:
        raise InputError(f"unknown device {device!r}; devices are auto, cpu, cuda, cuda:0, ...") from error
    module, _, function = FAMILIES[family].partition(":")
    load: Callable[[str | None, torch.device], LoadedPotential] = getattr(import_module(module), function or "load")
    loaded = load(model, where)
    if model is not None and (file := Path(model).expanduser()).is_file():
        from tachylite.engines.potentials.committee import read_committee

        committee = read_committee(file, loaded.sha256, lambda path: load(str(path), where).potential)
        loaded = replace(loaded, committee=committee)
    return loaded


def import_torch_sim() -> None:
    """Import TorchSim, where there is no GPU without its neighbour lists for one.

    They compile themselves at import, which takes longer than importing torch, and print a warning from C.
    """
    import torch

    needless = not torch.cuda.is_available() and _GPU_LISTS not in sys.modules
    if needless:
        sys.modules[_GPU_LISTS] = None  # type: ignore[assignment]  # an import of it then fails; TorchSim has others
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its import uses deprecated parts of torch
            import torch_sim  # noqa: F401 - only the first import says so
    finally:
        if needless:
            del sys.modules[_GPU_LISTS]
