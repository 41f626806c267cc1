"""Campaigns, and how a launcher is used that carries them out."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from tachylite.measured import FrozenModel
from tachylite.schemas.base import Document, Provenance
from tachylite.schemas.protocol import Protocol


class Place(FrozenModel):
    """Where jobs of one kind run, and what they may use."""

    worker: str | None = None
    """FireWorks: name of the FireWorker; jobflow-remote: of the project's worker. None is any, or the first."""
    queue: str | None = None
    """Partition or queue of the batch system."""
    walltime: Annotated[str, Field(pattern=r"^\d+:\d\d:\d\d$")] | None = None
    """HH:MM:SS."""
    resources: dict[str, Any] = {}
    """More of what the launcher asks the batch system for, in the launcher's own words."""


class Launcher(FrozenModel):
    """Who takes the jobs to the machines; kinds of jobs that are not given run at `default`."""

    launcher: Literal["fireworks", "jobflow-remote"]
    launchpad: str | None = None
    """FireWorks: the file of its LaunchPad; None is where FireWorks looks for it."""
    project: str | None = None
    """jobflow-remote: the project; None is its own default."""
    workdir: str | None = None
    """A folder that all workers see, for checkpoints and finished work."""
    cohort: Annotated[int, Field(gt=0)] | None = None
    """Formulas in one flow; None is what suits the engine."""
    default: Place = Place()
    packing: Place = Place()
    dynamics: Place = Place()
    relaxation: Place = Place()
    analysis: Place = Place()


class Campaign(Document):
    """Members under one protocol and engine; `tachylite status` and `rerun` start from it."""

    kind: Literal["campaign"] = "campaign"
    campaign_id: str
    launcher: Launcher | None
    """None where it runs on this machine."""
    systems: list[str] = []
    """Chemical systems, like `Li-Si`, of a screen."""
    cohorts: list[list[str]]
    """Formulas, as written; a cohort is one flow."""
    material_ids: list[str]
    engine: str
    provenance: Provenance | None = None
    """Level of theory of a screen's engine."""
    protocol: Protocol
    seed: int
    workdir: str
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def place(self) -> str:
        """Who carries it out, in words."""
        return "this machine" if self.launcher is None else self.launcher.launcher

    @property
    def n_members(self) -> int:
        """Materials that it makes; none where it learns a potential."""
        return len(self.material_ids)

    @property
    def purpose(self) -> str:
        """What it makes, in words."""
        formulas = ", ".join(formula for cohort in self.cohorts for formula in cohort)
        return f"{self.n_members} members" if self.material_ids else f"a potential of {formulas}"
