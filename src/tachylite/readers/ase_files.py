"""Read the formats of ASE frame by frame: extended XYZ, .traj and all others that it recognises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.errors import InputError
from tachylite.readers.files import TruncatedError, open_text, plain_file, plain_name
from tachylite.readers.frames import Frame

_TIME = "time"


def read_extxyz(path: Path) -> Iterator[Frame]:
    """Frames of an extended XYZ file, with `time` (any case) of its comment lines as fs."""
    from ase.io import iread

    complete = 0
    with open_text(path) as file:
        try:
            for atoms in iread(file, index=":", format="extxyz"):
                yield _frame(atoms)
                complete += 1
        except Exception:  # whatever ASE raises where the file ends too early
            if complete and not file.read(1):
                raise TruncatedError(complete) from None
            raise


def read_any(path: Path) -> Iterator[Frame]:
    """Frames of any format that ASE recognises."""
    from ase.io import iread

    with plain_file(path) as plain:
        yield from map(_frame, iread(plain, index=":"))


def _frame(atoms: Any) -> Frame:
    sites = atoms.info.get("occupancy", {}).values()
    if any(list(site.values()) != [1.0] for site in sites):
        raise InputError("sites are shared by elements or partly empty; make a cell with one whole atom on each")
    time = next((value for key, value in atoms.info.items() if key.lower() == _TIME), None)
    time_fs = float(time) if isinstance(time, int | float | np.number) else None
    return Frame(atoms.numbers.astype(np.int64), atoms.positions, atoms.cell.array, time_fs)


def is_extxyz(path: Path) -> bool:
    """Whether the name is that of an (extended) XYZ file."""
    return plain_name(path).lower().endswith((".xyz", ".extxyz"))
