"""Read LAMMPS dump files (text) with any of their position columns and boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.readers.files import TruncatedError, next_line, open_text, read_table
from tachylite.readers.frames import Frame

_COLUMNS = (
    # columns, fractional, may be folded back into the cell; the best ones first
    (("xu", "yu", "zu"), False, False),
    (("xsu", "ysu", "zsu"), True, False),
    (("x", "y", "z"), False, True),
    (("xs", "ys", "zs"), True, True),
)
_TIME_FS = {"real": 1.0, "metal": 1000.0}


@dataclass
class _Header:
    """The items of one frame before its atoms."""

    step: int = 0
    n_atoms: int = 0
    time: float | None = None
    units: str | None = None
    cell: Array = field(default_factory=lambda: np.zeros((3, 3)))
    origin: Array = field(default_factory=lambda: np.zeros(3))
    columns: list[str] = field(default_factory=list)


def read_dump(path: Path, types: Sequence[str] | None = None, step_fs: float | None = None) -> Iterator[Frame]:
    """Frames of a dump, atoms in the order of their ids; `types` are the elements of type 1, 2, ...

    Times are those in the file (`dump_modify time yes units yes`), or the timestep numbers times `step_fs`,
    the length of one step. ASE and pymatgen know neither these items nor which columns are unwrapped.
    """
    header = _Header()
    count = 0
    with open_text(path) as file:
        while _read_header(file, header, count):
            rows = [line.split() for _, line in zip(range(header.n_atoms), file, strict=False)]
            if len(rows) < header.n_atoms or len(rows[-1]) < len(header.columns):
                raise TruncatedError(count)
            yield _frame(header, np.array(rows), types, step_fs)
            count += 1


def _read_header(file: TextIO, header: _Header, complete: int) -> bool:
    """Read the items up to the atoms; False at the end of the file, and without its newest item otherwise."""
    seen = False
    for line in file:
        if not line.strip():
            continue
        if not line.endswith("\n"):
            raise TruncatedError(complete)
        if not line.startswith("ITEM:"):
            raise InputError(f"a line of frame {complete + 1} where an ITEM should stand: {line.strip()[:40]!r}")
        item = line.removeprefix("ITEM:").split()
        if item[0] == "ATOMS":
            header.columns = item[1:]
            return True
        seen = True
        _read_item(file, header, item, complete)
    if seen:
        raise TruncatedError(complete)
    return False


def _read_item(file: TextIO, header: _Header, item: list[str], complete: int) -> None:
    if item[0] == "BOX":
        periodic = [word for word in item if len(word) == 2 and set(word) <= set("pfsm")]
        if periodic and set(periodic) != {"pp"}:
            raise InputError(f"the box is not periodic in all directions: {' '.join(periodic)}")
        general = "abc" in item
        rows = read_table(file, 3, 4 if general else 3 if "xy" in item else 2, complete)
        header.cell, header.origin = (rows[:, :3], rows[:, 3]) if general else _box(rows)
        return
    words = next_line(file, complete).split()
    if item[0] == "TIMESTEP":
        header.step = int(words[0])
    elif item[0] == "NUMBER":
        header.n_atoms = int(words[0])
    elif item[0] == "TIME":
        header.time = float(words[0])
    elif item[0] == "UNITS":
        header.units = words[0]
    else:
        raise InputError(f"frame {complete + 1} has an unknown item: {' '.join(item)}")


def _box(bounds: Array) -> tuple[Array, Array]:
    """Cell and origin from the bounds of the box around a cell, and its tilts (LAMMPS manual, Howto_triclinic)."""
    xy, xz, yz = bounds[:, 2] if bounds.shape[1] == 3 else (0.0, 0.0, 0.0)
    x_low = bounds[0, 0] - min(0.0, xy, xz, xy + xz)
    x_high = bounds[0, 1] - max(0.0, xy, xz, xy + xz)
    y_low, y_high = bounds[1, 0] - min(0.0, yz), bounds[1, 1] - max(0.0, yz)
    z_low, z_high = bounds[2, 0], bounds[2, 1]
    cell = np.array([[x_high - x_low, 0, 0], [xy, y_high - y_low, 0], [xz, yz, z_high - z_low]])
    return cell, np.array([x_low, y_low, z_low])


def _frame(header: _Header, rows: NDArray[np.str_], types: Sequence[str] | None, step_fs: float | None) -> Frame:
    column = {name: rows[:, index] for index, name in enumerate(header.columns)}
    # LAMMPS writes atoms in whatever order its processors hold them
    if "id" not in column:
        raise InputError("no column id: without it atoms cannot be followed; dump id type x y z")
    order = np.argsort(column["id"].astype(np.int64), kind="stable")
    scaled, wrapped, values = _positions(column)
    images = all(name in column for name in ("ix", "iy", "iz"))
    cartesian = values @ header.cell + header.origin if scaled else values
    if wrapped and images:
        cartesian = cartesian + np.stack([column[n].astype(np.float64) for n in ("ix", "iy", "iz")], -1) @ header.cell
    return Frame(
        _elements(column, types)[order],
        cartesian[order],
        header.cell,
        _time_fs(header, step_fs),
        wrapped=wrapped and not images,
    )


def _positions(column: dict[str, NDArray[np.str_]]) -> tuple[bool, bool, Array]:
    for names, scaled, wrapped in _COLUMNS:
        if all(name in column for name in names):
            return scaled, wrapped, np.stack([column[name].astype(np.float64) for name in names], axis=-1)
    raise InputError(f"no position columns among {', '.join(column)}; dump x y z, xu yu zu or xs ys zs")


def _elements(column: dict[str, NDArray[np.str_]], types: Sequence[str] | None) -> NDArray[np.int64]:
    if "element" in column and types is None:
        symbols = column["element"]
    elif types is None or "type" not in column:
        raise InputError("no column element; say the element of each LAMMPS type in order, like --types Li,O")
    else:
        indices = column["type"].astype(np.int64)
        if indices.min() < 1 or indices.max() > len(types):
            raise InputError(f"types up to {indices.max()}, but --types names {len(types)}: {','.join(types)}")
        symbols = np.array(types)[indices - 1]
    names, inverse = np.unique(symbols, return_inverse=True)
    unknown = [str(name) for name in names if name not in atomic_numbers]
    if unknown:
        raise InputError(f"{', '.join(unknown)} in the element column or --types is no element")
    return np.array([atomic_numbers[str(name)] for name in names], dtype=np.int64)[inverse]


def _time_fs(header: _Header, step_fs: float | None) -> float | None:
    if header.time is not None and header.units in _TIME_FS:
        return header.time * _TIME_FS[header.units]
    return None if step_fs is None else header.step * step_fs
