"""`tachylite query`: what a store holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tachylite.cli.options import (
    NOTHING_YET,
    CampaignFilter,
    ElementsFilter,
    EngineFilter,
    FormulaFilter,
    JsonOption,
    LimitFilter,
    ProtocolFilter,
    StatusFilter,
    StoreOption,
    TemperatureFilter,
    WhereFilter,
    material_filter,
    open_existing,
)
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from jobflow import JobStore
    from rich.table import Table

    from tachylite.schemas import Material
    from tachylite.stores.queries import MaterialFilter
    from tachylite.stores.rows import Row


def query(
    formula: FormulaFilter = None,
    elements: ElementsFilter = None,
    engine: EngineFilter = None,
    protocol: ProtocolFilter = None,
    status: StatusFilter = None,
    temperature: TemperatureFilter = None,
    campaign: CampaignFilter = None,
    where: WhereFilter = None,
    limit: LimitFilter = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row of numbers for each, comma separated.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write their structures here, as extended XYZ.")
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the recorded frames of their runs here, as extended XYZ with energies, forces and stresses.",
        ),
    ] = None,
) -> None:
    """List the materials in a store, newest first."""
    filters = material_filter(formula, elements, engine, protocol, status, temperature, campaign, where)
    opened = open_existing(store)
    try:
        if export or frames or as_json:
            shown = _print_documents(opened, limit, filters, export, frames, as_json=as_json)
        else:
            shown = _print_rows(opened, limit, filters, as_csv=as_csv)
    finally:
        if opened is not None:
            opened.close()
    if not (shown or as_json or as_csv):
        anything = any(value not in (None, ()) for value in filters.values())
        typer.echo("no material in the store matches" if anything and opened else NOTHING_YET)


def _print_documents(
    opened: JobStore | None,
    limit: int | None,
    filters: MaterialFilter,
    export: Path | None,
    frames: Path | None,
    *,
    as_json: bool,
) -> int:
    """Print materials as JSON, write their structures or frames; few at a time are in memory. How many there were."""
    from tachylite.cli.working import check_writable
    from tachylite.stores.queries import iter_materials

    for folder in (export, frames):
        if folder is not None:
            check_writable(folder)
    count = 0
    for material in iter_materials(opened, limit=limit, **filters) if opened is not None else ():
        if as_json:
            typer.echo(("," if count else "[") + "\n" + material.model_dump_json(indent=2), nl=False)
        paths = export_structures(material, export) if export else []
        paths += _export_frames(material, opened, frames) if frames and opened is not None else []
        for path in paths:
            typer.echo(path, err=as_json)
        count += 1
    if as_json:
        typer.echo("\n]" if count else "[]")
    return count


def export_structures(material: Material, folder: Path) -> list[Path]:
    """Write the structures that the steps of a material left as extended XYZ files, and give their paths."""
    from ase.io import write

    from tachylite.report.pages.sections import final_states

    paths = []
    for named in reversed(final_states(material)):
        paths.append(folder / f"{material.formula}-{material.material_id[:8]}-{named.name}.extxyz")
        write(paths[-1], named.state.atoms, format="extxyz")
    return paths


def _export_frames(material: Material, store: JobStore, folder: Path) -> list[Path]:
    """Write the recorded frames of every run of a material as an extended XYZ file, and give their paths."""
    from ase.io import write

    from tachylite.stores.labels import iter_trajectories

    paths = []
    for name, trajectory in iter_trajectories(material, store):
        frames = trajectory.atoms()
        for frame, temperature in zip(frames, trajectory.temperatures_k, strict=True):
            frame.info |= {"trajectory": name, "level": material.provenance.level, "temperature_k": temperature}
        paths.append(folder / f"{name}-frames.extxyz")
        write(paths[-1], frames, format="extxyz")
    return paths


def _print_rows(opened: JobStore | None, limit: int | None, filters: MaterialFilter, *, as_csv: bool) -> int:
    """A table for reading, or for a program. How many rows it has."""
    from tachylite.stores.tables import find_fields, find_rows

    if as_csv:
        rows = find_rows(opened, limit=limit, **filters) if opened is not None else []
        typer.echo(_csv(rows), nl=False)
        return len(rows)
    materials = find_fields(opened, limit=limit, **filters) if opened is not None else []
    if materials:
        print_tables(_table(materials))
    return len(materials)


def _csv(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(materials: Sequence[Mapping[str, Any]]) -> Table:
    """One row for every material, one column for every step; D with its 95 % interval, the others with errors."""
    from rich.markup import escape
    from rich.table import Table

    from tachylite.report.columns import cell_text
    from tachylite.report.text import plain_formula
    from tachylite.stores.rows import activation_cells

    numbers = [_numbers(material) for material in materials]
    steps = list(dict.fromkeys(step for by_step in numbers for step in by_step))
    table = Table("formula", "status", "protocol", "engine", "atoms", *map(escape, steps), "Ea (eV)", "id")
    for material, by_step in zip(materials, numbers, strict=True):
        energies = [f"{cell.heading} {cell_text(cell)}" for cell in activation_cells(material)]
        texts = [
            plain_formula(material["formula"]),
            material["status"],
            material["protocol"]["name"],
            material["provenance"]["engine"],
            str(material["n_atoms"]),
            *("\n".join(by_step.get(step, ())) for step in steps),
            "\n".join(energies),
            material["material_id"],
        ]
        table.add_row(*map(escape, texts))
    return table


def _numbers(material: Mapping[str, Any]) -> dict[str, list[str]]:
    """Lines of text by step: `V 15.9 ± 0.3 Å³/atom`, or what became of a result."""
    from tachylite.report.columns import cell_text, key_cells
    from tachylite.report.text import spaced

    lines: dict[str, list[str]] = {}
    for result in material["results"]:
        known = [cell for cell in key_cells(result) if cell.value is not None or cell.column.spread == "interval"]
        texts = [f"{cell.heading} {cell_text(cell, with_unit=True)}" for cell in known]
        shown = texts if result["status"] == "completed" else [result["status"]]
        before = f"{spaced(result['variant'])}: " if result["variant"] else ""
        lines.setdefault(result["step"], []).extend(before + text for text in shown)
    return lines
