"""`tachylite analyze glass`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import CsvOption, FiguresOption, JsonOption
from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.readers.thermo import ThermoTable
    from tachylite.schemas.glass import GlassTransition

CoolingRunFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A cooling run: our .h5 file of a quench, or a CSV with the columns temperature_k, one of energy_ev "
        "(potential), total_energy_ev, enthalpy_ev, and if at hand volume_a3 and time_fs or time_ps.",
    ),
]


def glass(
    file: CoolingRunFile,
    atoms: Annotated[
        int | None, typer.Option("--atoms", min=1, help="Atoms in the cell that a CSV is about; our files know.")
    ] = None,
    low: Annotated[float | None, typer.Option("--from", min=0.0, help="Coldest temperature used, in K.")] = None,
    high: Annotated[float | None, typer.Option("--to", min=0.0, help="Hottest temperature used, in K.")] = None,
    csv: CsvOption = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Glass transition, heat capacities and thermal expansion from a cooling run, or why there is none to see."""
    from tachylite.analysis.glass import measure_transition

    cooling_run, n_atoms = _read_cooling_run(file, atoms)
    transition = measure_transition(cooling_run, n_atoms, low, high)
    if csv is not None:
        from tachylite.report.csv_tables import glass_tables, write_tables

        write_tables(glass_tables(transition), csv)
    if figures is not None:
        from tachylite.report import charts
        from tachylite.report.pages.rendering import write_charts

        write_charts([charts.cooling_run(transition)], f"Glass transition in {file.name}", figures)
    if as_json:
        typer.echo(transition.model_dump_json(indent=2))
    else:
        print_tables(_table(transition))


def _read_cooling_run(file: Path, atoms: int | None) -> tuple[ThermoTable, int]:
    from tachylite.analysis.glass import ramp_of
    from tachylite.readers.opening import OWN
    from tachylite.readers.thermo import read_thermo
    from tachylite.schemas import Trajectory

    if file.suffix in OWN:
        if atoms is not None:
            raise InputError(f"{file} knows its atoms; leave --atoms out")
        trajectory = Trajectory.load(file)
        ramp = ramp_of(trajectory)
        if ramp is None:
            raise InputError(f"{file} has no ramp: its thermostat never cools; give the trajectory of a quench")
        return ramp, len(trajectory.numbers)
    table = read_thermo(file)
    if atoms is None:
        raise InputError(f"{file} does not say how many atoms its energies are of; give --atoms")
    return table, atoms


def _table(transition: GlassTransition) -> Table:
    from rich.table import Table

    from tachylite.report.glass import transition_rows
    from tachylite.report.text import quantity

    table = Table("quantity", "value", "from")
    for row in transition_rows(transition):
        table.add_row(row.label, row.value, row.note)
    if transition.cooling_rate_k_s is not None:
        table.add_row("cooling rate", quantity(transition.cooling_rate_k_s, unit="K/s", digits=3))
    return table
