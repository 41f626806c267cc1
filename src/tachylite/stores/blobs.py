"""The embedded blob store: one file per trajectory, named by its checksum."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from maggma.core import Store

from tachylite.engines.workdir import write_atomically
from tachylite.errors import InputError
from tachylite.schemas import Trajectory
from tachylite.stores.sqlite import Database

type Blob = dict[str, Any]

_INDEX = "index.sqlite"

_COLUMNS = ("blob_uuid", "job_uuid", "job_index", "file")
_SCHEMA = """
create table if not exists blobs (
    blob_uuid text primary key, job_uuid text, job_index integer, file text not null, rest text not null);
create index if not exists blobs_of_job on blobs (job_uuid, job_index);
create index if not exists blobs_of_file on blobs (file);
"""


class FileBlobStore(Store):
    """The additional store of a jobflow JobStore in a folder: `<sha256>.h5` files and an index in sqlite.

    A trajectory is stored as an H5MD file, other data as a JSON file. Equal content is one file. Files are written to
    a temporary name and renamed, and file and index change under one lock, so several processes may write at once and
    a crash leaves no half-written blob. Documents are found by `blob_uuid`, `job_uuid`, `job_index` and `file`, by
    equality or `$in`.
    """

    def __init__(self, path: str, **kwargs: Any) -> None:
        self.path = path
        self.kwargs = kwargs
        self._database = Database(Path(path) / _INDEX, _SCHEMA)
        super().__init__(**{"key": "blob_uuid", **kwargs})

    @property
    def name(self) -> str:
        """The folder."""
        return f"files://{self.path}"

    @property
    def _collection(self) -> Any:
        raise NotImplementedError("a FileBlobStore has no MongoDB collection")

    def connect(self, force_reset: bool = False) -> None:
        """Make folder and index if they are missing."""
        self._database.make()

    def close(self) -> None:
        """Close the index; the next use opens it again."""
        self._database.close()

    def count(self, criteria: Mapping[str, Any] | None = None) -> int:
        """Count the blobs that match."""
        where, values = _where(criteria)
        ((number,),) = self._database.read(f"select count(*) from blobs {where}", values)  # noqa: S608 - our own columns
        return int(number)

    def query(
        self,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | Sequence[str] | None = None,
        sort: Mapping[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[Blob]:
        """Yield the blobs that match, in the order stored or that of `sort`; files are read only for `data`.

        Raises InputError where a file is missing or does not have the checksum in its name.
        """
        where, values = _where(criteria)
        sort = sort or {"rowid": 1}
        ordering = ", ".join(f"{_column(name)} {_sql_direction(order)}" for name, order in sort.items())
        names = ", ".join((*_COLUMNS, "rest"))
        rows = self._database.read(f"select {names} from blobs {where} order by {ordering}", values)  # noqa: S608 - our own columns
        for *fields, rest in islice(rows, skip, skip + limit if limit else None):
            blob = dict(zip(_COLUMNS, fields, strict=True)) | json.loads(rest)
            if properties is None or "data" in properties:
                blob["data"] = self._read(blob["file"])
            yield blob if properties is None else {name: blob[name] for name in properties if name in blob}

    def update(self, docs: Sequence[Blob] | Blob, key: Sequence[str] | str | None = None) -> None:
        """Store blobs; one with a stored `blob_uuid` replaces the earlier blob."""
        for doc in [docs] if isinstance(docs, dict) else docs:
            file, content = encode_blob(doc["data"])
            rest = {name: value for name, value in doc.items() if name not in (*_COLUMNS, "data", "_id")}
            row = (doc["blob_uuid"], doc.get("job_uuid"), doc.get("job_index"), file, json.dumps(rest))
            with self._database.changing() as index:
                path = Path(self.path) / file
                if not path.exists():
                    write_atomically(path, content)
                index.execute("insert or replace into blobs values (?, ?, ?, ?, ?)", row)

    def remove_docs(self, criteria: Mapping[str, Any]) -> None:
        """Remove the blobs that match, and files that no other blob needs."""
        where, values = _where(criteria)
        with self._database.changing() as index:
            rows = index.execute(f"delete from blobs {where} returning file", values).fetchall()  # noqa: S608 - our own columns
        for file in {file for (file,) in rows}:
            with self._database.changing() as index:
                if index.execute("select 1 from blobs where file = ?", (file,)).fetchone() is None:
                    (Path(self.path) / file).unlink(missing_ok=True)

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Whether a field has an index."""
        return key in _COLUMNS

    def groupby(
        self,
        keys: Sequence[str] | str,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | Sequence[str] | None = None,
        sort: Mapping[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[tuple[Blob, list[Blob]]]:
        """Yield the blobs that match, grouped by indexed fields."""
        names = [keys] if isinstance(keys, str) else list(keys)
        fields = [*names, *(properties or ["data", "@module", "@class", *_COLUMNS])]
        blobs = self.query(criteria, fields, dict.fromkeys(names, 1), skip, limit)
        for values, group in groupby(blobs, key=lambda blob: tuple(blob[name] for name in names)):
            yield dict(zip(names, values, strict=True)), list(group)

    def _read(self, file: str) -> Any:
        path = Path(self.path) / file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"blob {path} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != path.stem:
            raise InputError(f"blob {path} is damaged: its content does not have the SHA-256 of its name")
        return decode_blob(file, content)


def encode_blob(data: Any) -> tuple[str, bytes]:
    """File name and content of a blob."""
    if isinstance(data, dict) and data.get("@class") == Trajectory.__name__ and "h5md" in data:
        content, suffix = base64.b64decode(data["h5md"]), ".h5"
    else:
        content, suffix = json.dumps(data, sort_keys=True).encode(), ".json"
    return hashlib.sha256(content).hexdigest() + suffix, content


def decode_blob(file: str, content: bytes) -> Any:
    """Data of a blob from the name and content of its file."""
    return Trajectory(content).as_dict() if file.endswith(".h5") else json.loads(content)


def _where(criteria: Mapping[str, Any] | None) -> tuple[str, list[Any]]:
    """Translate criteria into SQL; the names are checked, the values bound."""
    terms: list[str] = []
    values: list[Any] = []
    for name, condition in (criteria or {}).items():
        is_in = isinstance(condition, Mapping) and condition.keys() == {"$in"}
        allowed = condition["$in"] if is_in else [condition]
        if any(isinstance(value, Mapping) for value in allowed):
            raise ValueError(f"a FileBlobStore knows only equality and $in, not {condition}")
        terms.append(f"{_column(name)} in ({', '.join('?' * len(allowed))})")
        values += allowed
    return (f"where {' and '.join(terms)}" if terms else ""), values


def _column(name: str) -> str:
    if name not in (*_COLUMNS, "rowid"):
        raise ValueError(f"a FileBlobStore finds blobs by {', '.join(_COLUMNS)}, not by {name}")
    return name


def _sql_direction(order: Any) -> str:
    return "desc" if getattr(order, "value", order) == -1 else "asc"
