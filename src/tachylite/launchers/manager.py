"""The interface to a launcher: adding flows, the states of their jobs, and running jobs again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from jobflow import Flow, JobStore

from tachylite.schemas.campaign import Launcher, Place

State = Literal["waiting", "queued", "running", "lost", "failed", "stopped", "completed"]
"""State of a job; `lost` is one that the launcher counts as running though no process runs it."""

STATES: tuple[State, ...] = ("waiting", "queued", "running", "lost", "failed", "stopped", "completed")


@dataclass(frozen=True)
class LaunchedJob:
    """One job of a campaign at a launcher, with the reason if it failed or is lost."""

    key: str
    """Identifier in the launcher's own commands."""
    name: str
    state: State
    reason: str = ""


class Manager(Protocol):
    """A connection to a launcher whose settings have been checked."""

    def with_defaults(self, launcher: Launcher) -> Launcher:
        """Fill in the settings that were found by default, so that every folder leads to the same launcher."""

    def configuration(self, place: Place) -> dict[str, object]:
        """The `manager_config` that sends a job to a place (a worker with its resources)."""

    def check(self, launcher: Launcher, store: JobStore) -> None:
        """Raise InputError for a place that does not exist, and for results that would go to another store."""

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        """Add all flows, or none where that fails."""

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        """All jobs of a campaign, including those that were added while it ran."""

    def rerun(self, job: LaunchedJob) -> None:
        """Run a failed or lost job again; raises InputError where the launcher does not allow it."""


def get_manager(launcher: Launcher, lost_after_s: float | None = None) -> Manager:
    """Connect to a launcher; raises InputError where that fails, MissingPackageError where it is not installed.

    A running job of which neither the queue nor this machine knows whether it still runs counts as lost when its last
    sign of life is older than `lost_after_s` (if not given, FireWorks' own setting).
    """
    # both modules need the types above
    from tachylite.launchers.fireworks import FireworksManager
    from tachylite.launchers.jobflow_remote import JobflowRemoteManager

    if launcher.launcher == "fireworks":
        return FireworksManager(launcher.launchpad, lost_after_s)
    return JobflowRemoteManager(launcher.project)


def last_line(traceback: str) -> str:
    """The message of an exception at the end of a traceback, in one line."""
    lines = [line for line in traceback.strip().splitlines() if line and not line[0].isspace()]
    return " ".join(lines[-1].split())[:500] if lines else ""
