"""What ends work before its time: a signal or the end of the walltime; a checkpoint first, then the end."""

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

SIGNALS = (signal.SIGTERM, signal.SIGINT)

SLURM_RESERVE_S = 30.0
"""Time before the end of a Slurm job that is left to whoever called, to store results and to leave."""

RESERVE_S = 1.0
"""Time left beyond what a step and two checkpoints take."""


class Terminated(BaseException):
    """SIGTERM has come; for whoever has to tidy up before a process ends."""


@contextmanager
def raising_terminated() -> Iterator[None]:
    """Raise Terminated inside the `with` block where SIGTERM would end the process on the spot."""

    def raise_it(_: int, __: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def use_deadline(time_s: float | None) -> Iterator[None]:
    """Have work inside the `with` block end, with a checkpoint, before a time in seconds since 1970."""
    token = _deadline.set(time_s)
    try:
        yield
    finally:
        _deadline.reset(token)


def current_deadline() -> float | None:
    """Seconds since 1970 by which work must end: that of `use_deadline`, else that of the Slurm job, else None."""
    chosen = _deadline.get()
    if chosen is not None:
        return chosen
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    if not end.isdigit() and (job := os.environ.get("SLURM_JOB_ID")):
        end = _asked_of_slurm(job)
    return int(end) - SLURM_RESERVE_S if end.isdigit() and int(end) > 0 else None


@functools.cache
def _asked_of_slurm(job: str) -> str:
    """When a job ends, in seconds since 1970: before version 23.02 Slurm says so only when it is asked."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%e"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()  # noqa: S603 - our own words
        return str(int(datetime.fromisoformat(said).timestamp()))
    # no squeue here, or a job without an end
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""


@dataclass
class Interruption:
    """What has been asked for since the work began: `due` is called before every step, `end` after a checkpoint."""

    deadline: float | None = None
    """On the clock of `time.monotonic`."""
    signal: int | None = None
    _stepped: float = field(default_factory=time.monotonic)
    _saving_s: float = 0.0
    _handlers: dict[int, Callable[[int, FrameType | None], object] | int] = field(default_factory=dict)

    def due(self) -> bool:
        """Whether to save and to end: a signal has come, or another step might not fit into the time left."""
        if self.signal is not None:
            return True
        now = time.monotonic()
        step, self._stepped = now - self._stepped, now
        return self.deadline is not None and now + step + 2 * self._saving_s + RESERVE_S > self.deadline

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Learn how long a checkpoint takes."""
        started = time.monotonic()
        yield
        self._stepped = time.monotonic()
        self._saving_s = max(self._saving_s, self._stepped - started)

    def end(self, reached: str) -> None:
        """Let the signal do what it does to a process without an engine; it returns where that is nothing.

        Raises OutOfTimeError, saying what was `reached`, where the time is used up.
        """
        if self.signal is None:
            raise OutOfTimeError(f"the walltime is used up {reached}")
        number, self.signal = self.signal, None
        self._hand_back()
        signal.raise_signal(number)
        self.listen()

    def listen(self) -> None:
        """Take over the signals, except those that are ignored or belong to a program around Python."""
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if handler is not None and handler != signal.SIG_IGN:
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        """Remember the first signal; a second one acts at once."""
        if self.signal is not None:
            self._hand_back()
            signal.raise_signal(number)
        self.signal = number

    def _hand_back(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Listen to SIGTERM and SIGINT (in the main thread) and to the clock while an engine works."""
    deadline = current_deadline()
    interruption = Interruption(None if deadline is None else deadline - time.time() + time.monotonic())
    if threading.current_thread() is threading.main_thread():
        interruption.listen()
    try:
        yield interruption
    finally:
        interruption._hand_back()
        if interruption.signal is not None:  # it came after the last step
            signal.raise_signal(interruption.signal)
