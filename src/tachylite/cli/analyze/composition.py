"""`tachylite analyze composition`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import (
    CampaignFilter,
    EngineFilter,
    FiguresOption,
    JsonOption,
    ProtocolFilter,
    StoreOption,
    WhereFilter,
    open_existing,
)
from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobflow import JobStore

    from tachylite.schemas.composition_map import CompositionMap
    from tachylite.stores.queries import MaterialFilter


def composition(
    system: Annotated[str, typer.Argument(metavar="Cu-Zr-Al", help="The elements, two or three of them.")],
    column: Annotated[
        str, typer.Option("--column", metavar="NAME", help="A number of `query --csv`, like slow_density_g_cm3.")
    ],
    store: StoreOption = None,
    engine: EngineFilter = None,
    protocol: ProtocolFilter = None,
    campaign: CampaignFilter = None,
    where: WhereFilter = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """A property of completed materials over their composition: means over samples, a curve or a triangle."""
    from tachylite.physics.composition import parse_formula

    elements = system.split("-")
    if len(elements) not in {2, 3} or len(set(elements)) != len(elements):
        raise InputError(f"{system!r} is not two or three elements, like Cu-Zr or Cu-Zr-Al")
    for element in elements:
        parse_formula(element)
    opened = open_existing(store)
    if opened is None:
        raise InputError("there is no store yet; name one with --store")
    filters: MaterialFilter = {"engine": engine, "protocol": protocol, "campaign": campaign, "where": where or ()}
    try:
        property_map = _read(opened, elements, column, filters)
    finally:
        opened.close()
    if figures is not None:
        from tachylite.report.charts.composition import composition_chart
        from tachylite.report.pages.rendering import write_charts

        write_charts([composition_chart(property_map)], f"{column} of {system}", figures)
    if as_json:
        typer.echo(property_map.model_dump_json(indent=2))
    else:
        _show(property_map)


def _read(store: JobStore, elements: Sequence[str], column: str, filters: MaterialFilter) -> CompositionMap:
    """The map; InputError, with the columns there are, where no material of these elements has this one."""
    from tachylite.analysis.composition import Sample, map_property
    from tachylite.stores.rows import material_cells
    from tachylite.stores.tables import find_fields

    samples, columns = [], set()
    for material in find_fields(store, **filters):
        if material["status"] != "completed":
            continue
        for beginning, cell in material_cells(material):
            name = beginning + next(cell.fields())[0]
            columns.add(name)
            if name == column and cell.value is not None:
                samples.append(Sample(material["material_id"], material["formula"], cell.value, cell.error))
    property_map = map_property(elements, column, samples)
    if not property_map.values:
        known = f"; columns are {', '.join(sorted(columns))}" if columns and column not in columns else ""
        raise InputError(f"no completed material of {'-'.join(elements)} has a number {column}{known}")
    return property_map


def _show(property_map: CompositionMap) -> None:
    from rich.table import Table

    from tachylite.report.text import quantity

    table = Table("composition", *property_map.elements, property_map.column, "samples")
    for value in property_map.values:
        fractions = [f"{value.fractions[element]:.3f}" for element in property_map.elements]
        samples = str(len(value.material_ids))
        table.add_row(value.formula, *fractions, quantity(value.value, value.error), samples)
    print_tables(table)
