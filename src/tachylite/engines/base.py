"""What an engine is: it takes requests and answers with documents, never with an exception for one member."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tachylite.schemas import Provenance, Relaxation, Request, Run, State, Trajectory

MAX_FORCE_EV_A = 0.05
"""What is left of the largest force, in eV/A, when a structure counts as relaxed."""


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is: `done` of `total` steps, `members` at once, `rate` steps per second.

    A `unit` says what is counted where it is no steps.
    """

    label: str
    done: int
    total: int
    members: int
    rate: float
    unit: str = "steps"


progress_listener: ContextVar[Callable[[Progress], None] | None] = ContextVar("progress_listener", default=None)
"""Called a few times a second by an engine at work; the command line shows it."""


@dataclass(frozen=True)
class Answer:
    """A run and, where frames were recorded, its trajectory."""

    run: Run
    trajectory: Trajectory | None


@runtime_checkable
class Engine(Protocol):
    """Who computes the forces.

    Engines are frozen, hashable by value and MSON-serialisable, so that a Maker can carry one to another
    machine; heavy things (weights) are loaded at first use.
    """

    @property
    def name(self) -> str:
        """The name that `get_engine` knows."""

    @property
    def batches(self) -> bool:
        """Whether one job runs a whole cohort; else every member has a job of its own."""

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Raise InputError, naming them, for elements the model does not know."""

    def provenance(self, seed: int | None = None) -> Provenance:
        """Describe model, weights and versions."""

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Run molecular dynamics; answers in the order of the requests, failures as data.

        Checkpoints and finished answers are kept in `workdir`, named by content: asking again for the same
        thing continues where it stopped, or answers at once. Before SIGTERM, SIGINT or the end of the walltime
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
        """Relax until no force is larger (and, with the cell, to zero stress); failures as data."""
