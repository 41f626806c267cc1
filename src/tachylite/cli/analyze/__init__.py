"""`tachylite analyze`: transport, structure, layers, parity, cooling, elasticity from files; more from a store."""

import typer

from tachylite.cli.analyze.composition import composition
from tachylite.cli.analyze.elastic import elastic
from tachylite.cli.analyze.glass import glass
from tachylite.cli.analyze.layers import layers
from tachylite.cli.analyze.parity import parity
from tachylite.cli.analyze.structure import structure
from tachylite.cli.analyze.transport import transport
from tachylite.cli.analyze.voltage import voltage

analyze = typer.Typer(
    name="analyze", help="Analyse trajectories of VASP, LAMMPS, ASE, pymatgen, H5MD, our own; properties of a store."
)
for command in (transport, structure, layers, parity, glass, elastic, voltage, composition):
    analyze.command()(command)
