"""`tachylite analyze parity`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tachylite.cli.options import CsvOption, FiguresOption, JsonOption, StoreOption, TypesOption, parse_types
from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.physics.structure.parity import Parity
    from tachylite.schemas.parity import DescriptorParity, DiffusivityParity, ParityReport, ParityScore

_ENGINE = "With an engine instead of B"

ReferenceArgument = Annotated[
    str,
    typer.Argument(
        metavar="A",
        help="The reference: a trajectory, or a CSV table of g(r); a folder or a 'pattern*' in quotes: one for each "
        "composition named in them.",
    ),
]
OtherArgument = Annotated[
    str | None, typer.Argument(metavar="B", help="What is judged by it: likewise. None with --engine.")
]


def parity(
    reference: ReferenceArgument,
    other: OtherArgument = None,
    species: Annotated[
        str | None,
        typer.Option("--species", help="Of two trajectories compare also diffusivities, and descriptors around this."),
    ] = None,
    timestep: Annotated[
        float | None, typer.Option("--timestep", help="Between two frames in fs, for --species.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", min=0.0, help="In K: of both trajectories, or of the references.")
    ] = None,
    smoothing: Annotated[
        float,
        typer.Option("--smoothing", min=0.0, help="Gaussian (standard deviation in Å) that tables were smoothed with."),
    ] = 0.0,
    types: TypesOption = None,
    csv: CsvOption = None,
    figures: FiguresOption = None,
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", metavar="NAME", help="Who computes B.", rich_help_panel=_ENGINE)
    ] = None,
    protocol: Annotated[
        str, typer.Option("--protocol", "-p", metavar="NAME|FILE", help="Its melt.", rich_help_panel=_ENGINE)
    ] = "zheng2024",
    formula: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMULA", help="This composition of A only; may be repeated.", rich_help_panel=_ENGINE),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Of the engine.", rich_help_panel=_ENGINE),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, rich_help_panel=_ENGINE)] = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """How well the partial g(r) of B reproduce those of A: the coefficient of determination R².

    A table has a column r (Å) and one for each pair of elements. 1 is agreement at all distances. Two folders give
    the report of a campaign; --engine computes the melts of A's compositions and reports on them.
    """
    if engine is None and (formula or option):
        raise InputError("--formula and --option are for an --engine")
    if other is None or engine is not None:
        if other is not None or engine is None:
            raise InputError("give either B or an --engine that computes it")
        from tachylite.cli.analyze.parity_engine import run_engine

        report = run_engine(
            reference, engine, option or [], protocol, formula or [], smoothing, temperature, seed, store
        )
        _show_report(report, csv, figures, as_json=as_json)
    elif _names_several(reference) or _names_several(other):
        if species is not None:
            raise InputError("--species compares two trajectories, and not folders")
        _show_report(_compare_folders(reference, other, smoothing), csv, figures, as_json=as_json)
    else:
        paths = (Path(reference), Path(other))
        _show_pair(*paths, species, timestep, temperature, smoothing, parse_types(types), csv, figures, as_json=as_json)


def _names_several(pattern: str) -> bool:
    """Whether a path or pattern stands for files of several compositions; a folder may also be one run of VASP."""
    from tachylite.readers.tables import composition_in

    folder = Path(pattern)
    return "*" in folder.name or (folder.is_dir() and any(composition_in(path) for path in folder.iterdir()))


def _compare_folders(reference: str, other: str, smoothing: float) -> ParityReport:
    from tachylite.analysis.parity_files import compare_folders, report_folders
    from tachylite.readers.tables import files_by_composition

    scores, left_out = compare_folders(files_by_composition(reference), files_by_composition(other), smoothing)
    return report_folders(reference, other, scores, left_out)


def _show_pair(
    reference: Path,
    other: Path,
    species: str | None,
    timestep: float | None,
    temperature: float | None,
    smoothing: float,
    types: Sequence[str] | None,
    csv: Path | None,
    figures: Path | None,
    *,
    as_json: bool,
) -> None:
    from dataclasses import asdict

    from tachylite.analysis.parity import make_report, score_curves
    from tachylite.analysis.parity_files import (
        check_same_state,
        compare_descriptors,
        compare_transport,
        curves_of_file,
        is_table,
    )
    from tachylite.physics.structure.parity import compare_curves

    trajectories = not (is_table(reference) or is_table(other))
    if species is not None and not (trajectories and temperature is not None):
        raise InputError("--species needs two trajectories, and their --temperature in K")
    curves = [curves_of_file(path, smoothing, types) for path in (reference, other)]
    agreement = compare_curves(*curves)
    if trajectories:
        check_same_state(reference, other, types)
    diffusivities: list[DiffusivityParity] = []
    descriptors: list[DescriptorParity] = []
    if species is not None and temperature is not None:
        diffusivities = compare_transport(reference, other, temperature, timestep, types)
        descriptors = compare_descriptors(reference, other, species, types)
    report = make_report([score_curves(other.stem, curves[0], curves[1])], str(reference), str(other))
    _write_files(report, csv, figures)
    if as_json:
        values = _without_nan(asdict(agreement))
        if species is not None:
            values["diffusivities"] = [json.loads(entry.model_dump_json()) for entry in diffusivities]
            values["descriptors"] = [json.loads(entry.model_dump_json()) for entry in descriptors]
        typer.echo(json.dumps(values, indent=2))
        return
    print_tables(_pair_table(agreement))
    if species is not None:
        print_tables(_diffusivity_table([("", diffusivities)]), _descriptor_table(descriptors))


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Replace NaN and infinities, which JSON cannot hold, by None."""
    return {
        name: _without_nan(value)
        if isinstance(value, dict)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in values.items()
    }


