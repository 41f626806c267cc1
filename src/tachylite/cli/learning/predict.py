"""`tachylite predict`: predict structures, trajectories and formulas with a model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import JsonOption, StoreOption, open_existing, parse_options
from tachylite.cli.output import log_to_file, print_tables
from tachylite.cli.working import check_writable, default_workdir, resumable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.learning.model_file import SavedModel
    from tachylite.schemas import Failure
    from tachylite.schemas.learning import Prediction


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="FORMULA|FILE...", help="Structures or trajectories; a formula is melted first."),
    ],
    temperature: Annotated[
        float | None, typer.Option("--temperature", "-T", metavar="K", help="Of the prediction of a diffusivity.")
    ] = None,
    crystal_property: Annotated[
        str | None,
        typer.Option(
            "--property",
            metavar="NAME|FILE",
            help="Of crystals, by a model that comes with the package, amorphization-enthalpy, or one in a file. The "
            "crystals may be JSON lines or folders, too.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="FILE|ID", help="Made by `tachylite learn`, or its id in the store.")
    ] = "model.npz",
    engine: Annotated[str, typer.Option("--engine", "-e", metavar="NAME", help="Melts formulas.")] = "chgnet",
    protocol: Annotated[
        str, typer.Option("--protocol", "-p", metavar="NAME|FILE", help="How they are melted.")
    ] = "quickstart",
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Of the engine.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    store: StoreOption = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", metavar="DIR", help="With --property: a table and a page here.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Predict structures with a model, with 95 % intervals, and warn of those unlike what it has learned from.

    A file is described as it is. A formula is packed, melted with the engine and brought to the temperature by the
    protocol, then described. Interrupted or terminated, the same command goes on from its checkpoints.

    Exit codes: 0 everything was predicted; 1 a formula failed; 2 bad input; 130 interrupted; 143 terminated.
    """
    if crystal_property is not None:
        from tachylite.cli.learning.crystal_property import predict_property

        predict_property(crystal_property, inputs, report, as_json=as_json)
        return
    if temperature is None:
        raise InputError("a diffusivity needs --temperature K; or give --property amorphization-enthalpy")
    from tachylite.schemas import Failure

    saved = _load_model(model, store)
    files = [Path(text) for text in inputs if Path(text).exists()]
    formulas = [_check_formula(text) for text in inputs if not Path(text).exists()]
    answers: list[Prediction | Failure] = [_predict_file(saved, file, temperature) for file in files]
    if formulas:
        options = parse_options(option or [])
        answers += _predict_formulas(saved, formulas, temperature, engine, protocol, options, seed, store)
    if as_json:
        typer.echo(json.dumps([json.loads(answer.model_dump_json()) for answer in answers], indent=2))
    else:
        _show(answers)
    if any(isinstance(answer, Failure) for answer in answers):
        raise typer.Exit(1)


def _load_model(name: str, store: Path | None) -> SavedModel:
    """Load a model from a file; where there is none of this name, from the store."""
    from tachylite.learning.model_file import from_bytes, load_model
    from tachylite.stores.queries import load_model_file

    opened = None if Path(name).exists() else open_existing(store)
    if opened is None:
        return load_model(Path(name))
    try:
        return from_bytes(load_model_file(opened, name), f"model {name}")
    finally:
        opened.close()


def _check_formula(text: str) -> str:
    from tachylite.physics.composition import parse_formula

    try:
        parse_formula(text)
    except InputError as error:
        raise InputError(f"'{text}' is no file that exists, and no formula: {error}") from None
    return text


def _predict_file(saved: SavedModel, file: Path, temperature: float) -> Prediction:
    from tachylite.analysis.file_descriptors import compute_file_descriptors
    from tachylite.schemas.run import reduced_formula

    data = saved.card.data
    descriptors = compute_file_descriptors(file, data.species, None, data.convention)
    formula = reduced_formula(descriptors.counts)
    return saved.predict(temperature, descriptors.means, formula, source=str(file), n_frames=descriptors.n_frames)


def _predict_formulas(
    saved: SavedModel,
    formulas: Sequence[str],
    temperature: float,
    engine: str,
    protocol: str,
    options: dict[str, object],
    seed: int,
    store: Path | None,
) -> list[Prediction | Failure]:
    with redirect_stdout(sys.stderr):
        from rich.console import Console

        from tachylite.cli.campaigns.plan import check_program, make_plan
        from tachylite.cli.progress import shown_progress
        from tachylite.flows.learning import PredictionMaker, run_prediction
        from tachylite.stores import open_store

        plan = make_plan(formulas, protocol, engine, seed=seed, options=options)
        species = saved.card.data.species
        lacking = [member.start.title for member in plan.members if species not in member.elements]
        if lacking:
            raise InputError(f"there is no {species} in {', '.join(lacking)}; the model predicts {species} only")
        check_program(plan.engine)
        job_store = open_store(store)
        folder = default_workdir(job_store)
        check_writable(folder)
        maker = PredictionMaker(model=saved, engine=plan.engine, protocol=plan.protocol, seed=seed)
        try:
            with resumable(folder), shown_progress(Console(file=sys.stderr)), log_to_file(folder / "tachylite.log"):
                return run_prediction(formulas, temperature, maker, store=job_store, workdir=folder)
        finally:
            job_store.close()


def _show(answers: Sequence[Prediction | Failure]) -> None:
    from rich.table import Table

    from tachylite.report.text import ABSENT, plain_formula, quantity
    from tachylite.schemas import Failure

    predictions = [answer for answer in answers if not isinstance(answer, Failure)]
    if predictions:
        target, unit = predictions[0].target, predictions[0].unit.replace("^2", "²")
        table = Table("input", "formula", "T (K)", f"{target} ({unit})", f"same run ({unit})", "distance / limit")
        for prediction in predictions:
            run = prediction.simulated
            known = run is not None and run.diffusivity_cm2_s is not None
            table.add_row(
                prediction.source,
                plain_formula(prediction.formula),
                f"{prediction.temperature_k:g}",
                quantity(prediction.value, interval=prediction.interval, digits=3),
                quantity(run.diffusivity_cm2_s, interval=run.diffusivity_interval_cm2_s)
                if run is not None and known
                else ABSENT,
                f"{prediction.distance:.2f} / {prediction.threshold:.2f}",
            )
        print_tables(table)
    for prediction in predictions:
        for warning in prediction.warnings:
            typer.echo(f"unlike the training set: {prediction.formula}: {warning}", err=True)
    for answer in answers:
        if isinstance(answer, Failure):
            typer.echo(f"failed: {answer.stage}: {answer.reason}", err=True)
