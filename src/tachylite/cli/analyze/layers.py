"""`tachylite analyze layers`."""

from __future__ import annotations

from typing import Annotated

import typer

from tachylite.cli.options import FiguresOption, JsonOption, TrajectoryFile, TypesOption, parse_types
from tachylite.cli.output import print_tables
from tachylite.errors import InputError


def layers(
    file: TrajectoryFile,
    layers: Annotated[int, typer.Option("--layers", metavar="N", help="How many, of equal thickness.")],
    normal: Annotated[str, typer.Option("--normal", metavar="a|b|c", help="Lattice vector across the layers.")] = "c",
    timestep: Annotated[
        float | None,
        typer.Option(
            "--timestep",
            help="Between two frames in fs, of a LAMMPS dump between two steps; not for our .h5 files.",
        ),
    ] = None,
    cutoff: Annotated[
        list[str] | None,
        typer.Option(
            "--cutoff", metavar="P-O=2.1", help="Largest length of a bond in Å; else 1.25 times the sum of radii."
        ),
    ] = None,
    types: TypesOption = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Density, coordination, diffusion and bonds by layer, and ions that cross; motion where there are times."""
    from tachylite.analysis.layers import measure_layers
    from tachylite.cli.analyze.structure import parse_cutoffs
    from tachylite.physics.layers import NORMALS
    from tachylite.readers import open_trajectory

    direction = next((known for known in NORMALS if known == normal), None)
    if direction is None:
        raise InputError(f"--normal {normal!r} is no lattice vector; it is a, b or c")
    frames = open_trajectory(file, timestep, parse_types(types))
    analysis = measure_layers(frames, layers, direction, parse_cutoffs(cutoff or []))
    if figures is not None:
        from tachylite.report.charts.layers import layer_charts
        from tachylite.report.pages.rendering import write_charts

        write_charts(list(layer_charts(analysis)), f"Layers of {file.name}", figures)
    if as_json:
        typer.echo(analysis.model_dump_json(indent=2))
        return
    from rich.table import Table

    from tachylite.report.layers import layer_tables

    for entry in layer_tables(analysis):
        table = Table(*entry.columns, title=entry.caption)
        for row in entry.rows:
            table.add_row(*row)
        print_tables(table)
