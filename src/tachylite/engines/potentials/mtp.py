"""Moment tensor potentials (Shapeev 2016, DOI 10.1137/15M1054183) by motep's C code."""

import hashlib
import importlib.util
import logging
from pathlib import Path
from typing import Any

import torch
from ase.data import atomic_numbers

from tachylite.engines.potentials.ase_calculator import AseSystems
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.members import MemberModel
from tachylite.errors import InputError, MissingPackageError

USAGE = "give mtp:FILE@ELEMENTS, the elements in the order of the file's species, as in mtp:pot.mtp@Mg,V,O"


def load(model: str | None, _: torch.device) -> LoadedPotential:
    """Load a potential of MLIP-2 or MLIP-3, `FILE@ELEMENTS`; it runs on the CPU.

    The file numbers its species and does not name them, so that their elements are given. Raises InputError for a file
    that does not exist or is no such potential, and for elements that are too many, too few, repeated or unknown;
    MissingPackageError where motep is not installed.
    """
    file, at, elements = (model or "").rpartition("@")
    path = Path(file if at else elements).expanduser()
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r} with a moment tensor potential; {USAGE}" if model else USAGE)
    if importlib.util.find_spec("motep") is None:
        raise MissingPackageError("engine 'mtp' needs the package motep; install it with: pip install motep")
    parameters = _read(path)
    symbols = elements.split(",") if at else []
    count = int(parameters.species_count)
    if len(symbols) != count or len(set(symbols)) != count or not set(symbols) <= set(atomic_numbers) - {"X"}:
        raise InputError(f"{path} has {count} species, and the elements given for them are {symbols}; {USAGE}")
    numbers = [atomic_numbers[symbol] for symbol in symbols]
    parameters.species = numbers
    from motep.calculator import MTP

    # it would say in every step that atoms are nearer than in the training data
    logging.getLogger("motep.potentials.mtp.base").setLevel(logging.ERROR)
    return LoadedPotential(
        potential=MemberModel(AseSystems(lambda: MTP(parameters))),
        name=f"MTP {path.stem} of {','.join(symbols)}",
        sha256=hashlib.sha256(path.read_bytes() + elements.encode()).hexdigest(),
        elements=frozenset(numbers),
        precision="float64",
        packages=("motep",),
    )


def _read(path: Path) -> Any:
    """Parameters of a potential; raises InputError for a file that holds none, or no trained one."""
    from motep.io.mlip.mtp import read_mtp
    from motep.potentials.mmtp.data import MagMTPData

    try:
        parameters = read_mtp(path)
    except Exception as error:  # the parser fails in its own way on every other format
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path} cannot be read as a moment tensor potential ({reason}); {USAGE}") from error
    if isinstance(parameters, MagMTPData):
        raise InputError(f"{path} is a magnetic potential, whose moments this engine does not know; {USAGE}")
    if parameters.radial_coeffs is None or parameters.moment_coeffs is None or parameters.species_coeffs is None:
        raise InputError(f"{path} has no fitted coefficients; give the file that the training wrote")
    return parameters
