"""`tachylite analyze`: transport and structure of a trajectory from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.query import JsonOption, print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas import Diffusivity, StructureAnalysis, Trajectory

analyze = typer.Typer(name="analyze", help="Analyse a trajectory: XDATCAR, extended XYZ, ASE or H5MD.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="XDATCAR, .extxyz, .traj (also .gz), or our own .h5.")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="In K; recorded, not used to compute.")]


@analyze.command()
def transport(
    file: File,
    species: Annotated[str, typer.Option("--species", help="Symbol of the element that moves, like Na.")],
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="In K; recorded beside the result.")],
    timestep: Annotated[
        float | None, typer.Option("--timestep", help="Time between two frames in fs; not for .h5 files.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Diffusivity of one species with its 95 % interval, or why there is none."""
    from tachylite.cli.readers import OWN, read_trajectory
    from tachylite.jobs.measure import measure_diffusivity

    if timestep is None and file.suffix not in OWN:
        raise InputError(f"trajectory {file} has no times; give the time between two frames as --timestep, in fs")
    if timestep is not None and timestep <= 0:
        raise InputError(f"--timestep {timestep:g} must be greater than 0 (fs between two frames)")
    trajectory = read_trajectory(file, timestep)
    check_species(trajectory, species, file)
    if trajectory.n_frames < 2:
        raise InputError(f"trajectory {file} has one frame; diffusion needs many")
    found = measure_diffusivity(trajectory, species, temperature)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(describe_diffusivity(found))


@analyze.command()
def structure(file: File, temperature: Temperature = None, as_json: JsonOption = False) -> None:
    """Partial g(r) of every pair, and coordination numbers up to its first minimum."""
    from tachylite.cli.readers import read_trajectory
    from tachylite.jobs.measure import measure_structure

    found = measure_structure(read_trajectory(file), temperature)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        print_tables(_pairs(found))


def check_species(trajectory: Trajectory, species: str, file: Path) -> None:
    """Raise InputError for an element that is not in the trajectory, naming those that are."""
    from ase.data import chemical_symbols

    present = sorted({chemical_symbols[number] for number in trajectory.numbers})
    if species not in present:
        raise InputError(f"there is no {species} in {file}; its elements are {', '.join(present)}")


def describe_diffusivity(found: Diffusivity) -> str:
    """Say a diffusivity in one line, or why there is none."""
    from tachylite.report.text import quantity

    where = f"D({found.species}, {found.temperature_k:g} K)"
    if found.diffusive:
        value = quantity(found.diffusivity_cm2_s, interval=found.diffusivity_interval_cm2_s, unit="cm²/s")
        return f"{where} = {value} (95 %), {found.n_independent:.0f} independent displacements"
    return f"{where} < {quantity(found.upper_bound_cm2_s, digits=2, unit='cm²/s')}: {found.reason}"


def _pairs(found: StructureAnalysis) -> Table:
    from rich.table import Table

    from tachylite.report.text import quantity

    table = Table("pair", "first peak (Å)", "first minimum (Å)", "neighbours up to it")
    for partial in found.partials:
        neighbours = "\n".join(f"{pair} {quantity(count)}" for pair, count in partial.coordination.items())
        table.add_row(partial.pair, quantity(partial.first_peak_a), quantity(partial.first_minimum_a), neighbours)
    return table
