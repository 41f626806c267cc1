"""Answers as they are sent, compressed, kept while what they show is the same."""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock

from fastapi import Request
from fastapi.responses import Response

_MOST_BYTES = 64_000_000
_LARGEST = _MOST_BYTES // 16
_LEVEL = 1
"""Of gzip: higher ones make pages a fifth smaller in twice the time."""

_AT_ONCE = 2
"""Answers that are made at the same time: more threads of Python only wait for each other."""


@dataclass(frozen=True)
class _Kept:
    version: Hashable
    """Of what the answer shows."""
    compressed: bytes
    kind: str
    headers: dict[str, str]


class Answers:
    """Answers by address, each made once for each version of what it shows; those asked for last stay in memory.

    A browser that still has an answer is told so, and nothing is sent.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._making = BoundedSemaphore(_AT_ONCE)

    def give(self, request: Request, version: Hashable, make: Callable[[], Response]) -> Response:
        """The answer to a request, made where there is none of this version; raises what making it raises."""
        address = f"{request.url.path}?{request.url.query}"
        kept = self._find(address, version)
        if kept is None:
            with self._making:
                # another thread may have made it meanwhile
                kept = self._find(address, version) or self._keep(address, version, make())
        return _as_sent(request, kept)

    def _find(self, address: str, version: Hashable) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(address)
            if kept is None or kept.version != version:
                return None
            self._kept.move_to_end(address)
            return kept

    def _keep(self, address: str, version: Hashable, answer: Response) -> _Kept:
        content = bytes(answer.body)
        headers = {name: value for name, value in answer.headers.items() if name == "content-disposition"}
        headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()[:24]}"'
        headers["Vary"] = "Accept-Encoding"
        kept = _Kept(version, gzip.compress(content, _LEVEL, mtime=0), answer.headers["content-type"], headers)
        with self._lock:
            self._remove(address)
            if len(kept.compressed) <= _LARGEST:
                self._kept[address] = kept
                self._bytes += len(kept.compressed)
            while self._bytes > self._most_bytes:
                self._remove(next(iter(self._kept)))
        return kept

    def _remove(self, address: str) -> None:
        earlier = self._kept.pop(address, None)
        if earlier is not None:
            self._bytes -= len(earlier.compressed)


def _as_sent(request: Request, kept: _Kept) -> Response:
    if kept.headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=kept.headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(kept.compressed, headers={**kept.headers, "Content-Encoding": "gzip"}, media_type=kept.kind)
    return Response(gzip.decompress(kept.compressed), headers=kept.headers, media_type=kept.kind)
