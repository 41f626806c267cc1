"""`tachylite analyze transport`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import CsvOption, FiguresOption, JsonOption, TypesOption, parse_types
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.schemas import Diffusivity, Interval
    from tachylite.schemas.transport import TransportSeries

TrajectoryFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="XDATCAR, vasprun.xml or a folder of them, .extxyz, .traj, LAMMPS dump, H5MD, JSON of pymatgen or emmet; "
        "also .gz, .bz2, .xz. Several files: one temperature each, and the law of them all.",
    ),
]


def transport(
    files: TrajectoryFiles,
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
    one temperature the diffusivity of an infinite cell.
    """
    from tachylite.analysis.laws import combine_transport
    from tachylite.analysis.transport import measure_transport
    from tachylite.readers import open_trajectory

    if len(temperature) != len(files):
        raise InputError(f"{len(files)} files, {len(temperature)} temperatures; give --temperature once for each file")
    charges = _parse_charges(charge or [])
    diffusivities = []
    for file, kelvin in zip(files, temperature, strict=True):
        frames = open_trajectory(file, timestep, parse_types(types))
        if not frames.has_times:
            raise InputError(f"trajectory {file} has no times; give the time between two frames as --timestep, in fs")
        diffusivities.append(measure_transport(frames, species, kelvin, charges, viscosity))
    _write_files(diffusivities, csv, figures)
    series = combine_transport(diffusivities) if len(diffusivities) > 1 else None
    if as_json:
        typer.echo((series or diffusivities[0]).model_dump_json(indent=2))
        return
    for diffusivity in diffusivities:
        typer.echo("\n".join(_describe_transport(diffusivity)))
    if series is not None:
        typer.echo("\n".join(_describe_series(series)))


def _write_files(diffusivities: Sequence[Diffusivity], csv: Path | None, figures: Path | None) -> None:
    if csv is not None:
        from tachylite.report.csv_tables import transport_tables, write_tables

        write_tables(transport_tables(diffusivities), csv)
    if figures is not None:
        from tachylite.analysis.laws import activation
        from tachylite.report.charts import arrhenius, mean_squared_displacement
        from tachylite.report.pages.rendering import write_charts

        species = diffusivities[0].species
        charts = [mean_squared_displacement(diffusivities, [species])]
        if len({entry.temperature_k for entry in diffusivities}) > 1:
            law = activation(species, diffusivities)
            charts.append(arrhenius(diffusivities, [law], [species]))
        write_charts(charts, f"Transport of {species}", figures)


def _parse_charges(words: Sequence[str]) -> dict[str, float]:
    """Charges from `Li=1`; InputError for words of another form."""
    charges = {}
    for word in words:
        element, _, value = word.partition("=")
        try:
            charges[element] = float(value)
        except ValueError:
            raise InputError(f"--charge {word!r} is not ELEMENT=CHARGE, like Li=1 or O=-2") from None
    return charges


def _describe_transport(diffusivity: Diffusivity) -> list[str]:
    """Lines with a diffusivity, or why there is none, and with Haven ratio, conductivity and finite-size value."""
    from tachylite.report.text import quantity

    where = f"({diffusivity.species}, {diffusivity.temperature_k:g} K)"
    lines = []
    if diffusivity.diffusive:
        value = quantity(diffusivity.diffusivity_cm2_s, interval=diffusivity.diffusivity_interval_cm2_s, unit="cm²/s")
        lines.append(f"D{where} = {value} (95 %), {diffusivity.n_independent:.0f} independent displacements")
    else:
        bound = quantity(diffusivity.upper_bound_cm2_s, digits=2, unit="cm²/s")
        lines.append(f"D{where} < {bound}: {diffusivity.reason}")
    collective, ionic, size = diffusivity.collective, diffusivity.conductivity, diffusivity.finite_size
    if collective is not None and collective.haven_ratio is not None:
        lines.append(f"Haven ratio{where} = {_with_interval(collective.haven_ratio, collective.haven_ratio_interval)}")
    if ionic is not None and ionic.nernst_einstein_s_cm is not None:
        value = _with_interval(ionic.nernst_einstein_s_cm, ionic.nernst_einstein_interval_s_cm, "S/cm")
        charge = f"charge {ionic.charge:+g}, {ionic.charge_source}"
        lines.append(f"Nernst-Einstein conductivity{where} = {value} ({charge})")
    if ionic is not None and ionic.collective_s_cm is not None:
        value = _with_interval(ionic.collective_s_cm, ionic.collective_interval_s_cm, "S/cm")
        lines.append(f"collective conductivity{where} = {value}")
    if size is not None and size.corrected_cm2_s is not None:
        lines.append(f"D{where} of an infinite cell: {quantity(size.corrected_cm2_s, digits=3, unit='cm²/s')}")
    return lines


def _describe_series(series: TransportSeries) -> list[str]:
    """Lines with the laws over several trajectories, or why there is none."""
    from tachylite.report.text import quantity

    lines = [] if series.reason is None else [series.reason]
    if (line := series.arrhenius) is not None:
        lines.append(f"Ea({series.species}) = {quantity(line.activation_energy_ev, unit='eV')}")
        room, interval = line.extrapolated_300k_cm2_s, line.extrapolated_300k_interval_cm2_s
        lines.append(_at_room(f"D({series.species}, 300 K)", room, interval, "cm²/s", line.extrapolation_remark))
    for name, law in (
        ("Nernst-Einstein conductivity", series.conductivity),
        ("collective conductivity", series.collective_conductivity),
    ):
        if law is not None:
            room, interval = law.extrapolated_300k_s_cm, law.extrapolated_300k_interval_s_cm
            lines.append(_at_room(f"{name}({series.species}, 300 K)", room, interval, "S/cm", law.extrapolation_remark))
    if (vft := series.vft) is not None:
        if vft.determined:
            lines.append(f"VFT: T0 = {quantity(vft.t0_k, unit='K')}, B = {quantity(vft.b_k, unit='K')}")
        else:
            lines.append(f"VFT: {vft.reason}")
    if (size := series.size) is not None:
        lines.append(f"D({series.species}) of an infinite cell: {quantity(size.diffusivity_cm2_s, unit='cm²/s')}")
    return lines


def _at_room(name: str, value: float | None, interval: Interval | None, unit: str, remark: str | None) -> str:
    """A line with a value extrapolated to 300 K, or why there is none."""
    if value is None:
        return f"{name}: {remark}"
    return f"{name} = {_with_interval(value, interval, unit)} by extrapolation (95 %){f'; {remark}' if remark else ''}"


def _with_interval(value: float, interval: Interval | None, unit: str = "") -> str:
    from tachylite.report.text import quantity

    return quantity(value, interval=interval, unit=unit)
