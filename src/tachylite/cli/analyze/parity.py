"""`tachylite analyze parity`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.query import JsonOption, print_tables

if TYPE_CHECKING:
    from tachylite.physics.parity import Curves

Reference = Annotated[Path, typer.Argument(metavar="A", help="The reference: a trajectory, or a CSV table of g(r).")]
Other = Annotated[Path, typer.Argument(metavar="B", help="What is judged by it: likewise.")]


def parity(reference: Reference, other: Other, as_json: JsonOption = False) -> None:
    """How well the partial g(r) of B reproduce those of A: the coefficient of determination R².

    A table has a column r (Å) and one for each pair of elements. 1 is agreement at all distances.
    """
    from tachylite.physics.parity import compare_curves

    found = compare_curves(_curves(reference), _curves(other))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    from rich.table import Table

    table = Table("pair", "R²")
    for pair, r2 in found.r2_by_pair.items():
        table.add_row(pair, f"{r2:.4f}")
    table.add_row(f"all, up to {found.r_max_a:g} Å", f"{found.r2:.4f}")
    print_tables(table)


def _curves(path: Path) -> Curves:
    """Partial g(r) of a file: read from a table, measured from a trajectory."""
    import numpy as np

    from tachylite.jobs.structure import frames_of_file, measure_frames
    from tachylite.physics.parity import Curves
    from tachylite.readers import open_trajectory
    from tachylite.readers.tables import read_curves

    if path.suffix == ".csv":
        return read_curves(path)
    found = measure_frames(frames_of_file(open_trajectory(path)))
    return Curves(np.array(found.r_a), {partial.pair: np.array(partial.g) for partial in found.partials})
