"""`tachylite analyze voltage`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import NOTHING_YET, EngineFilter, JsonOption, ProtocolFilter, StoreOption, open_existing
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas.voltage import VoltageEnsemble


def voltage(
    store: StoreOption = None,
    element: Annotated[str | None, typer.Option("--element", metavar="Li", help="Ions of this element only.")] = None,
    engine: EngineFilter = None,
    protocol: ProtocolFilter = None,
    as_json: JsonOption = False,
) -> None:
    """Voltages of the materials in a store: means over independent cells with their scatter, beside the crystal.

    Cells of one ensemble have the same host, ion, name of the step and level of theory, and are all glasses or all
    crystals.
    """
    opened = open_existing(store)
    ensembles: list[VoltageEnsemble] = []
    if opened is not None:
        from tachylite.analysis.voltage import Cell, gather_voltages
        from tachylite.schemas.steps.ions import IonResult
        from tachylite.stores.queries import iter_materials

        try:
            cells = [
                Cell(material.material_id, result)
                for material in iter_materials(opened, engine=engine, protocol=protocol)
                for result in material.results
                if isinstance(result, IonResult) and element in {None, result.element}
            ]
        finally:
            opened.close()
        ensembles = gather_voltages(cells)
    if as_json:
        typer.echo(json.dumps([json.loads(ensemble.model_dump_json()) for ensemble in ensembles], indent=2))
    elif ensembles:
        for ensemble in ensembles:
            _show(ensemble)
    else:
        nothing = "no completed step of the store has put ions in or out with voltages; see docs/ions.md"
        typer.echo(nothing if opened is not None else NOTHING_YET)


def _show(ensemble: VoltageEnsemble) -> None:
    cells = f"{ensemble.n_cells} {'cell' if ensemble.n_cells == 1 else 'cells'}"
    typer.echo(f"{ensemble.element} in {ensemble.host}, {ensemble.order}, {cells} ({ensemble.step}; {ensemble.level})")
    print_tables(*_tables(ensemble))
    if ensemble.over_crystal is not None:
        from tachylite.report.text import quantity

        typer.echo(f"mean voltage over that of the crystal: {quantity(ensemble.over_crystal)}")


def _tables(ensemble: VoltageEnsemble) -> Sequence[Table]:
    from rich.table import Table

    from tachylite.report.text import ABSENT, quantity

    means = Table("x", "mean voltage (V)", "scatter (V)")
    for mean in [*ensemble.steps, *([ensemble.average] if ensemble.average is not None else [])]:
        scatter = ABSENT if mean.scatter_v is None else quantity(mean.scatter_v, digits=2)
        means.add_row(f"{mean.content_low:g} to {mean.content_high:g}", quantity(mean.voltage_v), scatter)
    plateaus = Table("plateau, x", "voltage (V)")
    for step in ensemble.plateaus:
        plateaus.add_row(f"{step.content_low:g} to {step.content_high:g}", quantity(step.voltage_v))
    return means, plateaus
