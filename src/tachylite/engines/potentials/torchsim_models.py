"""Models of packages with a TorchSim interface: MACE, SevenNet, ORB, MatterSim, fairchem, NequIP."""

import contextlib
import functools
import hashlib
import importlib.util
import inspect
import io
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ase.data import atomic_numbers

from tachylite.engines.potentials.crystals import check_crystals
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.wrapped_model import WrappedModel
from tachylite.errors import InputError, MissingPackageError

_MATERIALS_PROJECT_ELEMENTS = frozenset(range(1, 95)) - {84, 85, 86, 87, 88}
"""The elements of the Materials Project and of OMat24: hydrogen to plutonium without polonium to radium."""

_LONGEST_REASON = 200
"""Characters of another package's error message that are shown."""


@dataclass(frozen=True)
class _Family:
    """How the models of one package are located and loaded."""

    package: str
    """Distribution, as pip knows it."""
    module: str
    locate: Callable[[str], str]
    """Path of the weights of that name, downloaded if need be; raises whatever the package raises."""
    build: Callable[[Path, str, torch.device], tuple[Any, Iterable[int]]]
    """TorchSim model and its atomic numbers, from a file and the part of the model (after `@`) to use."""
    precision: str = "float32"


def _locate_mace(name: str) -> str:
    from mace.calculators.foundations_models import download_mace_mp_checkpoint, mace_mp_names

    if name not in mace_mp_names:
        raise ValueError(f"names are {', '.join(filter(None, mace_mp_names))}")
    return str(download_mace_mp_checkpoint(name))


