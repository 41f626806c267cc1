"""Read the crystals of chemical systems from a collection: JSON lines, or a folder of structure files."""

import gzip
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ase.data import atomic_numbers
from ase.geometry import cellpar_to_cell

from tachylite.errors import InputError
from tachylite.readers.structures import read_structures
from tachylite.schemas import State
from tachylite.schemas.phases import CandidatePhase


def read_crystals(path: Path, systems: Collection[Collection[str]]) -> list[CandidatePhase]:
    """Read those crystals of a collection whose elements are all in one of the systems.

    `path` is a file of JSON lines (also .gz), each with `id`, `cell` (a, b, c in A, angles in degrees), `sp` (symbols)
    and `x` (fractional coordinates), or a folder of structure files, or one of these. Raises InputError for what cannot
    be read, naming the line.
    """
    if not path.exists():
        raise InputError(f"collection of crystals {path} does not exist")
    wanted = [frozenset(system) for system in systems]
    chosen: dict[frozenset[str], list[CandidatePhase]] = {}
    for elements, candidate in _candidates(path, frozenset().union(*wanted)):
        if elements in chosen or any(elements <= system for system in wanted):
            chosen.setdefault(elements, []).append(candidate)
    return [candidate for candidates in chosen.values() for candidate in candidates]


def read_each_crystal(path: Path) -> list[tuple[str, State | InputError]]:
    """Read all crystals of a file or a folder, each with a name; an error stands for one that cannot be read.

    `path` is as for `read_crystals`. Raises InputError where it does not exist or holds nothing.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist")
    crystals = list(_each(path))
    if not crystals:
        raise InputError(f"{path} is empty: there is no crystal in it")
    return crystals


def _each(path: Path) -> Iterator[tuple[str, State | InputError]]:
    if _holds_lines(path):
        for number, line in enumerate(_lines(path), 1):
            try:
                phase = _phase(_entry(line, number, path), number, path)
                yield phase.source, phase.state
            except InputError as error:
                yield f"{path.name}:{number}", error
        return
    for file in _files(path):
        try:
            structures = read_structures(file)
        except InputError as error:
            yield file.name, error
            continue
        for name, structure in structures:
            yield name, State.from_structure(structure)


def _candidates(path: Path, elements: frozenset[str]) -> Iterator[tuple[frozenset[str], CandidatePhase]]:
    """The crystals of no other elements than these, each with its elements."""
    if _holds_lines(path):
        for number, line in enumerate(_lines(path), 1):
            entry = _entry(line, number, path)
            own = frozenset(entry["sp"])
            if own <= elements:
                yield own, _phase(entry, number, path)
        return
    for file in _files(path):
        for name, structure in read_structures(file):
            own = frozenset(site.specie.symbol for site in structure)
            if own <= elements:
                yield own, CandidatePhase(source=name, state=State.from_structure(structure))


def _holds_lines(path: Path) -> bool:
    return path.is_file() and path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from lines


def _entry(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        entry = dict(json.loads(line))
        missing = [key for key in ("id", "cell", "sp", "x") if key not in entry]
        if missing:
            raise ValueError(f"it has no {missing[0]!r}")
        entry["sp"] = [str(symbol) for symbol in entry["sp"]]
        return entry
    except (ValueError, TypeError) as error:
        raise InputError(f"line {number} of {path} is no crystal with id, cell, sp and x: {error}") from None


def _phase(entry: dict[str, Any], number: int, path: Path) -> CandidatePhase:
    try:
        return CandidatePhase(source=str(entry["id"]), state=_state(entry))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        reason = f"there is no element {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"line {number} of {path} is no crystal with id, cell, sp and x: {reason}") from None


def _state(entry: dict[str, Any]) -> State:
    cell = cellpar_to_cell(entry["cell"])
    return State(
        numbers=[atomic_numbers[symbol] for symbol in entry["sp"]],
        positions=(entry["x"] @ cell).tolist(),
        cell=cell.tolist(),
    )
