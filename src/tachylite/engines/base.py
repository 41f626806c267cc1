"""The interface of an engine: it takes requests and returns documents; a member that fails is a document too."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tachylite.schemas import Provenance, Request, Run, State, Trajectory
from tachylite.schemas.relaxation import Relaxation

MAX_FORCE_EV_A = 0.05
"""Largest force, in eV/A, up to which a structure counts as relaxed."""


@dataclass(frozen=True)
class Progress:
    """How far a calculation is: `done` of at most `total` steps, for `members` at once, at `rate` steps per second.

    `unit` says what is counted where it is not steps. The last report of a calculation that may end before `total`
    has an `outcome`, such as "converged after 137 steps".
    """

    label: str
    done: int
    total: int
    members: int
    rate: float
    unit: str = "steps"
    outcome: str = ""


progress_listener: ContextVar[Callable[[Progress], None] | None] = ContextVar("progress_listener", default=None)
"""Function that engines call with their progress, a few times a second; the command line sets it."""


@dataclass(frozen=True)
class Answer:
    """The document of a run and, where frames were recorded, its trajectory."""

    run: Run
    trajectory: Trajectory | None


@runtime_checkable
class Engine(Protocol):
    """Computes forces, and with them molecular dynamics and relaxations.

    Engines are frozen, hashable by value and MSON-serialisable, so that a Maker can carry one to another
    machine; weights are loaded at first use.
    """

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""

    @property
    def batches(self) -> bool:
        """Whether one job runs a whole cohort; if not, every member has a job of its own."""

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements that the model was not made for."""

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe model, weights and versions."""

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics; return answers in the order of the requests, failures as data.

        Checkpoints and finished answers are kept in `workdir`, named by content: the same request again
        continues where it stopped, or is answered from there. Before SIGTERM, SIGINT or the end of the walltime
        (`tachylite.engines.interruption`) ends the work, a checkpoint is written; raises OutOfTimeError for the
        last of these.
        """

    def relax(
        self,
        states: Sequence[State],
        workdir: Path,
        *,
        relax_cell: bool,
        labels: Sequence[str],
        max_force_ev_a: float = MAX_FORCE_EV_A,
    ) -> list[Relaxation]:
        """Relax until no force exceeds `max_force_ev_a` (and, with the cell, to zero stress); failures as data."""
