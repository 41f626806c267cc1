"""The embedded document store: MontyDB with sqlite in a folder."""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import bson
from maggma.stores import MemoryStore, MontyStore
from monty.json import jsanitize
from montydb import MontyClient, set_storage

from tachylite.stores.fields import Paths, names_in, paths_of, pick

MARKER = ".monty.storage"
_LOCK_TIMEOUT_MS = 60_000
_TABLE = "create table if not exists documents (k text not null, v text not null, primary key (k))"
_UPSERT = "insert into documents (k, v) values (?, ?) on conflict (k) do update set v = excluded.v"


class EmbeddedDocumentStore(MontyStore):
    """Documents of a jobflow JobStore in a folder, read and written by any number of processes of a machine.

    The files are those of maggma's MontyStore, which decodes every document for every query and every write.
    Here, documents that do not contain the strings of a query are skipped; of the others only the fields of the query
    are decoded; the document of a job is written without a search; and the settings of a folder are written once
    instead of at every connection, when another process could read them incomplete.
    """

    _coll: Any

    def __init__(self, database_path: str, collection_name: str = "outputs", **kwargs: Any) -> None:
        # WAL, the default of MontyDB, does not work on network file systems
        settings = {"use_bson": True, "mongo_version": "4.0", "journal_mode": "DELETE"}
        super().__init__(
            collection_name,
            database_path=database_path,
            database_name="tachylite",
            storage_kwargs=settings,
            client_kwargs={"wtimeout": _LOCK_TIMEOUT_MS},
            **kwargs,
        )

    @property
    def file(self) -> Path:
        """The sqlite file."""
        return Path(str(self.database_path), str(self.database_name)) / f"{self.collection_name}.collection"

    def connect(self, force_reset: bool = False) -> None:
        """Open the folder, and set it up if it is new."""
        if self._coll is not None and not force_reset:
            return
        folder = Path(self.database_path)
        if not (folder / MARKER).exists():
            self._set_up(folder)
        self.file.parent.mkdir(exist_ok=True)
        # MontyDB makes the table at the first write, when two processes may collide
        with self._sqlite() as connection:
            connection.execute(_TABLE)
        client = MontyClient(self.database_path, **self.client_kwargs)
        self._coll = client[self.database_name][self.collection_name]

    def _sqlite(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.file, timeout=_LOCK_TIMEOUT_MS / 1000))

    def _set_up(self, folder: Path) -> None:
        """Write the settings to a temporary folder, then move them into place, the marker of a complete setup last."""
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            set_storage(temporary, storage=self.storage, **self.storage_kwargs)
            for path in sorted(Path(temporary).iterdir(), key=lambda path: path.name == MARKER):
                path.replace(folder / path.name)

    def query(
        self,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | Sequence[str] | None = None,
        sort: Mapping[str, Any] | None = None,
        hint: Mapping[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield the documents that match, as MongoStore does; `properties` are fields to include."""
        criteria = criteria or {}
        names = [*names_in(criteria), *(sort or {}), "_id", *(properties or [])]
        candidates, keys = self._candidates(criteria, names)
        if properties is not None:
            yield from candidates.query(criteria, properties, sort, hint, skip, limit, **kwargs)
            return
        for match in candidates.query(criteria, ["_id"], sort, hint, skip, limit, **kwargs):
            yield self._complete_document(keys[match["_id"]])

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: Sequence[str] | str | None = None) -> None:
        """Store documents, as MongoStore does; that of a job without reading the others."""
        if key is None or set(key) != {"uuid", "index"}:
            super().update(docs, key)
            return
        rows = []
        for doc in docs if isinstance(docs, list) else [docs]:
            clean = jsanitize(doc, allow_bson=True) | {"_id": f"{doc['uuid']}:{doc['index']}"}
            rows.append((_key(clean["_id"]), bson.encode(clean)))
        with self._sqlite() as connection, connection:
            connection.executemany(_UPSERT, rows)

    def remove_docs(self, criteria: Mapping[str, Any]) -> None:
        """Remove the documents that match."""
        candidates, keys = self._candidates(criteria, [*names_in(criteria), "_id"])
        matches = [(keys[match["_id"]],) for match in candidates.query(criteria, ["_id"])]
        with self._sqlite() as connection, connection:
            connection.executemany("delete from documents where k = ?", matches)

    def _candidates(self, criteria: Mapping[str, Any], names: Iterable[str]) -> tuple[MemoryStore, dict[Any, bytes]]:
        """The named fields of documents that may match, and the keys of their rows by `_id`."""
        rows = self._decode_fields(list(_required_strings(criteria)), paths_of(names))
        candidates = MemoryStore()
        candidates.connect()
        if rows:
            candidates._collection.insert_many([document for _, document in rows])
        return candidates, {document["_id"]: key for key, document in rows}

    def _decode_fields(self, strings: Sequence[str], paths: Paths) -> list[tuple[bytes, dict[str, Any]]]:
        """Decode some fields of the documents whose BSON contains all strings; others cannot match."""
        where = " and ".join(["true", *("instr(v, ?)" for _ in strings)])
        with self._sqlite() as connection:
            rows = connection.execute(f"select k, v from documents where {where}", [s.encode() for s in strings])  # noqa: S608 - question marks only
            return [(key, pick(encoded, paths)) for key, encoded in rows]

    def _complete_document(self, key: bytes) -> dict[str, Any]:
        with self._sqlite() as connection:
            (encoded,) = connection.execute("select v from documents where k = ?", (key,)).fetchone()
        return bson.decode(encoded)


def _key(identifier: str) -> bytes:
    """Key of a row from the `_id` of its document; rows that MontyDB writes have other keys."""
    return bson.encode({"": identifier})[4:-1]


def _required_strings(criteria: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strings that a document must contain to match."""
    for name, condition in criteria.items():
        if name == "$and":
            for part in condition:
                yield from _required_strings(part)
        elif not name.startswith("$"):
            values = condition.get("$all", []) if isinstance(condition, Mapping) else [condition]
            yield from (value for value in values if isinstance(value, str) and value)
