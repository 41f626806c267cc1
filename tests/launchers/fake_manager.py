"""A fake launcher that replaces the real ones in tests and runs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from jobflow import Flow, JobStore

from tachylite.errors import InputError
from tachylite.launchers.manager import LaunchedJob
from tachylite.schemas.campaign import Campaign, Launcher, Place


class FakeManager:
    """Stores flows instead of running them: their jobs wait.

    If `reported` is not empty, it is the list of jobs instead; `refusals` are reasons not to run jobs again, by key.
    """

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.waiting: dict[str, list[LaunchedJob]] = {}
        self.reported: list[LaunchedJob] = []
        self.restarted: list[str] = []
        self.refusals: dict[str, str] = {}
        self.broken = False

    def with_defaults(self, launcher: Launcher) -> Launcher:
        return launcher.model_copy(update={"launchpad": "/where/it/was/found.yaml"})

    def configuration(self, place: Place) -> dict[str, object]:
        return {"to": place.worker}

    def check(self, launcher: Launcher, store: JobStore) -> None:
        if launcher.default.worker == "nobody":
            raise InputError("there is no worker 'nobody'")

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        if self.broken:
            raise InputError("the server went away")
        self.flows += flows
        self.waiting[campaign] = [LaunchedJob(flow.uuid, flow.name, "waiting") for flow in flows]

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        return self.reported or self.waiting.get(campaign, [])

    def end(self, campaign: Campaign) -> None:
        """Set all jobs of a campaign to completed."""
        done = [replace(job, state="completed") for job in self.waiting[campaign.campaign_id]]
        self.waiting[campaign.campaign_id] = done

    def rerun(self, job: LaunchedJob) -> None:
        if job.key in self.refusals:
            raise InputError(self.refusals[job.key])
        self.restarted.append(job.key)


def replace_launchers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeManager:
    """Change to an empty folder and replace every launcher by a fake one."""
    fake = FakeManager()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    for module in ("submission", "campaigns"):
        monkeypatch.setattr(f"tachylite.launchers.{module}.get_manager", lambda *_: fake)
    return fake
