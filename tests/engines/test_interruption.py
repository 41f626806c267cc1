"""Signals and clocks inside one process; what they do to processes is in `test_crashes`."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

import pytest

from tachylite.engines.interruption import (
    SLURM_RESERVE_S,
    Terminated,
    current_deadline,
    interruptible,
    raising_terminated,
    use_deadline,
)
from tachylite.errors import OutOfTimeError


@pytest.fixture(autouse=True)
def _no_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """What a handler that was there before has heard."""
    received: list[int] = []

    def hear(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, hear)
    yield received
    signal.signal(signal.SIGTERM, before)


def test_the_deadline_is_the_one_given_or_that_of_the_slurm_job(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_deadline() is None
    monkeypatch.setenv("SLURM_JOB_END_TIME", "2000000000")
    assert current_deadline() == 2e9 - SLURM_RESERVE_S
    with use_deadline(1e9):
        assert current_deadline() == 1e9
    for nothing in ("", "0", "Unknown"):
        monkeypatch.setenv("SLURM_JOB_END_TIME", nothing)
        assert current_deadline() is None


def test_a_signal_waits_for_the_checkpoint_and_then_goes_to_whom_it_was_for(heard: list[int]) -> None:
    with interruptible() as interruption:
        assert not interruption.due()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.due()
        assert heard == []
        interruption.end("anywhere")
        assert heard == [signal.SIGTERM]
        assert not interruption.due(), "the handler let the work go on"
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM], "and the next one is listened to again"
    assert heard == [signal.SIGTERM] * 2, "one that came after the last step is not lost"


def test_a_second_signal_acts_at_once(heard: list[int]) -> None:
    with interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard[:1] == [signal.SIGTERM]


def test_an_error_of_the_work_leaves_the_handlers_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with suppress(ZeroDivisionError), interruptible():
        assert signal.getsignal(signal.SIGTERM) != before[0]
        _ = 1 / 0
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_thread_has_the_clock_alone() -> None:
    observed: list[object] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with use_deadline(time.time() - 1), interruptible() as interruption:
            observed.extend([signal.getsignal(signal.SIGTERM) == before, interruption.due()])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert observed == [True, True]


def test_time_for_a_step_and_the_checkpoint_is_left() -> None:
    with use_deadline(time.time() + 2), interruptible() as interruption:
        assert not interruption.due()
        with interruption.saving():
            time.sleep(0.6)
        assert interruption.due(), "another checkpoint of 0.6 s might not fit"
        with pytest.raises(OutOfTimeError, match="the walltime is used up at step 3"):
            interruption.end("at step 3")


def test_termination_can_be_tidied_up_after() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(Terminated), raising_terminated():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
