"""`tachylite analyze`: transport, structure, parity, cooling runs and elasticity from files of any program."""

import typer

from tachylite.cli.analyze.elastic import elastic
from tachylite.cli.analyze.glass import glass
from tachylite.cli.analyze.parity import parity
from tachylite.cli.analyze.structure import structure
from tachylite.cli.analyze.transport import transport

analyze = typer.Typer(name="analyze", help="Analyse trajectories of VASP, LAMMPS, ASE, pymatgen, H5MD, our own.")
for command in (transport, structure, parity, glass, elastic):
    analyze.command()(command)