def _write_files(report: ParityReport, csv: Path | None, figures: Path | None) -> None:
    if csv is not None:
        from tachylite.report.csv_tables import parity_tables, write_tables

        write_tables(parity_tables(report), csv)
    if figures is not None and report.n_failed < len(report.scores):
        from tachylite.report.charts.parity import parity_charts
        from tachylite.report.pages.rendering import write_charts

        write_charts(parity_charts(report), f"{report.other} against {report.reference}", figures)


def _show_report(report: ParityReport, csv: Path | None, figures: Path | None, *, as_json: bool) -> None:
    _write_files(report, csv, figures)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    diffusivities = [(score.formula, score.diffusivities) for score in report.scores if score.diffusivities]
    tables = [_score_table(report.scores), _fraction_table(report)]
    print_tables(*tables, *([_diffusivity_table(diffusivities)] if diffusivities else []))
    if report.n_failed:
        typer.echo(f"{report.n_failed} of {len(report.scores)} have no score and count as below every threshold")
    if report.left_out:
        typer.echo(f"without a reference, and left out: {', '.join(report.left_out)}")


def _pair_table(agreement: Parity) -> Table:
    from rich.table import Table

    table = Table("pair", "R²")
    for pair, r2 in agreement.r2_by_pair.items():
        table.add_row(pair, _r2(r2, agreement.r2_error_by_pair[pair]))
    table.add_row(f"all, up to {agreement.r_max_a:g} Å", _r2(agreement.r2, agreement.r2_error))
    return table


def _score_table(scores: Sequence[ParityScore]) -> Table:
    from rich.table import Table

    from tachylite.report.text import plain_formula, quantity

    table = Table("composition", "R²", "by pair", "V (Å³/atom)", "remark")
    for score in sorted(scores, key=lambda score: score.r2.value if score.r2 else -math.inf, reverse=True):
        by_pair = ", ".join(f"{pair} {r2.value:.3f}" for pair, r2 in score.r2_by_pair.items())
        r2 = _r2(score.r2.value, score.r2.error) if score.r2 else "failed"
        volume = quantity(score.volume_a3_per_atom)
        table.add_row(plain_formula(score.formula), r2, by_pair, volume, score.reason or "")
    return table


def _fraction_table(report: ParityReport) -> Table:
    from rich.table import Table

    table = Table("R² above", "compositions", "fraction", "95 % (Wilson)")
    for above in report.fractions:
        interval = f"{100 * above.interval.low:.1f} to {100 * above.interval.high:.1f} %"
        table.add_row(f"{above.threshold:g}", f"{above.count} of {above.of}", f"{100 * above.fraction:.1f} %", interval)
    return table


def _diffusivity_table(by_formula: Sequence[tuple[str, Sequence[DiffusivityParity]]]) -> Table:
    from rich.table import Table

    from tachylite.report.text import plain_formula, quantity

    table = Table("", "D of", "reference (cm²/s)", "D (cm²/s)", "ratio", "agree")
    for formula, diffusivities in by_formula:
        for entry in diffusivities:
            agree = entry.reason or "" if entry.agree is None else "yes" if entry.agree else "no"
            table.add_row(
                plain_formula(formula),
                entry.species,
                quantity(entry.reference_cm2_s, interval=entry.reference_interval_cm2_s),
                quantity(entry.diffusivity_cm2_s, interval=entry.interval_cm2_s),
                quantity(entry.ratio, interval=entry.ratio_interval),
                agree,
            )
    return table


def _descriptor_table(descriptors: Sequence[DescriptorParity]) -> Table:
    from rich.table import Table

    from tachylite.report.text import quantity

    table = Table("descriptor", "A", "B")
    for descriptor in descriptors:
        table.add_row(descriptor.name, quantity(descriptor.reference), quantity(descriptor.value))
    return table


def _r2(value: float, error: float) -> str:
    from tachylite.report.text import quantity

    return quantity(value, error) if math.isfinite(error) else f"{value:.4f}"
