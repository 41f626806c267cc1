"""Campaigns in a store: how far they are, and running again what failed."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.launchers.manager import LaunchedJob
from tachylite.launchers.registry import get_manager
from tachylite.schemas.campaign import Campaign
from tachylite.stores.queries import read_document

_INDEX = 1

log = logging.getLogger(__name__)


def find_campaigns(store: JobStore) -> list[Campaign]:
    """All campaigns that were submitted to a store, newest first."""
    found = [read_document(Campaign, entry["output"]) for entry in store.query({"output.kind": "campaign"})]
    return sorted(found, key=lambda campaign: campaign.created_at, reverse=True)


def find_campaign(store: JobStore, campaign_id: str | None = None) -> Campaign:
    """The campaign whose id begins so, or the newest; raises InputError where there is none, or more than one."""
    campaigns = find_campaigns(store)
    if campaign_id is None and campaigns:
        return campaigns[0]
    matching = [one for one in campaigns if one.campaign_id.startswith(campaign_id or "")]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(one.campaign_id for one in matching or campaigns) or "none; `tachylite submit` makes one"
    raise InputError(f"{len(matching)} campaigns are named {campaign_id or ''!r}; in this store: {known}")


def keep_campaign(store: JobStore, campaign: Campaign) -> None:
    """Store a campaign; one of the same id is replaced."""
    document: dict[str, Any] = {"uuid": campaign.campaign_id, "index": _INDEX, "name": "campaign", "output": campaign}
    document["metadata"] = {"campaign": campaign.campaign_id}
    document["completed_at"] = campaign.created_at.isoformat()
    store.update(document)


def launched_jobs(campaign: Campaign, lost_after_s: float | None = None) -> list[LaunchedJob]:
    """All jobs of a campaign as its launcher knows them; jobs may have become lost, see `get_manager`."""
    return get_manager(campaign.launcher, lost_after_s).jobs(campaign.campaign_id)


def rerun(campaign: Campaign, lost_after_s: float | None = None) -> tuple[list[LaunchedJob], list[str]]:
    """Have failed and lost jobs run again; these, and a line for each that the launcher refused.

    They go on from their checkpoints, since the work folder travels with them; what is completed is not touched.
    """
    manager = get_manager(campaign.launcher, lost_after_s)
    again: list[LaunchedJob] = []
    refused: list[str] = []
    for job in manager.jobs(campaign.campaign_id):
        if job.state not in {"failed", "lost"}:
            continue
        try:
            manager.rerun(job)
            again.append(job)
        except InputError as error:
            refused.append(f"{job.name} ({job.key}): {error}")
    return again, refused


def known_jobs(campaign: Campaign) -> list[LaunchedJob]:
    """All jobs of a campaign; none where its launcher has forgotten it, or, with a warning, cannot be reached."""
    try:
        return launched_jobs(campaign)
    except InputError as error:
        log.warning("whether campaign %s still makes some of these is not known: %s", campaign.campaign_id, error)
        return []


def find_under_way(store: JobStore, material_ids: Collection[str]) -> dict[str, Campaign]:
    """Materials that campaigns of the store are still to make."""
    found: dict[str, Campaign] = {}
    for campaign in find_campaigns(store):
        shared = set(material_ids).intersection(campaign.material_ids)
        if shared and any(job.state != "completed" for job in known_jobs(campaign)):
            found |= dict.fromkeys(shared, campaign)
    return found


def is_finished(jobs: Sequence[LaunchedJob]) -> bool:
    """Whether everything is done."""
    return bool(jobs) and all(job.state == "completed" for job in jobs)


def work_folder(campaign: Campaign) -> Path:
    """Where the campaign's checkpoints and finished work lie; nobody needs it once everything is done."""
    return Path(campaign.workdir) / campaign.campaign_id
