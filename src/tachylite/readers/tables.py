"""Tables of partial g(r), as others publish them."""

import csv
from pathlib import Path

import numpy as np

from tachylite.errors import InputError
from tachylite.physics.parity import Curves


def read_curves(path: Path) -> Curves:
    """Read a CSV with a column `r` in A and a column for each pair of elements, like Li-O, in any order.

    Columns without a name are left out: pandas writes its row numbers there. Raises InputError for a file
    that is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        values = np.array(rows, dtype=np.float64)
    except OSError as error:
        raise InputError(f"table {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"table {path} is no table of numbers under one line of names: {error}") from error
    columns = {name: values[:, index] for index, name in enumerate(header) if name} if values.ndim == 2 else {}
    if "r" not in columns or len(columns) < 2:
        names = ", ".join(columns) or "no columns"
        raise InputError(f"table {path} has {names}; g(r) needs a column r (A) and one a pair, like Li-O")
    r = columns.pop("r")
    if not np.isfinite(values[:, [bool(name) for name in header]]).all() or not (np.diff(r) > 0).all():
        raise InputError(f"table {path} has values that are not finite, or distances r that do not ascend")
    return Curves(r, {"-".join(sorted(pair.split("-"))): g for pair, g in columns.items()})
