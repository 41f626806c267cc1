"""Live progress of a computation on stderr: a bar in a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tachylite.engines.base import Progress as Work
from tachylite.engines.base import progress_listener

_LINE_EVERY_S = 10.0
"""Seconds between two plain lines of one stage."""


@contextmanager
def shown_progress(console: Console) -> Iterator[None]:
    """Show the progress of the work inside this block on a console."""
    if not console.is_terminal:
        with _listening(PlainLines(lambda line: console.print(line, soft_wrap=True, highlight=False, markup=False))):
            yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display, _listening(Bar(display)):
        yield


@contextmanager
def _listening(listener: Callable[[Work], None]) -> Iterator[None]:
    token = progress_listener.set(listener)
    try:
        yield
    finally:
        progress_listener.reset(token)


class PlainLines:
    """Lines when a stage begins, about every ten seconds while it runs, and when it ends."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._label: str | None = None
        self._written_at = 0.0

    def __call__(self, work: Work) -> None:
        """Write a line where one is due."""
        begins, ends = work.label != self._label, work.done >= work.total
        if begins or ends or self._clock() - self._written_at >= _LINE_EVERY_S:
            self._write(f"{title(work)}: {counts(work)}")
            self._label = None if ends else work.label
            self._written_at = self._clock()


class Bar:
    """A bar for the current stage, and a line above it for every finished one."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("starting", total=None, text="")
        self._label: str | None = None
        self._ended = False

    def __call__(self, work: Work) -> None:
        """Move the bar."""
        if work.label != self._label or self._ended:
            self._display.reset(self._task)
            self._label, self._ended = work.label, False
        self._display.update(
            self._task, description=title(work), completed=work.done, total=work.total, text=counts(work)
        )
        if work.done >= work.total:
            self._ended = True
            ending = work.outcome or f"{work.total:,} {work.unit}"
            self._display.console.print(f"{title(work)}: {ending}", highlight=False, markup=False)


def title(work: Work) -> str:
    """Name of the stage, and the number of members at work where it is more than one."""
    return work.label if work.members == 1 else f"{work.label} ({work.members} at once)"


def counts(work: Work) -> str:
    """Steps done, rate and time left: `600/1,500 steps, 85 steps/s, 11 s left`; at an early end, the outcome."""
    if work.outcome:
        return work.outcome
    text = f"{work.done:,}/{work.total:,} {work.unit}"
    if work.rate <= 0:
        return text
    left = (work.total - work.done) / work.rate
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    remaining = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{text}, {work.rate:.3g} {work.unit}/s" + (f", {remaining} left" if work.done < work.total else "")
