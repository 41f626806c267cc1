"""What a launcher is for this package: it takes flows, says how their jobs are, and runs jobs again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from jobflow import Flow, JobStore

from tachylite.schemas.campaign import Launcher, Place

State = Literal["waiting", "queued", "running", "lost", "failed", "stopped", "completed"]
"""`lost` is a job that counts as running though nothing runs it any more."""

STATES: tuple[State, ...] = ("waiting", "queued", "running", "lost", "failed", "stopped", "completed")


@dataclass(frozen=True)
class LaunchedJob:
    """One job of a campaign at a launcher; `reason` says why it failed or is lost."""

    key: str
    """What the launcher's own commands call it."""
    name: str
    state: State
    reason: str = ""


class Manager(Protocol):
    """A launcher, ready for use; everything about it has been checked."""

    def with_defaults(self, launcher: Launcher) -> Launcher:
        """What was found by default written out, so that `status` and `rerun` reach the same from every folder."""

    def configuration(self, place: Place) -> dict[str, object]:
        """What a job carries as `manager_config` to get to a place."""

    def check(self, launcher: Launcher, store: JobStore) -> None:
        """Raise InputError for a place that does not exist, and for results that would go to another store."""

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        """Add all flows, or none where that fails."""

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        """All jobs of a campaign, those included that were added while it ran."""

    def rerun(self, job: LaunchedJob) -> None:
        """Make a failed or lost job run again; raises InputError where the launcher does not allow it."""


def last_line(traceback: str) -> str:
    """What an exception says at the end of its traceback, on one line."""
    lines = [line for line in traceback.strip().splitlines() if line and not line[0].isspace()]
    return " ".join(lines[-1].split())[:500] if lines else ""
