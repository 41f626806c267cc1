"""Answers of a store that are kept for a while, so that many readers cost what one costs."""

import time
from collections.abc import Callable
from threading import Lock

_REST = 10
"""A question is asked again after this multiple of the time that it took, so that it takes a tenth of it at most."""


class Remembered[T]:
    """The answer to one question, asked again where it is old: by one thread, while others get the old answer."""

    def __init__(self, ask: Callable[[], T], keep_s: float = 3.0) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._until = 0.0
        self._lock = Lock()
        self._answers: list[T] = []
        """The latest, or none."""

    def get(self) -> T:
        """The answer; raises what the question raises."""
        is_free = self._lock.acquire(blocking=not self._answers)
        if not is_free:
            return self._answers[0]
        try:
            began = time.monotonic()
            if not self._answers or began >= self._until:
                self._answers = [self._ask()]
                took = time.monotonic() - began
                self._until = began + took + max(self._keep_s, _REST * took)
            return self._answers[0]
        finally:
            self._lock.release()
