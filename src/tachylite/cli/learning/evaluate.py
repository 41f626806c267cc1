"""`tachylite evaluate`: errors of an engine against frames labelled with energies and forces."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import EngineOption, EngineSettings, JsonOption, ReportOption, parse_options
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas.evaluation import Evaluation

_MOST_ELEMENTS = 12
"""Up to which each has a line in the table; JSON has them all."""


def evaluate(
    frames: Annotated[
        Path,
        typer.Argument(
            metavar="FRAMES", help="Extended XYZ with energy= (eV), forces (eV/Å) and, where known, stress= (eV/Å³)."
        ),
    ],
    engine: EngineOption = "chgnet",
    option: EngineSettings = None,
    at_most: Annotated[
        int | None,
        typer.Option("--at-most", min=1, metavar="N", help="Compare only N frames, evenly spread over the file."),
    ] = None,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Errors of an engine's energies, forces and stresses against labelled frames, like those a potential learns from.

    Energies are compared as they are, and after fitting one energy per element to the differences, as methods take
    different zeros. Standard errors are by bootstrap over frames.
    """
    import sys

    with redirect_stdout(sys.stderr):
        evaluation = _evaluate(frames, engine, option or [], at_most, report)
    if as_json:
        typer.echo(evaluation.model_dump_json(indent=2))
        return
    print_tables(_table(evaluation))
    if evaluation.n_failed:
        failures = "; ".join(evaluation.reasons)
        typer.echo(f"{evaluation.n_failed} frames could not be computed and are left out: {failures}")


def _evaluate(frames: Path, engine: str, options: list[str], at_most: int | None, report: Path | None) -> Evaluation:
    from tachylite.analysis.evaluation import evaluate as compare
    from tachylite.engines import get_engine
    from tachylite.engines.single_points import compute_single_points
    from tachylite.engines.workdir import shared_workdir
    from tachylite.readers.labels import read_labelled_frames

    forces = get_engine(engine, **parse_options(options))
    labelled = read_labelled_frames(frames, at_most)
    forces.check_elements(sorted({symbol for frame in labelled for symbol in frame.state.elements}))
    points = compute_single_points(forces, [frame.state for frame in labelled], shared_workdir())
    evaluation = compare(labelled, points, str(frames)).model_copy(update={"provenance": forces.provenance()})
    if report is not None:
        from tachylite.report.charts.potential import label_parity
        from tachylite.report.pages.rendering import write_charts

        write_charts([label_parity(labelled, points)], f"{engine} against {frames.name}", report)
    return evaluation


def _table(evaluation: Evaluation) -> Table:
    from rich.table import Table

    from tachylite.report.text import quantity

    model = evaluation.provenance.model if evaluation.provenance else ""
    title = f"{model}: {evaluation.n_frames} frames, {evaluation.n_atoms} atoms of {evaluation.source}"
    table = Table("error", "value", "unit", title=title, title_justify="left")
    rows = [
        ("energy, mean absolute", "energy_mae_ev_per_atom", 1e3, "meV/atom"),
        ("energy, one shift per element", "energy_mae_shifted_ev_per_atom", 1e3, "meV/atom"),
        ("force component, mean absolute", "force_mae_ev_a", 1e3, "meV/Å"),
        ("force component, root mean square", "force_rmse_ev_a", 1e3, "meV/Å"),
        ("stress component, mean absolute", "stress_mae_gpa", 1.0, "GPa"),
    ]
    for label, name, factor, unit in rows:
        value, error = getattr(evaluation, name), evaluation.errors.get(name)
        if value is not None:
            table.add_row(label, quantity(factor * value, None if error is None else factor * error), unit)
    if len(evaluation.force_mae_by_element_ev_a) <= _MOST_ELEMENTS:
        for symbol, value in evaluation.force_mae_by_element_ev_a.items():
            table.add_row(f"force component on {symbol}", quantity(1e3 * value), "meV/Å")
    table.add_row("mean force component, for comparison", quantity(1e3 * evaluation.force_mean_ev_a), "meV/Å")
    return table
