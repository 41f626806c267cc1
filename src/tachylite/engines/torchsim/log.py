"""An append-only file of arrays, from which a record that a crash left incomplete is cut off."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.arrays import Array
from tachylite.engines.workdir import cannot_write
from tachylite.errors import InputError

_BYTES = 8


class Log:
    """A file of records, each a JSON header and float64 numbers; its first `length` bytes are valid.

    What follows them is cut off on opening. Raises InputError where the file is shorter than that or cannot be
    written.
    """

    def __init__(self, path: Path, length: int = 0) -> None:
        self.path, self.length = path, length
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            if path.stat().st_size < length:
                raise InputError(f"{path} is damaged; remove {path.parent}, and the same command starts it anew")
            os.truncate(path, length)
        except OSError as error:
            raise cannot_write(path.parent, error) from error

    def append(self, header: dict[str, Any], arrays: Iterable[Array]) -> None:
        """Append a record and flush it to disk.

        Raises InputError, naming the folder, where it cannot be written; the log is then as it was.
        """
        words = json.dumps(header).encode()
        try:
            with self.path.open("ab") as file:
                file.write(len(words).to_bytes(_BYTES, "little") + words)
                for array in arrays:
                    file.write(np.ascontiguousarray(array, dtype=np.float64).data)
                file.flush()
                os.fsync(file.fileno())
                self.length = file.tell()
        except OSError as error:
            with suppress(OSError):
                os.truncate(self.path, self.length)
            raise cannot_write(self.path.parent, error) from error

    def headers(self) -> list[tuple[dict[str, Any], int]]:
        """All headers, each with the offset in the file at which its numbers start.

        `numbers` in a header is how many there are.
        """
        headers = []
        with self.path.open("rb") as file:
            while (start := file.tell()) < self.length:
                size = int.from_bytes(file.read(_BYTES), "little")
                header = json.loads(file.read(size))
                headers.append((header, start + _BYTES + size))
                file.seek(header["numbers"] * _BYTES, os.SEEK_CUR)
        return headers

    def read(self, start: int, skip: int, count: int) -> Array:
        """Read `count` numbers after the first `skip` from an offset in the file."""
        return np.fromfile(self.path, dtype=np.float64, count=count, offset=start + skip * _BYTES)
