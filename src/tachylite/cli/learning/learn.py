"""`tachylite learn`: train a model on a table or on the materials of a store."""

from __future__ import annotations

import functools
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tachylite.cli.options import (
    CampaignFilter,
    EngineFilter,
    JsonOption,
    ProtocolFilter,
    ReportOption,
    StoreOption,
    WhereFilter,
    open_existing,
)
from tachylite.cli.output import log_to_stderr, print_page_tables
from tachylite.cli.working import check_writable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.flows.learning import LearningMaker
    from tachylite.learning.model_file import SavedModel
    from tachylite.schemas.learning import Model
    from tachylite.stores.queries import MaterialFilter


def learn(
    table: Annotated[
        Path | None,
        typer.Argument(metavar="[TABLE]", help="A published table, CSV or .parquet. Default: the store."),
    ] = None,
    target: Annotated[str, typer.Option("--target", help="D, or a column of the table.")] = "D",
    species: Annotated[str, typer.Option("--species", help="Symbol of the mobile element.")] = "Li",
    learner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="gp, boosting, forest, boosting-zheng2024, forest-zheng2024; may be repeated. "
            "Default: gp (beyond 2000 rows: boosting) and both published ones.",
        ),
    ] = None,
    without: Annotated[
        str | None, typer.Option("--without", metavar="NAME,NAME", help="Descriptors to leave out.")
    ] = None,
    convention: Annotated[
        Literal["exact", "zheng2024"],
        typer.Option("--convention", help="Arithmetic of the descriptors; the published table knows its own."),
    ] = "exact",
    engine: EngineFilter = None,
    protocol: ProtocolFilter = None,
    campaign: CampaignFilter = None,
    where: WhereFilter = None,
    store: StoreOption = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the model goes.")] = Path("model.npz"),
    dataset: Annotated[
        Path | None, typer.Option("--dataset", metavar="FILE", help="Freeze the table here, as .parquet.")
    ] = None,
    formulas: Annotated[
        Path | None, typer.Option("--formulas", metavar="FILE", help="Let SISSO find formulas, and keep them here.")
    ] = None,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn a property from a table of descriptors, say how well, and keep the model.

    Every learner is scored on compositions it has not seen, on chemical systems it has not seen, and on rows drawn at
    random as published; the one with the least error on new compositions is kept.
    """
    from tachylite.learning.learners import get_learner

    names = [get_learner(name).name for name in learner or ()]
    left_out = [name.strip() for name in without.split(",")] if without else []
    if table is None and target != "D":
        raise InputError("--target is for tables; a store gives D")
    with redirect_stdout(sys.stderr):
        from tachylite.learning.dataset import save_dataset
        from tachylite.learning.tables import read_dataset
        from tachylite.learning.training import train

        rows = None
        if table is not None:
            rows = read_dataset(table, target=target, species=species, convention=convention, without=left_out)
        files = (out, formulas, dataset)
        for folder in (*(file.absolute().parent for file in files if file), *([report] if report else [])):
            check_writable(folder)
        if rows is not None:
            if dataset is not None:
                save_dataset(rows, dataset)
            log = functools.partial(typer.echo, err=True)
            saved = train(rows, names, symbolic_regression=formulas is not None, log=log)
        else:
            from tachylite.flows.learning import LearningMaker

            filters: MaterialFilter = {
                "engine": engine,
                "protocol": protocol,
                "campaign": campaign,
                "where": where or (),
            }
            maker = LearningMaker(
                species=species,
                learners=names,
                without=left_out,
                convention=convention,
                symbolic_regression=formulas is not None,
            )
            saved = _learn_from_store(store, maker, dataset, filters)
        pages = _write_files(saved, out, formulas, report)
    if as_json:
        typer.echo(json.dumps(json.loads(saved.card.model_dump_json()), indent=2))
    else:
        _show(saved.card)
    for line in (f"model: {out}", *(f"report: {page}" for page in pages)):
        typer.echo(line, err=as_json)


def _learn_from_store(
    store: Path | None, maker: LearningMaker, dataset: Path | None, filters: MaterialFilter
) -> SavedModel:
    from rich.console import Console

    from tachylite.cli.progress import shown_progress
    from tachylite.flows.learning import run_learning
    from tachylite.learning.dataset import dataset_from_bytes, save_dataset
    from tachylite.stores.queries import load_dataset_file

    opened = open_existing(store)
    if opened is None:
        raise InputError("there is no store to learn from; give a table, or a store with --store")
    try:
        with shown_progress(Console(file=sys.stderr)), log_to_stderr("tachylite.jobs.learning"):
            saved = run_learning(maker, opened, **filters)
        if dataset is not None:
            frozen = load_dataset_file(opened, saved.card.data.fingerprint)
            save_dataset(dataset_from_bytes(frozen, "the table"), dataset)
        return saved
    finally:
        opened.close()


def _write_files(saved: SavedModel, out: Path, formulas: Path | None, report: Path | None) -> list[Path]:
    from tachylite.learning.formulas import sisso_models
    from tachylite.learning.model_file import save_model
    from tachylite.learning.sisso import save_models

    save_model(saved, out)
    if formulas is not None:
        save_models(sisso_models(saved.card.formulas), formulas)
    if report is None:
        return []
    from tachylite.report.pages.model import write_model_report

    return [write_model_report(saved.card, report)]


def _show(model: Model) -> None:
    from tachylite.report.pages.model import coverage_table, formula_table, scores_table

    data = model.data
    typer.echo(
        f"{data.target} of {data.species} from {data.source}: {data.rows} rows, {data.compositions} compositions, "
        f"{data.chemical_systems} chemical systems; kept {model.learner}, id {model.model_id}"
    )
    for failure in model.skipped:
        typer.echo(f"no row: {failure.stage}: {failure.reason}", err=True)
    print_page_tables(scores_table(model), coverage_table(model), *([formula_table(model)] if model.formulas else []))
