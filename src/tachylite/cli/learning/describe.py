"""`tachylite describe`: the descriptors of structures, as a table or as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tachylite.cli.options import JsonOption
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.descriptors.averages import DescriptorValues


def describe(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Structures or trajectories: POSCAR, CIF, .extxyz, .h5, ...")
    ],
    species: Annotated[str, typer.Option("--species", help="Symbol of the mobile element.")] = "Li",
    anion: Annotated[
        str | None, typer.Option("--anion", help="Default: the most electronegative of the other elements.")
    ] = None,
    convention: Annotated[
        Literal["exact", "zheng2024"],
        typer.Option("--convention", help="As defined, or with the arithmetic of the published table."),
    ] = "exact",
    as_json: JsonOption = False,
) -> None:
    """Compute 43 descriptors of each file; of a trajectory their means over the frames, with errors.

    In the names of the columns, which are those of the published table, Li stands for the mobile element.
    """
    from tachylite.analysis.file_descriptors import compute_file_descriptors

    rows = [(file, compute_file_descriptors(file, species, anion, convention)) for file in files]
    if as_json:
        typer.echo(json.dumps([_as_row(file, descriptors) for file, descriptors in rows], indent=2))
    else:
        print_tables(*(_as_table(file, descriptors) for file, descriptors in rows))


def _as_row(file: Path, descriptors: DescriptorValues) -> dict[str, Any]:
    """Descriptors of a file as JSON has them: by name beside formula and conventions; an unknown error is null."""
    from tachylite.schemas.run import reduced_formula

    errors = {name: estimate.error for name, estimate in descriptors.values.items()}
    return {
        "file": str(file),
        "formula": reduced_formula(descriptors.counts),
        "n_atoms": sum(descriptors.counts.values()),
        "n_frames": descriptors.n_frames,
        "species": descriptors.species,
        "anion": descriptors.anion,
        "convention": descriptors.convention,
        **descriptors.means,
        "errors": {name: error if math.isfinite(error) else None for name, error in errors.items()},
    }


def _as_table(file: Path, descriptors: DescriptorValues) -> Table:
    from rich.table import Table

    from tachylite.descriptors.registry import DESCRIPTORS
    from tachylite.report.text import quantity
    from tachylite.schemas.run import reduced_formula

    title = (
        f"{file}: {reduced_formula(descriptors.counts)}, {descriptors.species} mobile, {descriptors.anion} the anion"
    )
    table = Table("descriptor", "value", "unit", "definition", title=title, title_justify="left")
    for name, estimate in descriptors.values.items():
        known = math.isfinite(estimate.error) and estimate.error > 0
        text = quantity(estimate.mean, estimate.error if known else None, digits=5)
        unit, definition = DESCRIPTORS[name].unit, DESCRIPTORS[name].definition.replace("Li", descriptors.species)
        table.add_row(name, text, "" if unit == "1" else unit, definition)
    return table
