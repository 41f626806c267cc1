"""`tachylite analyze elastic`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import EngineOption, EngineSettings, JsonOption, parse_options
from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas import State
    from tachylite.schemas.glass import Elasticity


def elastic(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A structure: POSCAR, CIF, .extxyz; its last frame.")],
    engine: EngineOption = "chgnet",
    option: EngineSettings = None,
    strain: Annotated[
        float, typer.Option("--strain", min=1e-5, max=0.05, help="Of each step, forth and back.")
    ] = 0.005,
    as_json: JsonOption = False,
) -> None:
    """Elastic constants of a structure by small strains, and Young's modulus and Poisson ratio over all directions.

    The structure is relaxed with its cell first, and its atoms again under every strain.
    """
    state = _read_structure(file)
    with redirect_stdout(sys.stderr):  # what libraries print while they load must not stand in the JSON
        from tachylite.engines import get_engine
        from tachylite.engines.elasticity import measure_elasticity
        from tachylite.engines.workdir import current_workdir

        forces = get_engine(engine, **parse_options(option or []))
        forces.check_elements(state.elements)
        folder = current_workdir()
        (relaxed,) = forces.relax([state], folder, relax_cell=True, labels=[file.name])
        if relaxed.status == "failed":
            raise InputError(f"{file} does not relax: {relaxed.reason}; elastic constants need a structure at rest")
        elasticity = measure_elasticity(forces, relaxed.state, folder, strain)
    if as_json:
        typer.echo(elasticity.model_dump_json(indent=2))
    else:
        print_tables(*_tables(elasticity))


def _read_structure(file: Path) -> State:
    from ase.io import read

    from tachylite.schemas import State

    try:
        atoms = read(file)
    except Exception as error:  # every parser fails in its own way
        raise InputError(f"structure {file} cannot be read: {' '.join(str(error).split()) or error!r}") from None
    assert not isinstance(atoms, list)  # noqa: S101 - for the type checker: ASE reads one structure unless told otherwise
    state = State.from_atoms(atoms)
    if state.volume_a3 < 1e-6:
        raise InputError(f"structure {file} has no periodic cell; elastic constants need one")
    return state


def _tables(elasticity: Elasticity) -> list[Table]:
    from rich.table import Table

    from tachylite.report.glass import elasticity_rows

    moduli = Table("quantity", "value", "from")
    for row in elasticity_rows(elasticity):
        moduli.add_row(row.label, row.value, row.note)
    constants = Table("C (GPa)", "xx", "yy", "zz", "yz", "xz", "xy")
    for name, values in zip(("xx", "yy", "zz", "yz", "xz", "xy"), elasticity.constants_gpa or [], strict=False):
        constants.add_row(name, *(f"{value:.2f}" for value in values))
    return [moduli, constants] if constants.row_count else [moduli]
