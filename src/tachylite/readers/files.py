"""Open files, plain or compressed, and read lines and tables of numbers from them."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TextIO, cast

import numpy as np
from monty.io import zopen
from numpy.typing import NDArray

from tachylite.errors import InputError

_COMPRESSED = (".gz", ".bz2", ".xz")


class TruncatedError(Exception):
    """The file ends inside a frame; the number of complete frames before it."""


def plain_name(path: Path) -> str:
    """Name of a file without the suffix of its compression."""
    return path.stem if path.suffix in _COMPRESSED else path.name


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressing where its name ends in .gz, .bz2 or .xz."""
    return zopen(path, "rb")


def open_text(path: Path) -> TextIO:
    """Open a text file, decompressing where its name ends in .gz, .bz2 or .xz."""
    return cast(TextIO, zopen(path, "rt", encoding="utf-8"))


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """Give a file decompressed, for readers that need it on disk: the file itself, or a temporary copy."""
    if path.suffix not in _COMPRESSED:
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.stem
        with open_bytes(path) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield copy


def next_line(file: TextIO, complete: int) -> str:
    """Read one line; TruncatedError at the end of the file."""
    line = file.readline()
    if not line:
        raise TruncatedError(complete)
    return line


def read_table(file: TextIO, n_rows: int, n_columns: int, complete: int) -> NDArray[np.float64]:
    """Read the next lines as numbers of shape (n_rows, n_columns); TruncatedError where they end before."""
    lines = list(islice(file, n_rows))
    words = "".join(lines).split()
    if len(lines) < n_rows or len(words) < n_rows * n_columns or _last_is_cut(lines[-1], words):
        raise TruncatedError(complete)
    if len(words) % n_rows:
        raise InputError(f"{n_rows} lines of frame {complete + 1} hold {len(words)} numbers")
    return np.array(words, dtype=np.float64).reshape(n_rows, -1)[:, :n_columns]


def _last_is_cut(line: str, words: list[str]) -> bool:
    """Whether a file ends inside a number: no end of line after it, and fewer decimals than the first."""
    return not line.endswith("\n") and len(words[-1].partition(".")[2]) < len(words[0].partition(".")[2])


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Key that sorts run2 before run10, and a name without a number, the run that was last, to the end."""
    parts = re.split(r"[._-]*(\d+)", str(path.with_name(plain_name(path))))
    key: list[tuple[int, int | str]] = [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]
    return [*key, (2, "")]