def _build_mace(path: Path, head: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from torch_sim.models.mace import MaceModel

    model = MaceModel(path, device=device, dtype=torch.float32, head=head or None)
    return model, model.z_table.zs


def _locate_sevennet(name: str) -> str:
    from sevenn.util import pretrained_name_to_path

    return str(pretrained_name_to_path(name))


def _build_sevennet(path: Path, modal: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from torch_sim.models.sevennet import SevenNetModel

    model = SevenNetModel(path, modal=modal or None, device=device)
    return model, model.type_map


def _locate_orb(name: str) -> str:
    from cached_path import cached_path
    from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS

    return str(cached_path(inspect.signature(ORB_PRETRAINED_MODELS[name]).parameters["weights_path"].default))


def _build_orb(path: Path, name: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS
    from torch_sim.models.orb import OrbModel

    name = name or max((n for n in ORB_PRETRAINED_MODELS if path.name.startswith(n)), key=len, default="")
    if name not in ORB_PRETRAINED_MODELS:
        raise ValueError(f"say which model it is, as {path.name}@NAME with one of {', '.join(ORB_PRETRAINED_MODELS)}")
    network, adapter = ORB_PRETRAINED_MODELS[name](str(path), device=device, precision="float32-highest", compile=False)
    return OrbModel(network, adapter, device=device), _MATERIALS_PROJECT_ELEMENTS


def _locate_mattersim(name: str) -> str:
    from mattersim.forcefield.potential import Potential

    Potential.from_checkpoint(name, device="cpu", load_training_state=False)
    return str(Path("~/.local/mattersim/pretrained_models").expanduser() / f"{name.removesuffix('.pth')}.pth")


def _build_mattersim(path: Path, _: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from mattersim.forcefield.potential import Potential
    from torch_sim.models.mattersim import MatterSimModel

    potential = Potential.from_checkpoint(str(path), device=str(device), load_training_state=False)
    return MatterSimModel(potential, device=device), _MATERIALS_PROJECT_ELEMENTS


def _locate_fairchem(name: str) -> str:
    from fairchem.core.calculate.pretrained_mlip import resolve_checkpoint

    return str(resolve_checkpoint(name).path)


def _build_fairchem(path: Path, task: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from torch_sim.models.fairchem import FairChemModel

    model = FairChemModel(path, device=device, compute_stress=True, task_name=task or "omat")
    return model, _MATERIALS_PROJECT_ELEMENTS


def _locate_nequip(name: str) -> str:
    raise FileNotFoundError(f"{name} is no file; make one with nequip-compile --target batch")


def _build_nequip(path: Path, _: str, device: torch.device) -> tuple[Any, Iterable[int]]:
    from torch_sim.models.nequip_framework import NequIPFrameworkModel

    model = NequIPFrameworkModel.from_compiled_model(path, device=device, chemical_species_to_atom_type_map=True)
    return model, [atomic_numbers[symbol] for symbol in model.transforms[0].model_type_names]


FAMILIES = {
    "mace": _Family("mace-torch", "mace", _locate_mace, _build_mace),
    "sevennet": _Family("sevenn", "sevenn", _locate_sevennet, _build_sevennet),
    "orb": _Family("orb-models", "orb_models", _locate_orb, _build_orb),
    "mattersim": _Family("mattersim", "mattersim", _locate_mattersim, _build_mattersim),
    "fairchem": _Family("fairchem-core", "fairchem", _locate_fairchem, _build_fairchem),
    "nequip": _Family("nequip", "nequip", _locate_nequip, _build_nequip, precision="unknown"),
}


def _load(name: str, model: str | None, device: torch.device) -> LoadedPotential:
    """Load a model of a family from a file, or by a name that its package knows.

    `model` is FILE or NAME, or either with @ and the part of the model to use. Raises MissingPackageError, with
    the command, without the package, and InputError for weights that are not there, cannot be read or are misread.
    """
    family = FAMILIES[name]
    _require(family, name)
    if not model:
        raise InputError(f"engine {name!r} needs a model: {name}:FILE or {name}:NAME")
    weights, part = (model, "") if Path(model).expanduser().is_file() else model.partition("@")[::2]
    path = Path(weights).expanduser()
    shown = f"{path.name if path.is_file() else weights}{'@' + part if part else ''}"
    with _without_output():
        if not path.is_file():
            path = _or_input_error(
                lambda: Path(family.locate(weights)),
                f"there is no file {weights!r}, and no weights of that name for {name} can be had here",
                "give the path of a file with weights",
            )
        inner, elements = _or_input_error(
            lambda: family.build(path, part, device),
            f"{weights} cannot be read as a model of {name}",
            f"give another file, or the version of {family.package} that wrote it",
        )
        if not inner.compute_stress:
            raise InputError(f"{name}:{model} has no stress, and so no pressure; choose another model")
        potential = WrappedModel(inner)
        atomic_numbers_known = frozenset(int(number) for number in elements)
        check_crystals(potential, atomic_numbers_known, potential.device, model)
    return LoadedPotential(
        potential=potential,
        name=f"{name} {shown}",
        sha256=hashlib.sha256(path.read_bytes() + part.encode()).hexdigest(),
        elements=atomic_numbers_known,
        precision=family.precision,
        packages=(family.package,),
    )


def _require(family: _Family, name: str) -> None:
    if importlib.util.find_spec(family.module) is None:
        raise MissingPackageError(f"engine {name!r} needs the package {family.package}: pip install {family.package}")


@contextlib.contextmanager
def _without_output() -> Iterator[None]:
    """Hide what packages print and warn of inside the `with` block."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _or_input_error[T](action: Callable[[], T], problem: str, way_out: str) -> T:
    """Call a function of another package; raises InputError, in one line, for whatever exception it raises."""
    try:
        return action()
    except InputError:
        raise
    except Exception as error:
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", _LONGEST_REASON, placeholder=" ...")
        raise InputError(f"{problem} ({reason}); {way_out}") from error


mace = functools.partial(_load, "mace")
sevennet = functools.partial(_load, "sevennet")
orb = functools.partial(_load, "orb")
mattersim = functools.partial(_load, "mattersim")
fairchem = functools.partial(_load, "fairchem")
nequip = functools.partial(_load, "nequip")
