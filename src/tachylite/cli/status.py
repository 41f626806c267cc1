"""`tachylite status`: how far the work in a store is, and what failed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from tachylite.cli.query import NOTHING_YET, JsonOption, StoreOption, open_existing, print_tables

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas import Material
    from tachylite.stores import Stage


def status(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Count materials by status, name every failure with its reason, and count stored jobs, newest first."""
    from tachylite.stores import find_materials, find_stages

    materials: list[Material] = []
    stages: list[Stage] = []
    opened = open_existing(store)
    if opened is not None:
        materials, stages = find_materials(opened), find_stages(opened)
        opened.close()
    counts: Counter[str] = Counter(material.status for material in materials)
    if as_json:
        content = {"materials": counts, "failures": _failures(materials), "jobs": [asdict(one) for one in stages]}
        typer.echo(json.dumps(content, indent=2))
    elif not stages:
        typer.echo(NOTHING_YET)
    else:
        print_tables(*_tables(counts, materials, stages))


def _failures(materials: Sequence[Material]) -> list[dict[str, Any]]:
    return [
        {
            "formula": material.formula,
            "status": material.status,
            "stage": failure.stage,
            "reason": failure.reason,
            "material_id": material.material_id,
        }
        for material in materials
        for failure in material.failures
    ]


def _tables(counts: Mapping[str, int], materials: Sequence[Material], stages: Sequence[Stage]) -> list[Table]:
    from rich.markup import escape
    from rich.table import Table

    overview = Table("materials", "number")
    for name in ("completed", "partial", "failed"):
        overview.add_row(name, str(counts.get(name, 0)))
    tables = [overview]
    failures = _failures(materials)
    if failures:
        failed = Table("formula", "status", "failed stage", "reason", "id")
        for one in failures:
            failed.add_row(*(escape(text) for text in one.values()))
        tables.append(failed)
    jobs = Table("job", "stored", "newest")
    for stage in stages:
        jobs.add_row(escape(stage.name), str(stage.jobs), stage.newest.partition(".")[0].replace("T", " "))
    return [*tables, jobs]
