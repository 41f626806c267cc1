"""Ending a calculation early, with a checkpoint: on a signal, or before the walltime is used up."""

import functools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from types import FrameType

from tachylite.errors import OutOfTimeError

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

SLURM_RESERVE_S = 30.0
"""Time before the end of a Slurm job that is left to the caller, to store results and to exit."""

_RESERVE_S = 1.0
"""Time kept in reserve in addition to that of a step and two checkpoints."""

_STEPS_IN_RESERVE = 3
"""Ionic steps of a program that must fit into the time left, as custodian's handler of the walltime has it."""


class Terminated(BaseException):
    """Raised on SIGTERM, so that a process can clean up before it ends."""


@contextmanager
def raising_terminated() -> Iterator[None]:
    """Raise Terminated inside the `with` block where SIGTERM would end the process at once."""

    def raise_terminated(_: int, __: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def use_deadline(time_s: float | None) -> Iterator[None]:
    """End calculations inside the `with` block, with a checkpoint, before a time in seconds since 1970."""
    token = _deadline.set(time_s)
    try:
        yield
    finally:
        _deadline.reset(token)


def current_deadline() -> float | None:
    """Time in seconds since 1970 by which work must end: that of `use_deadline`, or of the Slurm job, or None."""
    chosen = _deadline.get()
    if chosen is not None:
        return chosen
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    if not end.isdigit() and (job := os.environ.get("SLURM_JOB_ID")):
        end = _slurm_end_time(job)
    return int(end) - SLURM_RESERVE_S if end.isdigit() and int(end) > 0 else None


@functools.cache
def _slurm_end_time(job: str) -> str:
    """End of a Slurm job in seconds since 1970, from squeue: before version 23.02 Slurm sets no variable for it."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%e"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own words
        return str(int(datetime.fromisoformat(process.stdout.strip()).timestamp()))
    # no squeue here, or a job without an end
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""


@dataclass
class Interruption:
    """Signals and the deadline of a calculation, which calls `due` before each step and `end` after a checkpoint."""

    deadline: float | None = None
    """On the clock of `time.monotonic`."""
    signal: int | None = None
    _stepped: float = field(default_factory=time.monotonic)
    _saving_s: float = 0.0
    _handlers: dict[int, Callable[[int, FrameType | None], object] | int] = field(default_factory=dict)

    def due(self) -> bool:
        """Whether to save and to end now: after a signal, or when another step might not fit into the time left."""
        if self.signal is not None:
            return True
        now = time.monotonic()
        step, self._stepped = now - self._stepped, now
        return self.deadline is not None and now + step + 2 * self._saving_s + _RESERVE_S > self.deadline

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Measure how long the checkpoint written inside the `with` block takes."""
        started = time.monotonic()
        yield
        self._stepped = time.monotonic()
        self._saving_s = max(self._saving_s, self._stepped - started)

    def end(self, reached: str) -> None:
        """Deliver the signal to the handler it had before; return if that handler does.

        Raises OutOfTimeError, saying what was `reached`, if the walltime is used up.
        """
        if self.signal is None:
            raise OutOfTimeError(f"the walltime is used up {reached}")
        number, self.signal = self.signal, None
        self._restore_handlers()
        signal.raise_signal(number)
        self.listen()

    def listen(self) -> None:
        """Handle SIGTERM and SIGINT here, except where they are ignored or handled by a program that embeds Python."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if handler is not None and handler != signal.SIG_IGN:
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        """Remember the first signal; a second one takes effect at once."""
        if self.signal is not None:
            self._restore_handlers()
            signal.raise_signal(number)
        self.signal = number

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}


def must_end(interruption: Interruption, step_s: float) -> bool:
    """Whether to end now: after a signal, or when a few more ionic steps might not fit into the time left."""
    if interruption.signal is not None or interruption.deadline is None:
        return interruption.signal is not None
    return time.monotonic() + _STEPS_IN_RESERVE * step_s + _RESERVE_S > interruption.deadline


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Watch SIGTERM and SIGINT (in the main thread) and the deadline inside the `with` block."""
    deadline = current_deadline()
    interruption = Interruption(None if deadline is None else deadline - time.time() + time.monotonic())
    if threading.current_thread() is threading.main_thread():
        interruption.listen()
    try:
        yield interruption
    finally:
        interruption._restore_handlers()
        if interruption.signal is not None:  # the signal came after the last step
            signal.raise_signal(interruption.signal)
