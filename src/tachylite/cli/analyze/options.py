"""What the analyses ask for in the same words."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="XDATCAR, vasprun.xml or a folder of them, .extxyz, .traj, LAMMPS dump, H5MD, JSON of pymatgen or emmet; "
        "also .gz, .bz2, .xz.",
    ),
]
Temperature = Annotated[float | None, typer.Option("--temperature", help="In K; recorded, not used to compute.")]
TypesOption = Annotated[
    str | None, typer.Option("--types", help="Elements of the types 1, 2, ... of a LAMMPS dump, like Li,P,O.")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="DIR", help="Write the tables as CSV.")]
FiguresOption = Annotated[
    Path | None,
    typer.Option("--figures", metavar="DIR", help="Write the figures as PNG, and an interactive page of them."),
]


def parse_types(text: str | None) -> list[str] | None:
    """Give the elements in `Li,P,O`."""
    return None if text is None else [word.strip() for word in text.split(",")]
