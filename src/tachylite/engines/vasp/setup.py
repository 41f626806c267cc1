"""Finding VASP, its POTCARs and atomate2's settings, as atomate2 and pymatgen do."""

import functools
import logging
import os
import shlex
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from tachylite.errors import InputError, MissingPackageError

logger = logging.getLogger(__name__)

PotcarFunctional = Literal["PBE", "PBE_52", "PBE_54", "PBE_64"]
"""VASP's releases of POTCARs, as pymatgen names them."""

_PARALLEL_KEYS = frozenset(
    {"KPAR", "LPLANE", "LSCALAPACK", "LSCALU", "LSCAAWARE", "NCORE", "NCSHMEM", "NPAR", "NSIM", "NTAUPAR", "NOMEGAPAR"}
)
"""INCAR keys of the parallelisation, which change results in the last digits only."""


@contextmanager
def quietly() -> Iterator[None]:
    """Send warnings of pymatgen and atomate2 inside the `with` block to the log.

    They warn of the Materials Project's own settings, which are intended here.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in {str(warning.message) for warning in caught}:
        logger.info("%s", message)


def settings() -> Any:
    """Settings of atomate2, from the environment and its file; MissingPackageError where it is not installed."""
    if find_spec("atomate2") is None:
        raise MissingPackageError("the vasp engine needs atomate2: pip install 'tachylite[vasp]'")
    from atomate2 import SETTINGS

    return SETTINGS


def incar_updates() -> dict[str, Any]:
    """INCAR keys that the user's atomate2 settings add to every calculation, without those of the parallelisation."""
    updates = settings().VASP_INCAR_UPDATES
    return {key: value for key, value in sorted(updates.items()) if key.upper() not in _PARALLEL_KEYS}


def vasp_command() -> str:
    """Command that runs VASP; raises InputError where its first word is not a program on this machine."""
    command = os.path.expandvars(str(settings().VASP_CMD))
    words = shlex.split(command)
    if not words or shutil.which(words[0]) is None:
        program = repr(words[0]) if words else "an empty command"
        raise InputError(
            f"no VASP command: {program} is not on the PATH; set ATOMATE2_VASP_CMD, or VASP_CMD in {settings_file()}"
        )
    return command


def settings_file() -> Path:
    """Path of the user's atomate2 settings, whether the file exists or not."""
    return Path(settings().CONFIG_FILE).expanduser()


def potcar_folder() -> Path:
    """Folder of the user's POTCARs; raises InputError where pymatgen's settings name none or one that is not there."""
    from pymatgen.core import SETTINGS

    setting = SETTINGS.get("PMG_VASP_PSP_DIR")
    if not setting:
        raise InputError(
            "no folder of POTCARs: set PMG_VASP_PSP_DIR in the environment or in ~/.config/.pmgrc.yaml"
            " (`pmg config --add PMG_VASP_PSP_DIR FOLDER`)"
        )
    folder = Path(str(setting)).expanduser()
    if not folder.is_dir():
        raise InputError(f"the folder of POTCARs PMG_VASP_PSP_DIR={folder} does not exist")
    return folder


def _missing_potcars(symbols: Sequence[str], functional: str) -> list[str]:
    """Elements whose POTCAR, as the Materials Project chooses it, is missing, in alphabetical order."""
    settings()
    from pymatgen.io.vasp.sets import MPRelaxSet

    folder = potcar_folder()
    names = dict(MPRelaxSet.CONFIG["POTCAR"])
    if functional == "PBE_54":  # as pymatgen has it: this set has no W_pv
        names["W"] = "W_sv"
    missing = []
    for symbol in sorted(set(symbols)):
        try:
            _read_potcar(folder, names.get(symbol, symbol), functional)
        except (OSError, ValueError):
            missing.append(symbol)
    return missing


@functools.cache  # an exception is not cached, so that POTCARs may be added later
def _read_potcar(folder: Path, name: str, functional: str) -> None:
    from pymatgen.io.vasp.inputs import PotcarSingle

    with quietly():
        PotcarSingle.from_symbol_and_functional(name, functional)


def check_potcars(symbols: Sequence[str], functional: str) -> None:
    """Raise InputError, naming elements and folder, where a POTCAR is missing."""
    missing = _missing_potcars(symbols, functional)
    if missing:
        raise InputError(
            f"no {functional} POTCAR of {', '.join(missing)} in {potcar_folder()}; "
            "`pmg config --potcar` sorts VASP's folders in, and potcar_functional=PBE_54 asks for another release"
        )
