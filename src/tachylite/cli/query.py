"""`tachylite query`: what a store holds."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jobflow import JobStore
    from rich.table import Table

    from tachylite.stores.queries import MaterialFilter
    from tachylite.stores.tables import Row

TABLE_WIDTH = 1000
"""Columns where stdout is not a terminal: no row is broken."""

NOTHING_YET = "no materials yet; `tachylite run Li3PO4` makes one"

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        "-s",
        metavar="FOLDER|FILE",
        help="Where results are kept. Default: TACHYLITE_STORE, else ./tachylite_store.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
OfEngine = Annotated[str | None, typer.Option("--engine", metavar="NAME", help="Who computed the forces.")]
OfProtocol = Annotated[str | None, typer.Option("--protocol", metavar="NAME", help="The protocol's name.")]
OfCampaign = Annotated[str | None, typer.Option("--campaign", metavar="ID", help="Submitted together.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="CONDITION", help="On any result, like 'melt.density_g_cm3.value>2.5'; may be repeated."
    ),
]


def query(
    formula: Annotated[str | None, typer.Option("--formula", metavar="FORMULA", help="This composition.")] = None,
    elements: Annotated[
        str | None, typer.Option("--elements", metavar="Li,O", help="Materials with all of these elements.")
    ] = None,
    engine: OfEngine = None,
    protocol: OfProtocol = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="completed, partial or failed.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", metavar="K", help="Melted or annealed at this temperature.")
    ] = None,
    campaign: OfCampaign = None,
    where: Conditions = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The newest ones only.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row of numbers for each, comma separated.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write their structures here, as extended XYZ.")
    ] = None,
) -> None:
    """List the materials in a store, newest first."""
    _check_status(status)
    filters: MaterialFilter = {
        "formula": formula,
        "elements": [symbol.strip() for symbol in elements.split(",")] if elements else None,
        "engine": engine,
        "protocol": protocol,
        "status": status,
        "temperature_k": temperature,
        "campaign": campaign,
        "where": where or (),
    }
    opened = open_existing(store)
    try:
        if export or as_json:
            found = _print_documents(opened, limit, filters, export, as_json=as_json)
        else:
            found = _print_rows(opened, limit, filters, as_csv=as_csv)
    finally:
        if opened is not None:
            opened.close()
    if not (found or as_json or as_csv):
        anything = any(value not in (None, ()) for value in filters.values())
        typer.echo("no material in the store matches" if anything and opened else NOTHING_YET)


def _print_documents(
    opened: JobStore | None, limit: int | None, filters: MaterialFilter, export: Path | None, *, as_json: bool
) -> int:
    """Materials as JSON, as files, or both; few at a time are in memory. How many there were."""
    from tachylite.cli.export import export_structures
    from tachylite.cli.working import check_writable
    from tachylite.stores.queries import iter_materials

    if export:
        check_writable(export)
    count = 0
    for material in iter_materials(opened, limit=limit, **filters) if opened is not None else ():
        if as_json:
            typer.echo(("," if count else "[") + "\n" + material.model_dump_json(indent=2), nl=False)
        for path in export_structures(material, export) if export else ():
            typer.echo(path, err=as_json)
        count += 1
    if as_json:
        typer.echo("\n]" if count else "[]")
    return count


def _print_rows(opened: JobStore | None, limit: int | None, filters: MaterialFilter, *, as_csv: bool) -> int:
    """A table for reading, or for a program. How many rows it has."""
    from tachylite.stores import find_rows

    rows = find_rows(opened, limit=limit, **filters) if opened is not None else []
    if as_csv:
        typer.echo(_csv(rows), nl=False)
    elif rows:
        print_tables(_table(rows))
    return len(rows)


def _csv(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def open_existing(store: Path | None) -> JobStore | None:
    """Open a store for reading; None where the default one does not exist yet, InputError for another."""
    from tachylite.stores import open_store, store_exists

    return open_store(store, create=False) if store is not None or store_exists() else None


def print_tables(*tables: Table) -> None:
    """Print tables in the width of the terminal, or as wide as they are into a file."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    for table in tables:
        console.print(table)


def _check_status(status: str | None) -> None:
    from typing import get_args

    from tachylite.errors import InputError
    from tachylite.schemas import Material

    allowed = get_args(Material.model_fields["status"].annotation)
    if status is not None and status not in allowed:
        raise InputError(f"--status {status} is not one of {', '.join(allowed)}")


def _table(rows: Iterable[Row]) -> Table:
    """One row for every material: melt, limit and glass; D with its 95 % interval, the others with standard errors."""
    from rich.markup import escape
    from rich.table import Table

    from tachylite.report.text import plain_formula, quantity

    table = Table(
        "formula",
        "status",
        "protocol",
        "engine",
        "atoms",
        "melt T (K)",
        "V (Å³/atom)",
        "density (g/cm³)",
        "D (cm²/s)",
        "Ea (eV)",
        "amorphous limit (eV/atom)",
        "glass (eV/atom)",
        "id",
    )
    for row in rows:
        cells = [
            plain_formula(row["formula"]),
            row["status"],
            row["protocol"],
            row["engine"],
            str(row["n_atoms"]),
            f"{row['melt_temperature_k']:g}",
            _measured(row, "volume_a3", "volume_error_a3", scale=1 / row["n_atoms"]),
            _measured(row, "density_g_cm3", "density_error_g_cm3"),
            "\n".join(_diffusivity(row, species) for species in _species(row, "D_", "_cm2_s")),
            "\n".join(_activation(row, species) for species in _species(row, "Ea_", "_ev")),
            quantity(row["amorphous_limit_ev_per_atom"]),
            quantity(row["glass_formation_energy_ev_per_atom"]),
            row["material_id"],
        ]
        table.add_row(*map(escape, cells))
    return table


def _measured(row: Row, value: str, error: str, scale: float = 1.0) -> str:
    from tachylite.report.text import quantity

    if row[value] is None:
        return quantity(None)
    # an error of which nothing is known is null in a database
    return quantity(scale * row[value], math.inf if row[error] is None else scale * row[error])


def _species(row: Row, before: str, after: str) -> list[str]:
    """Those that a row has columns of."""
    found = (column.removeprefix(before).removesuffix(after) for column in row if column.startswith(before))
    return [name for name in found if name.isalpha()]


def _diffusivity(row: Row, species: str) -> str:
    from tachylite.report.text import quantity
    from tachylite.schemas import Interval

    value, low, high = (row[f"D_{species}_{part}cm2_s"] for part in ("", "low_", "high_"))
    if value is None:
        return f"{species} not diffusive"
    return f"{species} {quantity(value, interval=Interval(low=low, high=high))}"


def _activation(row: Row, species: str) -> str:
    return f"{species} {_measured(row, f'Ea_{species}_ev', f'Ea_{species}_error_ev')}"
