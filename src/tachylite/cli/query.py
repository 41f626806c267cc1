"""`tachylite query`: what a store holds."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jobflow import JobStore
    from rich.table import Table

    from tachylite.schemas import Material, Melt
    from tachylite.stores.queries import Question

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
    from tachylite.stores import find_materials, find_rows

    _check_status(status)
    asked: Question = {
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
    rows: list[dict[str, Any]] = []
    materials: list[Material] = []
    if opened is not None:
        if as_csv:
            rows = find_rows(opened, limit=limit, **asked)
        else:
            materials = find_materials(opened, limit=limit, **asked)
        opened.close()
    if as_csv:
        typer.echo(_csv(rows), nl=False)
        return
    if export:
        from tachylite.cli.export import export_structures

        for path in export_structures(materials, export):
            typer.echo(path, err=as_json)
    if as_json:
        typer.echo(json.dumps([json.loads(material.model_dump_json()) for material in materials], indent=2))
    elif materials and not export:
        print_tables(_table(materials))
    elif not materials:
        anything = any(value not in (None, ()) for value in asked.values())
        typer.echo("no material in the store matches" if anything and opened else NOTHING_YET)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
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


def _table(materials: Iterable[Material]) -> Table:
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
    for material in materials:
        melt, limit, glass = material.melt, material.amorphous_limit, material.glass
        cells = [
            plain_formula(material.formula),
            material.status,
            material.protocol.name,
            material.provenance.engine,
            str(material.n_atoms),
            f"{material.protocol.melt.temperature_k:g}",
            _volume_per_atom(melt),
            quantity(melt.density_g_cm3 if melt else None),
            _diffusivities(melt),
            "\n".join(f"{fit.species} {quantity(fit.activation_energy_ev)}" for fit in material.activations),
            quantity(limit.formation_energy_ev_per_atom if limit else None),
            quantity(glass.formation_energy_ev_per_atom if glass else None),
            material.material_id,
        ]
        table.add_row(*map(escape, cells))
    return table


def _volume_per_atom(melt: Melt | None) -> str:
    from tachylite.report.text import quantity

    volume = melt.equilibrium.volume_a3 if melt else None
    if melt is None or volume is None:
        return quantity(None)
    return quantity(volume.value / melt.equilibrium.n_atoms, volume.error / melt.equilibrium.n_atoms)


def _diffusivities(melt: Melt | None) -> str:
    from tachylite.report.text import quantity

    return "\n".join(
        f"{one.species} {quantity(one.diffusivity_cm2_s, interval=one.diffusivity_interval_cm2_s)}"
        if one.diffusive
        else f"{one.species} not diffusive"
        for one in (melt.diffusivities if melt else ())
    )
