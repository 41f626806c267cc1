"""Answers of a store that are kept for a while, so that many readers cost what one costs."""

import time
from collections.abc import Callable
from threading import Lock

_REST = 10
"""A question is asked again after this multiple of the time that it took, so that it takes a tenth of it at most."""


class Remembered[T]:
    """The answer to one question, asked again where it is old; one thread asks, the others wait for it."""

    def __init__(self, ask: Callable[[], T], keep_s: float = 3.0) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._until = 0.0
        self._lock = Lock()
        self._answer: T | None = None

    def get(self) -> T:
        """The answer; raises what the question raises."""
        with self._lock:
            began = time.monotonic()
            if self._answer is None or began >= self._until:
                self._answer = self._ask()
                took = time.monotonic() - began
                self._until = began + took + max(self._keep_s, _REST * took)
            return self._answer
