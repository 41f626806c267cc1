"""Finding pw.x and its pseudopotentials, and saying where they were looked for."""

import functools
import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from tachylite.configs.datasets import data_folder
from tachylite.errors import InputError

COMMAND = "TACHYLITE_PW_COMMAND"
"""Environment variable with the command that runs pw.x."""

PSEUDOPOTENTIALS = "ESPRESSO_PSEUDO"
"""Environment variable with the folder of pseudopotentials, which pw.x reads too."""

_PREFERRED = {"Cu": "Cu_SG15.upf", "Zn": "Zn_SG15.upf"}
_INACCURATE = frozenset(
    {
        "0b53f2257151069b2e092336ff39463cd0bb38394bf22ab995a6e432bdbf9919",
        "baaf5117e5ef03b8ab97977e1e9dee10f2e241c635f027f6bd12a2e41d2b2678",
    }
)
"""Checksums of Cu and Zn of PseudoDojo 0.4, whose volumes are 2 % off."""
_PBE = ("pbe", "sla pw pbx pbc")
"""How UPF files name PBE."""


def pw_command(command: str | None = None) -> list[str]:
    """Words of the command that runs pw.x: `command`, else TACHYLITE_PW_COMMAND, else pw.x.

    Raises InputError, saying where it was looked for, if its first word is no program on this machine.
    """
    chosen = command or os.environ.get(COMMAND) or "pw.x"
    words = shlex.split(os.path.expandvars(chosen))
    if words and shutil.which(words[0]):
        return words
    named = "option command" if command else COMMAND if os.environ.get(COMMAND) else f"no option command, no {COMMAND}"
    raise InputError(
        f"no pw.x of Quantum ESPRESSO: {chosen!r} ({named}) is not on the PATH; `apt-get install quantum-espresso "
        f"libopenblas0-pthread` brings it, or {COMMAND} names it"
    )


def pseudopotential_folder(folder: str | None = None) -> Path:
    """Folder of pseudopotentials: `folder`, else ESPRESSO_PSEUDO, else the data set `pseudopotentials`.

    Raises InputError, saying where it was looked for, if there is none.
    """
    if folder or os.environ.get(PSEUDOPOTENTIALS):
        named, value = ("pseudo_dir", folder) if folder else (PSEUDOPOTENTIALS, os.environ[PSEUDOPOTENTIALS])
        path = Path(str(value)).expanduser().absolute()
        if not path.is_dir():
            raise InputError(f"no folder of pseudopotentials: {named}={value} is not a folder; name one with UPF files")
        return path
    path = data_folder() / "pseudopotentials"
    if not path.is_dir():
        raise InputError(
            f"no folder of pseudopotentials: option pseudo_dir and {PSEUDOPOTENTIALS} are not set, and {path} is not "
            f"there; unpack PseudoDojo 0.4 (PBE, standard, UPF, pseudo-dojo.org) there, or name its folder"
        )
    return path


def pseudopotential(symbol: str, folder: Path) -> Path:
    """File of an element in a folder: SYMBOL.upf, or the only one whose name begins with the symbol.

    For Cu and Zn, SG15 is preferred where it is there. Raises InputError where there is none or no single one, and
    for one that is known to be wrong or is not for PBE.
    """
    pattern = re.compile(rf"{symbol}([._-].*)?\.upf", re.IGNORECASE)
    files = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
    if not files:
        raise InputError(f"no pseudopotential of {symbol} in {folder}: no {symbol}.upf or {symbol}[._-]*.upf")
    exact = [path for path in files if path.name == _PREFERRED.get(symbol)]
    exact += [path for path in files if path.name.lower() == f"{symbol.lower()}.upf"]
    if not exact and len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise InputError(
            f"several pseudopotentials of {symbol} in {folder}: {names}; keep one, or name it {symbol}.upf"
        )
    chosen = (exact or files)[0]
    stat = chosen.stat()
    problem = _problem(chosen, symbol, stat.st_mtime_ns, stat.st_size)
    if problem:
        raise InputError(f"pseudopotential {chosen} {problem}")
    return chosen


def check_pseudopotentials(symbols: Sequence[str], folder: Path) -> None:
    """Raise InputError, naming the elements and the folder, where pseudopotentials are missing or wrong."""
    missing = []
    for symbol in sorted(set(symbols)):
        try:
            pseudopotential(symbol, folder)
        except InputError as error:
            if not str(error).startswith("no pseudopotential"):
                raise
            missing.append(symbol)
    if missing:
        raise InputError(
            f"no pseudopotential of {', '.join(missing)} in {folder}; choose another engine, or add a UPF file for PBE"
        )


def describe_pseudopotentials(folder: str | None = None) -> str:
    """The folder of pseudopotentials, the number of its elements, and those whose files must not be used."""
    place, usable, refused = pseudopotential_folder(folder), 0, []
    files = [path.name for path in place.iterdir() if path.suffix.lower() == ".upf"]
    for symbol in sorted({re.split(r"[._-]", name)[0].capitalize() for name in files}):
        try:
            pseudopotential(symbol, place)
        except InputError:
            refused.append(symbol)
        else:
            usable += 1
    if not usable:
        raise InputError(f"no usable pseudopotential in {place}; put UPF files for PBE there")
    return f"{place}: {usable} elements" + (f", not usable: {', '.join(refused)}" if refused else "")


def checksum(path: Path) -> str:
    """SHA-256 of a pseudopotential."""
    stat = path.stat()
    return _checksum(path, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _checksum(path: Path, _modified: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def _problem(path: Path, symbol: str, modified: int, size: int) -> str | None:
    """Why a file must not be used, or None."""
    text = path.read_text(encoding="utf-8", errors="replace")
    functional = _attribute(text, "functional")
    if functional is None:
        return "is no UPF file of version 2; convert it with Quantum ESPRESSO's upfconv.x"
    if " ".join(functional.lower().replace("-", " ").split()) not in _PBE:
        return f"is for {functional.strip()}, and not for PBE; energies of several functionals must not be mixed"
    if _checksum(path, modified, size) in _INACCURATE:
        return f"gives volumes 2 % off (PseudoDojo 0.4); put {symbol}_SG15.upf of quantum-simulation.org beside it"
    if any(not values.strip("0.eE+- \t\r\n") for values in re.findall(r"<PP_BETA\.\d+[^>]*>([^<]*)<", text)):
        return "has a projector of zeros, as some of PseudoDojo 0.5 have; take that of PseudoDojo 0.4"
    return None


def _attribute(text: str, name: str) -> str | None:
    header = re.search(r"<PP_HEADER[^>]*>", text)
    attribute = re.search(rf'\b{name}="([^"]*)"', header.group()) if header else None
    return attribute.group(1) if attribute else None
