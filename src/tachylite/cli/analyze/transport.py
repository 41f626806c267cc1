"""`tachylite analyze transport`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.analyze.options import CsvOption, FiguresOption, TypesOption, parse_types
from tachylite.cli.query import JsonOption
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.schemas import Diffusivity, Interval
    from tachylite.schemas.transport import TransportSeries

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="XDATCAR, vasprun.xml or a folder of them, .extxyz, .traj, LAMMPS dump, H5MD, JSON of pymatgen or emmet; "
        "also .gz, .bz2, .xz. Several files: one temperature each, and the law of them all.",
    ),
]


def transport(
    files: Files,
    species: Annotated[str, typer.Option("--species", help="Symbol of the element that moves, like Na.")],
    temperature: Annotated[
        list[float], typer.Option("--temperature", min=0.0, help="In K; once for every file, in their order.")
    ],
    timestep: Annotated[
        float | None,
        typer.Option(
            "--timestep",
            help="Between two frames in fs, of a LAMMPS dump between two steps; not for our .h5 files.",
        ),
    ] = None,
    charge: Annotated[
        list[str] | None,
        typer.Option("--charge", help="Charge of an ion, like Li=1; else its formal oxidation state."),
    ] = None,
    viscosity: Annotated[
        float | None, typer.Option("--viscosity", help="In Pa s; corrects a liquid for the size of the cell.")
    ] = None,
    types: TypesOption = None,
    csv: CsvOption = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Diffusivity of one species with its 95 % interval, or why there is none; conductivity and Haven ratio.

    Several files at different temperatures give an Arrhenius and, where it is determined, a VFT law; several sizes at
    one temperature the diffusivity of a cell without end.
    """
    from tachylite.analysis.laws import combine_transport
    from tachylite.analysis.transport import measure_transport
    from tachylite.readers import open_trajectory

    if len(temperature) != len(files):
        raise InputError(f"{len(files)} files, {len(temperature)} temperatures; give --temperature once for each file")
    charges = parse_charges(charge or [])
    found = []
    for file, kelvin in zip(files, temperature, strict=True):
        frames = open_trajectory(file, timestep, parse_types(types))
        if not frames.has_times:
            raise InputError(f"trajectory {file} has no times; give the time between two frames as --timestep, in fs")
        found.append(measure_transport(frames, species, kelvin, charges, viscosity))
    _write(found, csv, figures)
    document = found[0] if len(found) == 1 else combine_transport(found)
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
        return
    for one in found:
        typer.echo("\n".join(describe_transport(one)))
    if len(found) > 1:
        typer.echo("\n".join(describe_series(combine_transport(found))))


def _write(found: Sequence[Diffusivity], csv: Path | None, figures: Path | None) -> None:
    if csv is not None:
        from tachylite.report.csv_tables import write_tables
        from tachylite.report.transport_tables import transport_tables

        write_tables(transport_tables(found), csv)
    if figures is not None:
        from tachylite.analysis.laws import activation
        from tachylite.report.charts import arrhenius, mean_squared_displacement
        from tachylite.report.pages.charts import write_charts

        species = found[0].species
        charts = [mean_squared_displacement(found, [species])]
        if len({one.temperature_k for one in found}) > 1:
            charts.append(arrhenius(found, [activation(species, found)], [species]))
        write_charts(charts, f"Transport of {species}", figures)


def parse_charges(words: Sequence[str]) -> dict[str, float]:
    """Charges from `Li=1`; InputError for words of another form."""
    charges = {}
    for word in words:
        element, _, value = word.partition("=")
        try:
            charges[element] = float(value)
        except ValueError:
            raise InputError(f"--charge {word!r} is not ELEMENT=CHARGE, like Li=1 or O=-2") from None
    return charges


def describe_transport(found: Diffusivity) -> list[str]:
    """Say a diffusivity in one line, or why there is none, and what follows from it in a line each."""
    from tachylite.report.text import quantity

    where = f"({found.species}, {found.temperature_k:g} K)"
    lines = []
    if found.diffusive:
        value = quantity(found.diffusivity_cm2_s, interval=found.diffusivity_interval_cm2_s, unit="cm²/s")
        lines.append(f"D{where} = {value} (95 %), {found.n_independent:.0f} independent displacements")
    else:
        bound = quantity(found.upper_bound_cm2_s, digits=2, unit="cm²/s")
        lines.append(f"D{where} < {bound}: {found.reason}")
    together, ionic, size = found.collective, found.conductivity, found.finite_size
    if together is not None and together.haven_ratio is not None:
        lines.append(f"Haven ratio{where} = {_with(together.haven_ratio, together.haven_ratio_interval)}")
    if ionic is not None and ionic.nernst_einstein_s_cm is not None:
        value = _with(ionic.nernst_einstein_s_cm, ionic.nernst_einstein_interval_s_cm, "S/cm")
        charge = f"charge {ionic.charge:+g}, {ionic.charge_source}"
        lines.append(f"Nernst-Einstein conductivity{where} = {value} ({charge})")
    if size is not None and size.corrected_cm2_s is not None:
        lines.append(f"D{where} of a cell without end: {quantity(size.corrected_cm2_s, digits=3, unit='cm²/s')}")
    return lines


def describe_series(series: TransportSeries) -> list[str]:
    """Say the laws over several trajectories, a line each, or why there is none."""
    from tachylite.report.text import quantity

    lines = [] if series.reason is None else [series.reason]
    if (line := series.arrhenius) is not None:
        room = _with(line.extrapolated_300k_cm2_s, line.extrapolated_300k_interval_cm2_s, "cm²/s")
        lines.append(f"Ea({series.species}) = {quantity(line.activation_energy_ev, unit='eV')}")
        lines.append(f"D({series.species}, 300 K) = {room} by extrapolation (95 %)")
    if (law := series.vft) is not None:
        if law.determined:
            lines.append(f"VFT: T0 = {quantity(law.t0_k, unit='K')}, B = {quantity(law.b_k, unit='K')}")
        else:
            lines.append(f"VFT: {law.reason}")
    if (size := series.size) is not None:
        lines.append(f"D({series.species}) of a cell without end: {quantity(size.diffusivity_cm2_s, unit='cm²/s')}")
    return lines


def _with(value: float, interval: Interval | None, unit: str = "") -> str:
    from tachylite.report.text import quantity

    return quantity(value, interval=interval, unit=unit)
