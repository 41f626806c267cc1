"""Finding and reading the weights of a MatGL model: a folder with model.json, model.pt and state.pt."""

import contextlib
import hashlib
import io
import logging
import os
import pickle
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ase.data import atomic_numbers
from torch import Tensor

from tachylite.errors import InputError, MissingPackageError

FILES = ("model.pt", "state.pt", "model.json")
"""The files of a MatGL model; the first two determine the forces."""

KINDS = ("M3GNet", "TensorNet", "CHGNet")

_DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
    OSError,
)
"""Exceptions that matgl and torch raise for files that are truncated or of another kind."""


@dataclass(frozen=True)
class MatglWeights:
    """A network of MatGL, ready for evaluation, and how its output becomes an energy.

    E = `scale` e + sum over atoms of `references`, with e the output of the network for a system.
    """

    name: str
    kind: str
    network: Any
    cutoff: float
    """A."""
    elements: frozenset[int]
    """Atomic numbers that the weights were trained on."""
    species: Tensor
    """The network's index of every atomic number, (119,); -1 for elements that it does not know."""
    references: Tensor
    """Reference energies in eV, by the network's index of the element, double precision."""
    scale: float
    """eV."""
    sha256: str
    """SHA-256 of model.pt followed by state.pt: `cat model.pt state.pt | sha256sum`."""
    written_by_older: bool
    """Whether the files were written for another version of the network than the installed one."""


def find_weights(model: str) -> Path:
    """Return the folder of a model: a path, or a name, downloaded once from the hub of MatGL.

    Raises InputError where neither exists, and MissingPackageError without matgl.
    """
    folder = Path(model).expanduser()
    if all((folder / name).is_file() for name in FILES):
        return folder
    if folder.exists():
        missing = [name for name in FILES if not (folder / name).is_file()]
        raise InputError(f"{model} is no MatGL model: it has no {', '.join(missing)}; give the folder of a model")
    return _download(model)


def _download(name: str) -> Path:
    _import_matgl()
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError
    from matgl.config import MATGL_CACHE
    from matgl.utils.io import HF_MATGL_ORG

    repository = name if "/" in name else f"{HF_MATGL_ORG}/{name}"
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns five times before it gives up
    try:
        for offline in (True, False):
            try:
                paths = [hf_hub_download(repository, f, cache_dir=MATGL_CACHE, local_files_only=offline) for f in FILES]
                return Path(paths[0]).parent
            except (OSError, HFValidationError):
                continue
    finally:
        logger.setLevel(level)
    raise InputError(
        f"there is no folder {name!r}, and no MatGL model of that name can be downloaded here; "
        f"give the path of a folder with {', '.join(FILES)}"
    )


def read_weights(folder: Path) -> MatglWeights:
    """Read the weights in a folder.

    Raises InputError for files that are damaged or hold no potential that can be run, and MissingPackageError
    without matgl.
    """
    _import_matgl()
    from matgl.apps.pes import Potential

    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        try:
            potential: Any = Potential.load(folder)
        except _DAMAGED as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"{folder} holds no potential of MatGL: {reason}; give the folder of another") from error
    kind = type(potential.model).__name__
    _refuse_unknown(potential, kind, folder)
    network = potential.model.eval().requires_grad_(False)
    symbols = list(network.element_types)
    numbers = [atomic_numbers[symbol] for symbol in symbols]
    species = torch.full((119,), -1)
    species[numbers] = torch.arange(len(numbers))
    references = torch.zeros(len(numbers)) if potential.element_refs is None else potential.element_refs.property_offset
    return MatglWeights(
        name=folder.resolve().name,
        kind=kind,
        network=network,
        cutoff=float(network.cutoff),
        elements=frozenset(numbers),
        species=species,
        references=references.detach().to("cpu", torch.float64),
        scale=float(potential.data_std),
        sha256=hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES[:2])).hexdigest(),
        written_by_older=any("Incompatible model version" in str(message.message) for message in messages),
    )


def _refuse_unknown(potential: Any, kind: str, folder: Path) -> None:
    """Raise InputError for a model that MatGL can read but this package cannot run."""
    reasons = {
        f"its network is {kind}": kind not in KINDS,
        "it predicts an intensive property": getattr(potential.model, "is_intensive", False),
        "it depends on the state of the system": getattr(potential.model, "include_state", False)
        or getattr(potential.model, "include_states", False),
        "it has references for several states": potential.element_refs is not None
        and potential.element_refs.property_offset.ndim > 1,
        "it adds a nuclear repulsion": potential.calc_repuls,
        "it adds a constant to every system, whatever its size": float(potential.data_mean) != 0,
    }
    for reason, applies in reasons.items():
        if applies:
            raise InputError(f"{folder} cannot be run: {reason}; potentials are {', '.join(KINDS)} without such")


def _import_matgl() -> None:
    """Import matgl with all messages suppressed; the import needs no network.

    Its models begin a library for GPUs, which says so on stdout and, from C, on stderr.
    """
    with _silent_stderr(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import matgl.models  # noqa: F401 - only the first import warns
        except ImportError as error:
            raise MissingPackageError("engine 'matgl' needs the package matgl: pip install matgl") from error


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    original = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
