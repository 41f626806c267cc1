"""Campaigns in a store: finding them, the states of their jobs, and running failed jobs again."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.launchers.manager import LaunchedJob, get_manager
from tachylite.schemas.campaign import Campaign
from tachylite.stores.queries import read_document

_INDEX = 1

log = logging.getLogger(__name__)


def find_campaigns(store: JobStore) -> list[Campaign]:
    """All campaigns that were submitted to a store, newest first."""
    campaigns = [read_document(Campaign, entry["output"]) for entry in store.query({"output.kind": "campaign"})]
    return sorted(campaigns, key=lambda campaign: campaign.created_at, reverse=True)


def find_campaign(store: JobStore, campaign_id: str | None = None) -> Campaign:
    """The campaign whose id begins with `campaign_id`, or the newest; raises InputError for none or several."""
    campaigns = find_campaigns(store)
    if campaign_id is None and campaigns:
        return campaigns[0]
    matching = [campaign for campaign in campaigns if campaign.campaign_id.startswith(campaign_id or "")]
    if len(matching) == 1:
        return matching[0]
    ids = ", ".join(campaign.campaign_id for campaign in matching or campaigns) or "none; `tachylite submit` makes one"
    raise InputError(f"{len(matching)} campaigns are named {campaign_id or ''!r}; in this store: {ids}")


def keep_campaign(store: JobStore, campaign: Campaign) -> None:
    """Store a campaign, replacing one of the same id."""
    document: dict[str, Any] = {"uuid": campaign.campaign_id, "index": _INDEX, "name": "campaign", "output": campaign}
    document["metadata"] = {"campaign": campaign.campaign_id}
    document["completed_at"] = campaign.created_at.isoformat()
    store.update(document)


def launched_jobs(campaign: Campaign, lost_after_s: float | None = None) -> list[LaunchedJob]:
    """All jobs of a campaign with their states at its launcher; for `lost_after_s` see `get_manager`."""
    return get_manager(campaign.launcher, lost_after_s).jobs(campaign.campaign_id)


def rerun(campaign: Campaign, lost_after_s: float | None = None) -> tuple[list[LaunchedJob], list[str]]:
    """Run failed and lost jobs again; returns these, and a line for each that the launcher refused.

    They continue from their checkpoints, as their metadata name the work folder; completed jobs are not touched.
    """
    manager = get_manager(campaign.launcher, lost_after_s)
    restarted: list[LaunchedJob] = []
    refused: list[str] = []
    for job in manager.jobs(campaign.campaign_id):
        if job.state not in {"failed", "lost"}:
            continue
        try:
            manager.rerun(job)
            restarted.append(job)
        except InputError as error:
            refused.append(f"{job.name} ({job.key}): {error}")
    return restarted, refused


def known_jobs(campaign: Campaign) -> list[LaunchedJob]:
    """All jobs of a campaign; an empty list, with a warning, if its launcher cannot be reached."""
    try:
        return launched_jobs(campaign)
    except InputError as error:
        log.warning("whether campaign %s still makes some of these is not known: %s", campaign.campaign_id, error)
        return []


def find_under_way(store: JobStore, material_ids: Collection[str]) -> dict[str, Campaign]:
    """Unfinished campaigns of the store by the ids of the materials that they make."""
    under_way: dict[str, Campaign] = {}
    for campaign in find_campaigns(store):
        shared = set(material_ids).intersection(campaign.material_ids)
        if shared and any(job.state != "completed" for job in known_jobs(campaign)):
            under_way |= dict.fromkeys(shared, campaign)
    return under_way


def is_finished(jobs: Sequence[LaunchedJob]) -> bool:
    """Whether all jobs are completed."""
    return bool(jobs) and all(job.state == "completed" for job in jobs)


def work_folder(campaign: Campaign) -> Path:
    """Folder of the campaign's checkpoints and finished work, which may be deleted once all jobs are completed."""
    return Path(campaign.workdir) / campaign.campaign_id
