"""The embedded document store: MontyDB on sqlite in a folder."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import bson
from maggma.core import Sort
from maggma.stores import MemoryStore, MontyStore
from monty.json import jsanitize
from montydb import MontyClient, set_storage

from tachylite.stores.fields import Paths, names_in, paths_of, pick, project

MARKER = ".monty.storage"
_PATIENCE_MS = 60_000
_TABLE = "create table if not exists documents (k text not null, v text not null, primary key (k))"
_UPSERT = "insert into documents (k, v) values (?, ?) on conflict (k) do update set v = excluded.v"


class EmbeddedDocumentStore(MontyStore):
    """Documents of a jobflow JobStore in a folder, read and written by any number of processes of a machine.

    The files are those of maggma's MontyStore, which decodes every document for every query and every write.
    Here, documents that do not contain the words a query asks for are passed over; of the others only the fields
    that it looks at are decoded; the document of a job is written without a search; and the settings of a folder are
    written once instead of at every connection, where another process could read them half-written.
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
            client_kwargs={"wtimeout": _PATIENCE_MS},
            **kwargs,
        )

    @property
    def file(self) -> Path:
        """The sqlite file."""
        return Path(str(self.database_path), str(self.database_name)) / f"{self.collection_name}.collection"

    def connect(self, force_reset: bool = False) -> None:
        """Set the folder up where that is missing, and open it."""
        if self._coll is not None and not force_reset:
            return
        folder = Path(self.database_path)
        if not (folder / MARKER).exists():
            self._set_up(folder)
        self.file.parent.mkdir(exist_ok=True)
        # MontyDB makes the table at the first write, where two processes get into each other's way
        with self._sqlite() as connection:
            connection.execute(_TABLE)
        client = MontyClient(self.database_path, **self.client_kwargs)
        self._coll = client[self.database_name][self.collection_name]

    def _sqlite(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.file, timeout=_PATIENCE_MS / 1000))

    def _set_up(self, folder: Path) -> None:
        """Write the settings beside their place, then move them there, the one that counts last."""
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            set_storage(temporary, storage=self.storage, **self.storage_kwargs)
            for path in sorted(Path(temporary).iterdir(), key=lambda path: path.name == MARKER):
                path.replace(folder / path.name)

    def query(  # type: ignore[override]  # `hint` before `skip`, as in every MongoStore; not so in its own base class
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        hint: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Give the documents that match, as MongoStore does; of `properties` those to include."""
        keys = self._matching(criteria or {}, sort, hint=hint, skip=skip, limit=limit, **kwargs)
        yield from self._documents(keys, paths_of([] if properties is None else [*properties, "_id"]))

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Store documents, as MongoStore does; that of a job without looking at the others."""
        if key is None or set(key) != {"uuid", "index"}:
            super().update(docs, key)
            return
        rows = []
        for doc in docs if isinstance(docs, list) else [docs]:
            clean = jsanitize(doc, allow_bson=True) | {"_id": f"{doc['uuid']}:{doc['index']}"}
            rows.append((_key(clean["_id"]), bson.encode(clean)))
        with self._sqlite() as connection, connection:
            connection.executemany(_UPSERT, rows)

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match."""
        keys = [(key,) for key in self._matching(criteria)]
        with self._sqlite() as connection, connection:
            connection.executemany("delete from documents where k = ?", keys)

    def _matching(
        self, criteria: dict[str, Any], sort: dict[str, Sort | int] | None = None, **options: Any
    ) -> list[bytes]:
        """Give the keys of the rows whose documents match; of these only what is compared is decoded."""
        paths = paths_of([*names_in(criteria), *(sort or {}), "_id"])
        words = [word.encode() for word in _words(criteria)]
        # in whose BSON a word does not occur, those cannot match
        where = " and ".join(["true", *("instr(v, ?)" for _ in words)])
        with self._sqlite() as connection:
            rows = connection.execute(f"select k, v from documents where {where}", words)  # noqa: S608 - question marks only
            candidates = [(key, pick(encoded, paths)) for key, encoded in rows]
        keys = {document["_id"]: key for key, document in candidates}
        memory = MemoryStore()
        memory.connect()
        if candidates:
            memory._collection.insert_many([document for _, document in candidates])
        return [keys[document["_id"]] for document in memory.query(criteria, ["_id"], sort, **options)]

    def _documents(self, keys: Sequence[bytes], paths: Paths) -> Iterator[dict[str, Any]]:
        """Give the documents of rows, one after the other: all of each, or the fields that are named."""
        with self._sqlite() as connection:
            for key in keys:
                # of one that was removed meanwhile there is none
                for (encoded,) in connection.execute("select v from documents where k = ?", (key,)).fetchall():
                    yield project(pick(encoded, paths), paths) if paths else bson.decode(encoded)


def _key(identifier: str) -> bytes:
    """Name a row by its `_id`; where MontyDB writes, it has names of its own."""
    return bson.encode({"": identifier})[4:-1]


def _words(criteria: Mapping[str, Any]) -> Iterator[str]:
    """Give the strings that a document must contain to match."""
    for name, wanted in criteria.items():
        if name == "$and":
            for part in wanted:
                yield from _words(part)
        elif not name.startswith("$"):
            values = wanted.get("$all", []) if isinstance(wanted, Mapping) else [wanted]
            yield from (value for value in values if isinstance(value, str) and value)
