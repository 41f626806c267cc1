"""Read molecular dynamics of VASP: XDATCAR, vasprun.xml, and folders of runs that continue each other."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

# a file of the user's own, and expat has limited the expansion of entities since 2.4.1
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.readers.files import (
    TruncatedError,
    natural_order,
    next_line,
    open_bytes,
    open_text,
    plain_name,
    read_table,
)
from tachylite.readers.frames import Frame, same_place

_LARGEST_JUMP_AT_RESTART = 6.0
"""In root mean square displacements from frame to frame."""


def read_xdatcar(path: Path) -> Iterator[Frame]:
    """Frames of an XDATCAR; the header is repeated before every frame where the cell changes.

    ASE's reader keeps all frames in memory and takes an unfinished file for a finished one.
    """
    with open_text(path) as file:
        numbers, cell = _header(file, 0)
        count = 0
        for line in file:
            if not line.strip():
                continue
            if "configuration=" not in line:
                numbers, cell = _header(file, count)
                if "configuration=" not in next(file, ""):
                    raise TruncatedError(count)
            scaled = read_table(file, len(numbers), 3, count)
            yield Frame(numbers, scaled @ cell, cell)
            count += 1


def _header(file: TextIO, complete: int) -> tuple[NDArray[np.int64], Array]:
    """Numbers and cell; the comment line is read already except at the start of the file."""
    if complete == 0 and file.tell() == 0:
        file.readline()
    scale = float(next_line(file, complete))
    cell = read_table(file, 3, 3, complete)
    scale = scale if scale > 0 else (-scale / abs(float(np.linalg.det(cell)))) ** (1 / 3)
    symbols = [symbol.partition("_")[0].partition("/")[0] for symbol in next_line(file, complete).split()]
    counts = [int(word) for word in next_line(file, complete).split()]
    unknown = [symbol for symbol in symbols if symbol not in atomic_numbers]
    if unknown or len(symbols) != len(counts) or not counts:
        raise InputError(f"the header of frame {complete + 1} names the elements {symbols} and the counts {counts}")
    return np.repeat([atomic_numbers[symbol] for symbol in symbols], counts), cell * scale


def read_vasprun(path: Path) -> Iterator[Frame]:
    """Frames of a vasprun.xml, POTIM apart where it is molecular dynamics, one in memory at a time."""
    numbers: NDArray[np.int64] | None = None
    potim_fs = None
    count = 0
    with open_bytes(path) as file:
        events = iterparse(file, events=("end",))  # noqa: S314  # a file of the user's own, see the import
        try:
            for _, element in events:
                if element.tag == "incar" or element.tag == "parameters":
                    potim_fs = _potim(element) or potim_fs
                elif element.tag == "atominfo":
                    numbers = _atoms(element)
                elif element.tag == "calculation":
                    if numbers is None:
                        raise InputError("frames before <atominfo>; not what VASP writes")
                    yield _calculation(element, numbers, None if potim_fs is None else count * potim_fs)
                    count += 1
                    element.clear()
        except ParseError:
            raise TruncatedError(count) from None


def _potim(parameters: Element) -> float | None:
    """Time step in fs where IBRION = 0."""
    values = {entry.get("name"): (entry.text or "").strip() for entry in parameters.iter("i")}
    return float(values["POTIM"]) if values.get("IBRION") == "0" and "POTIM" in values else None


def _atoms(info: Element) -> NDArray[np.int64]:
    symbols = [(row.findtext("c") or "").strip() for row in info.iterfind("array[@name='atoms']/set/rc")]
    # VASP names xenon and the lanthanides' neighbours by two letters, and truncates nothing longer than that
    return np.array([atomic_numbers[symbol] for symbol in symbols], dtype=np.int64)


def _calculation(element: Element, numbers: NDArray[np.int64], time_fs: float | None) -> Frame:
    structure = element.find("structure")
    if structure is None:
        raise InputError("a <calculation> without its <structure>")
    cell = _vectors(structure, "crystal/varray[@name='basis']/v")
    return Frame(numbers, _vectors(structure, "varray[@name='positions']/v") @ cell, cell, time_fs)


def _vectors(structure: Element, path: str) -> Array:
    return np.array([(v.text or "").split() for v in structure.iterfind(path)], dtype=np.float64)


def folder_frames(folder: Path) -> Callable[[], Iterator[Frame]]:
    """Find the runs in a folder, in it or one folder deeper, in the natural order of their names, as one trajectory.

    vasprun.xml files, which hold their times, where there are any, else XDATCAR files. Raises InputError where
    there are none.
    """
    names = {"vasprun": read_vasprun, "XDATCAR": read_xdatcar}
    for start, read in names.items():
        paths = [
            path
            for path in [*folder.glob(f"{start}*"), *folder.glob(f"*/{start}*")]
            if path.is_file() and plain_name(path).startswith(start)
        ]
        if paths:
            runs = sorted(paths, key=lambda path: natural_order(path.relative_to(folder)))
            return lambda: _join_runs(runs, read)
    raise InputError(f"folder {folder} has no vasprun.xml and no XDATCAR, in it or in the folders in it")


def _join_runs(runs: list[Path], read: Callable[[Path], Iterator[Frame]]) -> Iterator[Frame]:
    """One run after another; a first frame that repeats the last one before it is left out.

    Raises InputError where a run does not go on where the one before it ended: a jump of six usual steps.
    """
    last: Frame | None = None
    step_a = 0.0
    offset_fs, spacing_fs = 0.0, 0.0
    for run in runs:
        first = True
        for frame in _read_run(run, read):
            time_fs = frame.time_fs
            if last is not None and first:
                if time_fs is not None:
                    offset_fs = (last.time_fs or 0.0) + spacing_fs - time_fs
                if same_place(last, frame):
                    offset_fs -= spacing_fs
                    first = False
                    continue
                if (jump_a := _step_a(last, frame)) > _LARGEST_JUMP_AT_RESTART * step_a > 0:
                    raise InputError(
                        f"{run} does not go on where the run before it ended: atoms jump by {jump_a:.2g} A, they "
                        f"moved by {step_a:.2g} A from frame to frame before; check the names' order"
                    )
            elif last is not None:
                step_a = _step_a(last, frame)
                spacing_fs = (time_fs or 0.0) + offset_fs - (last.time_fs or 0.0)
            first = False
            last = Frame(frame.numbers, frame.positions, frame.cell, None if time_fs is None else time_fs + offset_fs)
            yield last


def _read_run(run: Path, read: Callable[[Path], Iterator[Frame]]) -> Iterator[Frame]:
    try:
        yield from read(run)
    except TruncatedError as error:
        raise InputError(f"{run} ends inside frame {error.args[0] + 1}; leave it out or cut it there") from None


def _step_a(before: Frame, frame: Frame) -> float:
    """Root mean square of the displacements by the shortest way, in A."""
    if len(before.numbers) != len(frame.numbers):
        return 0.0  # refused by name where frames are checked
    scaled = np.linalg.solve(frame.cell.T, (frame.positions - before.positions).T).T
    steps = (scaled - np.round(scaled)) @ frame.cell
    return float(np.sqrt((steps**2).sum(axis=1).mean()))
