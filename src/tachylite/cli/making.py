"""What `run` and `submit` ask for in the same words."""

from pathlib import Path
from typing import Annotated

import typer

Formulas = Annotated[list[str], typer.Argument(metavar="FORMULA...", help="Like Li3PO4.")]
ProtocolOption = Annotated[
    str, typer.Option("--protocol", "-p", metavar="NAME|FILE", help="See `tachylite protocols`, or a YAML file.")
]
EngineOption = Annotated[str, typer.Option("--engine", "-e", metavar="NAME", help="Who computes the forces.")]
EngineSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="KEY=VALUE", help="Of the engine, like repulsion=zbl or guards.temperature_factor=4."
    ),
]
CrystalOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--crystal", metavar="FILE", help="Crystal (CIF, POSCAR, ...) to compare the energy with; may be repeated."
    ),
]
AtomsOption = Annotated[
    int | None, typer.Option("--atoms", min=1, max=100_000, help="Target number of atoms, instead of the protocol's.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Packing, velocities and thermostat start from it.")]
