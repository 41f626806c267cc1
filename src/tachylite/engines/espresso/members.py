"""Members side by side: as many calls of a program at once as there are cores for them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from signal import SIGTERM

from tachylite.engines.interruption import Interruption, interruptible

_POLL_S = 0.1


class MemberEndedError(Exception):
    """A member has stopped, and can be continued: after a signal, or as the walltime is used up."""


class MemberInterruption(Interruption):
    """The interruption as a member sees it in its thread, where no signal can be handled."""

    def end(self, reached: str) -> None:
        """Leave the thread; what was reached is said when every member has stopped."""
        raise MemberEndedError(reached)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side[Answer](members: Sequence[Callable[[Interruption], Answer]], at_once: int) -> list[Answer]:
    """Run members, at most `at_once` together; their answers in order.

    After a signal, or before the walltime ends, all of them stop, and the signal is delivered: raises OutOfTimeError
    for the latter. An exception of one member is raised when the others have finished.
    """
    answers: dict[int, Answer] = {}
    while len(answers) < len(members):
        with interruptible() as interruption:
            left = [index for index in range(len(members)) if index not in answers]
            futures = _run(members, left, at_once, interruption)
            ended = []
            for index, future in futures.items():
                error = future.exception()
                if error is None:
                    answers[index] = future.result()
                elif isinstance(error, MemberEndedError):
                    ended.append(error)
                else:
                    raise error
            if ended:
                interruption.end(str(ended[0]))
    return [answers[index] for index in range(len(members))]


def _run[Answer](
    members: Sequence[Callable[[Interruption], Answer]],
    left: Sequence[int],
    at_once: int,
    interruption: Interruption,
) -> dict[int, Future[Answer]]:
    views = {index: MemberInterruption(interruption.deadline) for index in left}
    with ThreadPoolExecutor(max(1, at_once)) as pool:
        futures = {index: pool.submit(copy_context().run, members[index], views[index]) for index in left}
        pending = set(futures.values())
        try:
            while pending:
                _, pending = wait(pending, timeout=_POLL_S)
                for view in views.values():
                    view.signal = interruption.signal
        except BaseException:
            for view in views.values():
                view.signal = SIGTERM
            raise
    return futures
