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


def _candidates(path: Path, elements: frozenset[str]) -> Iterator[tuple[frozenset[str], CandidatePhase]]:
    """The crystals of no other elements than these, each with its elements."""
    if path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        yield from _lines(path, elements)
        return
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    for file in files:
        for name, structure in read_structures(file):
            own = frozenset(site.specie.symbol for site in structure)
            if own <= elements:
                yield own, CandidatePhase(source=name, state=State.from_structure(structure))


def _lines(path: Path, elements: frozenset[str]) -> Iterator[tuple[frozenset[str], CandidatePhase]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                own = frozenset(entry["sp"])
                if own <= elements:
                    yield own, CandidatePhase(source=str(entry["id"]), state=_state(entry))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
                raise InputError(f"line {number} of {path} is no crystal with id, cell, sp and x: {reason}") from None


def _state(entry: dict[str, Any]) -> State:
    cell = cellpar_to_cell(entry["cell"])
    return State(
        numbers=[atomic_numbers[symbol] for symbol in entry["sp"]],
        positions=(entry["x"] @ cell).tolist(),
        cell=cell.tolist(),
    )
