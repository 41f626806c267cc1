"""`tachylite status`: how far the work in a store is, and what failed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tachylite.cli.options import (
    NOTHING_YET,
    JsonOption,
    LostAfterOption,
    StoreOption,
    open_existing,
    parse_lost_after,
)
from tachylite.cli.output import print_tables

if TYPE_CHECKING:
    from jobflow import JobStore
    from rich.table import Table

    from tachylite.launchers.manager import LaunchedJob
    from tachylite.schemas.campaign import Campaign
    from tachylite.stores.stages import Stage


def status(
    campaign: Annotated[
        str | None,
        typer.Argument(metavar="[CAMPAIGN]", help="The id of one, or how it begins, or `newest`. Default: the store."),
    ] = None,
    store: StoreOption = None,
    lost_after: LostAfterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far a submitted campaign is, stage by stage, and what failed why; else what the store holds.

    Without a campaign: materials by status, every failure with its reason, stored jobs, and the campaigns.
    """
    opened = open_existing(store)
    if campaign is not None:
        _show_campaign(opened, campaign, lost_after, as_json)
    else:
        _show_store(opened, as_json)


def _show_campaign(opened: JobStore | None, campaign: str, lost_after: str | None, as_json: bool) -> None:
    from tachylite.errors import InputError
    from tachylite.launchers.campaigns import launched_jobs
    from tachylite.stores.campaigns import count_members, find_campaign

    if opened is None:
        raise InputError("there is no store yet; name the one that the campaign was submitted to with --store")
    chosen = find_campaign(opened, None if campaign == "newest" else campaign)
    members = count_members(opened, chosen)
    opened.close()
    jobs = launched_jobs(chosen, parse_lost_after(lost_after))
    if as_json:
        typer.echo(
            json.dumps(
                {"campaign": chosen.campaign_id, "members": members, "jobs": [asdict(job) for job in jobs]}, indent=2
            )
        )
        return
    from tachylite.launchers.campaigns import is_finished, work_folder

    typer.echo(f"campaign {chosen.campaign_id}: {chosen.purpose}, {chosen.place}")
    print_tables(*_campaign_tables(jobs) if jobs else [_member_table(members)])
    if is_finished(jobs):
        typer.echo(f"everything is done; its checkpoints are no longer needed: rm -r {work_folder(chosen)}")


def _member_table(members: Mapping[str, int]) -> Table:
    from rich.table import Table

    table = Table("members", "number")
    for status, number in members.items():
        table.add_row(status, str(number))
    return table


def _campaign_tables(jobs: Sequence[LaunchedJob]) -> list[Table]:
    """Jobs by stage, in the order in which the stages began, and those that need somebody."""
    from rich.markup import escape
    from rich.table import Table

    from tachylite.launchers.manager import STATES

    shown = [state for state in STATES if any(job.state == state for job in jobs)]
    stages = Table("stage", *shown)
    counts = Counter((job.name, job.state) for job in jobs)
    for name in dict.fromkeys(job.name for job in jobs):
        stages.add_row(escape(name), *(str(counts[name, state] or "") for state in shown))
    alike: dict[tuple[str, str, str], list[str]] = {}
    for job in jobs:
        if job.reason:
            alike.setdefault((job.name, job.state, job.reason), []).append(job.key)
    if not alike:
        return [stages]
    reasons = Table("job", "state", "reason", "at the launcher")
    for what, (key, *others) in alike.items():
        reasons.add_row(*map(escape, what), escape(f"{key} and {len(others)} more" if others else key))
    return [stages, reasons]


def _show_store(opened: JobStore | None, as_json: bool) -> None:
    from tachylite.stores.campaigns import find_campaigns
    from tachylite.stores.queries import newest_entries
    from tachylite.stores.stages import find_stages

    materials: list[dict[str, Any]] = []
    stages: list[Stage] = []
    campaigns: list[Campaign] = []
    if opened is not None:
        names = ("formula", "status", "failures")
        materials = [entry["output"] for entry in newest_entries(opened, names)]
        stages, campaigns = find_stages(opened), find_campaigns(opened)
        opened.close()
    counts: Counter[str] = Counter(material["status"] for material in materials)
    if as_json:
        content = {
            "materials": counts,
            "failures": _failures(materials),
            "jobs": [asdict(one) for one in stages],
            "campaigns": [one.campaign_id for one in campaigns],
        }
        typer.echo(json.dumps(content, indent=2))
    elif not stages:
        typer.echo(NOTHING_YET)
    else:
        print_tables(*_tables(counts, materials, stages))
        for one in campaigns:
            typer.echo(f"campaign {one.campaign_id}: {one.purpose}, {one.place}, {one.created_at}")


def _failures(materials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "formula": material["formula"],
            "status": material["status"],
            "stage": failure["stage"],
            "reason": failure["reason"],
            "material_id": material["material_id"],
        }
        for material in materials
        for failure in material["failures"]
    ]


def _tables(counts: Mapping[str, int], materials: Sequence[Mapping[str, Any]], stages: Sequence[Stage]) -> list[Table]:
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
