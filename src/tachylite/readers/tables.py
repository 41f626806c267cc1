"""Read published tables of partial g(r), and find files by the composition in their names."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.structure.parity import Curves
from tachylite.readers.files import plain_name
from tachylite.schemas.run import reduced_formula

_OWN = re.compile(r"^g_|(?<=^r)_a$")
"""Parts of the column names that only tables of this package have."""

_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9.()]+")


def read_curves(path: Path) -> Curves:
    """Read a CSV with a column `r` in A and a column for each pair of elements, like Li-O, in any order.

    Columns without a name are left out: pandas writes its row numbers there. The table that `tachylite analyze
    structure` writes is read as well (`r_a`, `g_Li-O`), without its errors and its total. Raises InputError for a file
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
    named = {name: i for i, name in enumerate(header) if name and not name.endswith(("_error", "_total"))}
    columns = {_OWN.sub("", name): values[:, i] for name, i in named.items()} if values.ndim == 2 else {}
    if "r" not in columns or len(columns) < 2:
        names = ", ".join(columns) or "no columns"
        raise InputError(f"table {path} has {names}; g(r) needs a column r (A) and one a pair, like Li-O")
    r = columns.pop("r")
    if not np.isfinite(values[:, list(named.values())]).all() or not (np.diff(r) > 0).all():
        raise InputError(f"table {path} has values that are not finite, or distances r that do not ascend")
    return Curves(r, {"-".join(sorted(pair.split("-"))): g for pair, g in columns.items()})


def files_by_composition(where: str) -> dict[str, Path]:
    """Find the files of a folder, or those that match a pattern with `*`, by the composition in their names.

    The last word of a name that is a formula counts: `DFT_RDF_Al3Si.csv`, `Al3Si.extxyz` and
    `XDATCAR_Al3Si.gz` are of one composition; names without a formula are passed over. Raises InputError where there
    is no such file, and for two files of one composition.
    """
    folder = Path(where)
    paths = sorted(folder.iterdir() if folder.is_dir() else _matching(folder))
    files: dict[str, Path] = {}
    for path in paths:
        formula = None if path.name.startswith(".") else composition_in(path)
        if formula in files:
            raise InputError(
                f"{files[formula].name} and {path.name} in {path.parent} are both {formula}; tell them apart by a "
                "pattern in quotes, like 'rdf/DFT_*.csv'"
            )
        if formula is not None:
            files[formula] = path
    if not files:
        raise InputError(f"{where}: no file there has a composition in its name, like DFT_RDF_Al3Si.csv")
    return files


def _matching(pattern: Path) -> Iterator[Path]:
    return pattern.parent.glob(pattern.name)


def composition_in(path: Path) -> str | None:
    """Reduced formula of the last word of a name that is one; None where none is."""
    for name in (plain_name(path), Path(plain_name(path)).stem):
        for word in reversed(_BETWEEN_WORDS.split(name)):
            try:
                return reduced_formula(parse_formula(word).unit)
            except InputError:
                continue
    return None
