"""Campaigns at their launchers: the states of their jobs, and running failed jobs again."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.launchers.manager import LaunchedJob, get_manager
from tachylite.schemas.campaign import Campaign
from tachylite.stores.campaigns import find_campaigns

log = logging.getLogger(__name__)


def launched_jobs(campaign: Campaign, lost_after_s: float | None = None) -> list[LaunchedJob]:
    """All jobs of a campaign with their states at its launcher; for `lost_after_s` see `get_manager`."""
    if campaign.launcher is None:
        return []
    return get_manager(campaign.launcher, lost_after_s).jobs(campaign.campaign_id)


def rerun(campaign: Campaign, lost_after_s: float | None = None) -> tuple[list[LaunchedJob], list[str]]:
    """Run failed and lost jobs again; returns these, and a line for each that the launcher refused.

    They continue from their checkpoints, as their metadata name the work folder; completed jobs are not touched.
    """
    if campaign.launcher is None:
        raise InputError(f"campaign {campaign.campaign_id} runs here; the command that began it goes on with it")
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
