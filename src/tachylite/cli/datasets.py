"""`tachylite datasets`: published tables, structures and potentials, fetched once and checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tachylite.cli.options import JsonOption
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from tachylite.configs.datasets import PublishedDataset


def datasets(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Fetch these. Default: none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List published data sets with licence and citation, or fetch some of them.

    They are kept in the user's cache. TACHYLITE_DATA names a folder that has them already: nothing is fetched then.
    """
    from tachylite.configs.datasets import dataset_names, load_dataset
    from tachylite.configs.fetching import fetch_dataset

    chosen = [load_dataset(name) for name in names or dataset_names()]
    for dataset in chosen if names else ():
        folder = fetch_dataset(dataset.name, tell=lambda line: typer.echo(line, err=True))
        if not as_json:
            typer.echo(f"{folder}\n  licence: {dataset.licence}\n  cite: {_citation(dataset)}")
    if as_json:
        typer.echo(json.dumps([_record(dataset) for dataset in chosen], indent=2))
    elif not names:
        _print_list(chosen)


def _record(dataset: PublishedDataset) -> dict[str, Any]:
    from tachylite.configs.datasets import data_folder, state_of

    return {
        "name": dataset.name,
        "title": dataset.title,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "doi": dataset.doi,
        "source": dataset.source,
        "note": dataset.note,
        "size_bytes": dataset.size,
        "files": len(dataset.files),
        "folder": str(data_folder() / dataset.folder),
        "state": state_of(dataset),
        "public": dataset.is_public,
    }


def _print_list(chosen: list[PublishedDataset]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    from tachylite.configs.datasets import state_of

    what, cite = Column("what it is", max_width=40), Column("cite", max_width=60, overflow="fold")
    table = Table("name", what, "MB", "licence", cite, "here", show_lines=True)
    answers = {"here": "yes", "excerpt": "yes, an excerpt", "incomplete": "in part", "absent": "no"}
    for dataset in chosen:
        state = state_of(dataset)
        here = "no, and not public" if state == "absent" and not dataset.is_public else answers[state]
        cells = (dataset.title, f"{dataset.size / 1e6:.2f}", dataset.licence, _citation(dataset), here)
        table.add_row(dataset.name, *map(escape, cells))
    print_tables(table)
    typer.echo("`tachylite datasets NAME...` fetches; --json says more: sources, folders, and what differs from them")


def _citation(dataset: PublishedDataset) -> str:
    where = f"https://doi.org/{dataset.doi}" if dataset.doi else dataset.source
    return f"{dataset.citation}, {where}" if where else dataset.citation
