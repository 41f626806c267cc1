"""`tachylite predict --property`: a property of crystals from their structures, by a model that ships or a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tachylite.cli.output import print_tables
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from tachylite.learning.crystals.model import CrystalPropertyModel
    from tachylite.schemas import State
    from tachylite.schemas.crystal_property import CrystalPrediction

_ENOUGH_FOR_EFFECTS = 200
"""Crystals, of fewer the effects of a composition are not told from chance."""

_MOST_ROWS = 40
"""Of the table in the terminal."""


def predict_property(name: str, files: Sequence[str], report: Path | None, *, as_json: bool) -> None:
    """Predict all crystals of files and folders, and exit with 1 where some could not be read or asked about."""
    with redirect_stdout(sys.stderr):
        from tachylite.learning.dataset import optional_import

        with optional_import("e3nn"):
            from tachylite.learning.crystals.model import find_crystal_model

        crystals = _read(files)
        model = find_crystal_model(name)
        predictions = _predict(model, crystals)
        if report is not None:
            _write(model, predictions, report)
    without = [prediction for prediction in predictions if prediction.value_ev_per_atom is None]
    if as_json:
        typer.echo(json.dumps([json.loads(prediction.model_dump_json()) for prediction in predictions], indent=2))
    else:
        _show(model, predictions)
    for prediction in without:
        typer.echo(f"no value: {prediction.file}: {prediction.warning}", err=True)
    if without:
        raise typer.Exit(1)


def _read(files: Sequence[str]) -> list[tuple[str, State | InputError]]:
    from tachylite.readers.crystals import read_each_crystal

    with _progress() as progress:
        every = (crystal for file in files for crystal in read_each_crystal(Path(file)))
        crystals = list(progress.track(every, description="crystals read"))
    errors = [crystal for _, crystal in crystals if isinstance(crystal, InputError)]
    if len(errors) == len(crystals):
        raise errors[0]
    return crystals


def _predict(
    model: CrystalPropertyModel, crystals: Sequence[tuple[str, State | InputError]]
) -> list[CrystalPrediction]:
    from tachylite.schemas import State
    from tachylite.schemas.crystal_property import CrystalPrediction

    readable = [(name, crystal) for name, crystal in crystals if isinstance(crystal, State)]
    with _progress() as progress:
        task = progress.add_task("crystals predicted", total=len(readable))
        predicted = iter(
            model.predict(
                [state for _, state in readable],
                [name for name, _ in readable],
                lambda done: progress.update(task, completed=done),
            )
        )
    return [
        CrystalPrediction.without_value(name, None, str(crystal))
        if isinstance(crystal, InputError)
        else next(predicted)
        for name, crystal in crystals
    ]


def _progress() -> Progress:
    """A bar on a terminal, with how many are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty())


def _write(model: CrystalPropertyModel, predictions: Sequence[CrystalPrediction], folder: Path) -> None:
    """The page, with the effects in what is like the training set where that is much."""
    import numpy as np

    from tachylite.learning.crystals.effects import find_effects
    from tachylite.physics.composition import parse_formula
    from tachylite.report.pages.crystal_property import write_crystal_page

    values = {prediction: prediction.value_ev_per_atom for prediction in predictions if prediction.warning is None}
    fractions = [parse_formula(prediction.formula or "").fractions for prediction in values]
    systems = np.array(["-".join(sorted(own)) for own in fractions])
    many = len(systems) >= _ENOUGH_FOR_EFFECTS
    effects = find_effects(fractions, np.array([*values.values()], dtype=float), systems) if many else []
    typer.echo(f"written: {write_crystal_page(model.card, predictions, effects, folder)}", err=True)


def _show(model: CrystalPropertyModel, predictions: Sequence[CrystalPrediction]) -> None:
    from rich.table import Table

    from tachylite.report.text import plain_formula, quantity

    card = model.card
    table = Table("crystal", "formula", f"{card.quantity} ({card.unit})", "warning")
    valued = [prediction for prediction in predictions if prediction.value_ev_per_atom is not None]
    for prediction in valued[:_MOST_ROWS]:
        value = quantity(prediction.value_ev_per_atom, interval=prediction.interval_ev_per_atom, digits=3)
        table.add_row(prediction.file, plain_formula(prediction.formula or ""), value, prediction.warning or "")
    print_tables(table)
    if len(valued) > _MOST_ROWS:
        typer.echo(f"and {len(valued) - _MOST_ROWS} more; --json or --report DIR has all")
    error = quantity(card.score.mae, unit=card.unit)
    typer.echo(f"On chemical systems it has not seen, the model is off by {error}.")
