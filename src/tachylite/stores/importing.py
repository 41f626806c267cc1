"""Reading archives: checked as a whole, then into a store, with the same documents, data and ids."""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from bson.errors import BSONError
from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.stores.archive import (
    BLOBS,
    CITATION,
    DATA,
    DOCUMENTS,
    FORMAT,
    HEAD,
    README,
    SUMS,
    document_line,
    read_line,
)
from tachylite.stores.blobs import decode_blob

_FILES = {DOCUMENTS, BLOBS, HEAD, README, CITATION, SUMS}
_DATA_FILE = re.compile(rf"{DATA}(?P<sha256>[0-9a-f]{{64}})\.(?:h5|json)")
_SUM = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>\S+)")
_AT_ONCE = 50
_CHUNK = 1 << 20
_UNREADABLE = (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error)
"""What zipfile raises for files that are cut off, changed, encrypted or compressed in another way."""


@dataclass(frozen=True)
class Imported:
    """How many documents and blobs came into a store, and how many were there already."""

    documents: int
    blobs: int
    documents_before: int
    blobs_before: int


@contextmanager
def open_archive(path: Path) -> "Iterator[Archive]":
    """Open an archive for the `with` block, after checking every file of it against its checksum.

    Raises InputError, naming the archive, for anything that `write_archive` has not written: cut off, changed, of a
    newer version, or with files of other names. Names in it are never used as paths.
    """
    try:
        archive = ZipFile(path)
    except OSError as error:
        raise InputError(f"archive {path} cannot be read: {error.strerror}") from error
    except _UNREADABLE as error:
        raise InputError(f"{path} is no archive, or was cut off: {error}; fetch it again") from error
    with archive:
        try:
            _check(archive)
        except (OSError, *_UNREADABLE) as error:  # the former of a place that lies before the file's beginning, too
            raise InputError(f"archive {path} is damaged: {error}; fetch it again") from error
        except _RefusedError as error:
            raise InputError(f"archive {path} is refused: {error}") from error
        yield Archive(path, archive)


class _RefusedError(ValueError):
    """Why an archive is not read."""


class Archive:
    """An archive whose files have their checksums."""

    def __init__(self, path: Path, archive: ZipFile) -> None:
        self.path, self._archive = path, archive

    def restore(self, store: JobStore) -> Imported:
        """Bring documents and data into a store; what it holds already stays as it is.

        Data come first, so that the same call goes on after it was stopped. Raises InputError, before anything is
        written, where the store has another document for the same job or lacks the part that data belong to.
        """
        try:
            is_new = {key: _is_new(store, key, line) for key, line in self._documents()}
            blobs = list(self._blobs())
            lacking = [blob for blob in blobs if _lacks(store, blob)]
            for blob in lacking:
                kept = {name: value for name, value in blob.items() if name not in {"store", "file"}}
                content = {**kept, "data": self._data(blob["file"])}
                store.additional_stores[blob["store"]].update([content], key="blob_uuid")
            lines = (line for key, line in self._documents() if is_new[key])
            for some in batched(lines, _AT_ONCE):
                store.docs_store.update([read_line(line) for line in some], key=["uuid", "index"])
        except _RefusedError as error:
            raise InputError(f"archive {self.path} is refused: {error}") from error
        new = sum(is_new.values())
        return Imported(new, len(lacking), len(is_new) - new, len(blobs) - len(lacking))

    def _data(self, file: str) -> Any:
        try:
            return decode_blob(file, self._archive.read(DATA + file))
        except (ValueError, RecursionError) as error:
            raise _RefusedError(f"{DATA}{file} is not what its name says: {str(error)[:80]}") from error

    def _documents(self) -> Iterator[tuple[tuple[str, int], bytes]]:
        """Lines of documents with `uuid` and `index` of each."""
        for number, line in self._lines(DOCUMENTS):
            document = _parsed(line, f"line {number} of {DOCUMENTS}", {"uuid": str, "index": int})
            yield (document["uuid"], document["index"]), line

    def _blobs(self) -> Iterator[Mapping[str, Any]]:
        names = set(self._archive.namelist())
        for number, line in self._lines(BLOBS):
            place = f"line {number} of {BLOBS}"
            blob = _parsed(line, place, {"blob_uuid": str, "store": str, "file": str})
            if DATA + blob["file"] not in names:
                raise _RefusedError(f"{place} names a file that is not in it")
            yield blob

    def _lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        with self._archive.open(name) as file:
            yield from enumerate(file, start=1)


def _check(archive: ZipFile) -> None:
    """Compare the files of an archive with its checksums, and their names with those an archive has."""
    names = Counter(archive.namelist())
    for name, number in names.items():
        if number > 1 or not (name in _FILES or _DATA_FILE.fullmatch(name)):
            raise _RefusedError(f"it holds {name[:80]!r}{' twice' if number > 1 else ', which no archive does'}")
    if missing := _FILES - names.keys():
        raise _RefusedError(f"it has no {min(missing)}; `tachylite export --archive` writes archives")
    sums = _read_sums(archive)
    if differing := sums.keys() ^ (names.keys() - {SUMS}):
        raise _RefusedError(f"{min(differing)} is not both in it and in its {SUMS}")
    for name, sha256 in sums.items():
        data_file = _DATA_FILE.fullmatch(name)
        if _sha256(archive, name) != sha256 or (data_file and data_file["sha256"] != sha256):
            raise _RefusedError(f"{name} does not have its checksum; fetch it again")
    head = _parsed(archive.read(HEAD), HEAD, {"format": int, "tachylite": str})
    if head["format"] > FORMAT:
        written_by = f"tachylite {head['tachylite']} wrote it"
        raise _RefusedError(f"{written_by} in a newer format; pip install --upgrade tachylite")


def _read_sums(archive: ZipFile) -> dict[str, str]:
    sums = {}
    for line in archive.read(SUMS).decode(errors="replace").splitlines():
        entry = _SUM.fullmatch(line)
        if entry is None:
            raise _RefusedError(f"{SUMS} has the line {line[:80]!r}")
        sums[entry["name"]] = entry["sha256"]
    return sums


def _sha256(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


def _parsed(line: bytes, place: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read a mapping from JSON; values of the wrong type would be operators of a query."""
    try:
        content = read_line(line)
    except (ValueError, TypeError, KeyError, RecursionError, BSONError) as error:
        raise _RefusedError(f"{place} is not JSON of an archive: {str(error)[:80]}") from error
    if not isinstance(content, dict):
        raise _RefusedError(f"{place} is no mapping")
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise _RefusedError(f"{place} has no {name}, or not as {kind.__name__}")
    return content


def _is_new(store: JobStore, key: tuple[str, int], line: bytes) -> bool:
    """Whether a store lacks a document; raises where it has another one of the same job."""
    stored = store.docs_store.query_one({"uuid": key[0], "index": key[1]})
    if stored is not None and document_line(stored) != line:
        raise _RefusedError(f"{store.name} has another document {key[0]}; import into a new store")
    return stored is None


def _lacks(store: JobStore, blob: Mapping[str, Any]) -> bool:
    if blob["store"] not in store.additional_stores:
        raise _RefusedError(f"{store.name} has no additional store {blob['store']!r}, where {blob['file']} belongs")
    return store.additional_stores[blob["store"]].count({"blob_uuid": blob["blob_uuid"]}) == 0
