"""Materials as MPContribs takes them (https://docs.materialsproject.org/services/mpcontribs): two JSON files.

`contributions.json` has a contribution for every material: where its numbers come from, the numbers of every completed
result as text with error and unit (`2.41+/-0.02 g/cm^3`), and its last structures. `columns.json` has the order and the
units of all columns. Names of columns have no underscore, blank or other mark but `|`; a `|` stands before an element.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tachylite.errors import InputError
from tachylite.report.optimade import result_cells
from tachylite.schemas import Material, Result
from tachylite.schemas.steps.columns import Cell

CONTRIBUTIONS, COLUMNS = "contributions.json", "columns.json"
STRUCTURES_AT_MOST = 10
"""Of one contribution; MPContribs takes no more."""
COLUMNS_AT_MOST = 160
"""Of one project; MPContribs takes no more."""

_ORIGIN = "computed"
_UNITS = str.maketrans({"²": "^2", "³": "^3", "Å": "angstrom", " ": "/"})

type Columns = dict[str, str | None]
"""The unit of every column by its dotted name; None for text."""


def write_contributions(materials: Iterable[Material], folder: Path) -> int:
    """Write the materials that have a completed result, and their columns; how many there were.

    Raises InputError where there are more columns than a project of MPContribs can have, and for names of results that
    differ only in marks that names of columns cannot have.
    """
    columns: Columns = {}
    written: set[str] = set()
    count = 0
    with (folder / CONTRIBUTIONS).open("w", encoding="utf-8") as file:
        for material in materials:
            contribution, own = contribution_of(material)
            if contribution is None:
                continue
            columns |= own
            # a structure may come once in a project
            structures = [text for text in map(_text, contribution.pop("structures", [])) if text not in written]
            written.update(structures)
            body = _text(contribution).removesuffix("}")
            body += f', "structures": [{", ".join(structures)}]}}' if structures else "}"
            file.write(f"{',' if count else '['}\n{body}")
            count += 1
        file.write("\n]\n" if count else "[]\n")
    if len(columns) > COLUMNS_AT_MOST:
        raise InputError(
            f"the materials have {len(columns)} columns, and a project of MPContribs at most {COLUMNS_AT_MOST}; "
            "choose those of one --protocol, or fewer by --where"
        )
    (folder / COLUMNS).write_text(json.dumps(columns, indent=1) + "\n", encoding="utf-8")
    return count


def contribution_of(material: Material) -> tuple[dict[str, Any] | None, Columns]:
    """The contribution of a material with the units of its columns; None without a completed result.

    `structures` are those that the last results left, as dictionaries of pymatgen.
    """
    completed = [result for result in material.results if result.status == "completed"]
    if not completed:
        return None, {}
    made_by = material.provenance
    origin = {
        "id": material.material_id,
        "start": material.begins_as or "packed",
        "protocol": material.protocol.name,
        "engine": made_by.engine,
        "model": made_by.model,
        "level": made_by.level,
        "atoms": str(material.n_atoms),
        "seed": str(made_by.seed),
    }
    data: dict[str, dict[str, str]] = {_ORIGIN: {name: text for name, text in origin.items() if text}}
    columns: Columns = {f"{_ORIGIN}.{name}": "" if name in {"atoms", "seed"} else None for name in data[_ORIGIN]}
    for result in completed:
        name = column_name(result.name)
        if name in data:
            raise InputError(f"result {result.name!r} would have the columns {name} of another one; rename its step")
        numbers = dict(_numbers(material, result))
        if numbers:
            data[name] = {quantity: f"{number} {unit}".strip() for quantity, (number, unit) in numbers.items()}
            columns |= {f"{name}.{quantity}": unit for quantity, (_, unit) in numbers.items()}
    contribution: dict[str, Any] = {"identifier": material.formula, "formula": material.formula, "data": data}
    finals = [result.final for result in completed if result.final is not None]
    if finals:
        contribution["structures"] = [final.structure.as_dict() for final in finals[-STRUCTURES_AT_MOST:]]
    return contribution, columns


def column_name(text: str) -> str:
    """The words of a name in one, `melt-volume` as `meltVolume`: letters and digits only."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text).split()
    return "".join([*words[:1], *(word[:1].upper() + word[1:] for word in words[1:])])


def unit_of(cell: Cell) -> str:
    """The unit of a number as pint reads it."""
    unit = cell.column.shown_unit
    return (unit.removesuffix("/atom") if cell.column.per_atom else unit).translate(_UNITS)


def _numbers(material: Material, result: Result) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names of columns with number and unit; an interval has columns of its own, what is not known has none."""
    for cell in result_cells(material, result):
        unit = unit_of(cell)
        if cell.value is None or not math.isfinite(cell.value):
            continue
        error = f"+/-{cell.error:.6g}" if cell.error and math.isfinite(cell.error) else ""
        yield _quantity(cell), (f"{cell.value:.6g}{error}", unit)
        for end, value in (("low", cell.low), ("high", cell.high)):
            if value is not None and math.isfinite(value):
                yield _quantity(cell, end), (f"{value:.6g}", unit)


def _quantity(cell: Cell, end: str = "") -> str:
    """The name of a column: `density`, `D|Li`, `Dlow|Li`."""
    if not cell.column.each:
        return column_name(cell.quantity) + end
    before, _, after = cell.column.quantity.partition("{}")
    element = cell.quantity[len(before) : len(cell.quantity) - len(after)]
    return f"{column_name(before + after)}{end}|{element}"


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, allow_nan=False)
