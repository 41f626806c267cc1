"""The embedded document store: a sqlite file in a folder, which answers as MongoDB does."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched, islice
from pathlib import Path
from typing import Any

import bson
from bson.errors import InvalidDocument
from maggma.core import Sort, Store
from maggma.stores import MemoryStore
from monty.json import jsanitize

from tachylite.stores.fields import Paths, covers, names_in, paths_of, pick, project
from tachylite.stores.matching import in_order, matcher
from tachylite.stores.montydb import MARKER, NEVER, encode_name, montydb_file, move_documents
from tachylite.stores.sqlite import Database
from tachylite.stores.summaries import LAYOUT, SUMMARY, TIMES, WORDS, narrow, summarise

type Content = dict[str, Any]

_SCHEMA = """
create table if not exists documents (
    id integer primary key, name blob not null unique, layout integer not null,
    created text, completed text, summary blob not null);
create table if not exists rows (id integer primary key, row blob not null);
create table if not exists contents (id integer primary key, content blob not null);
create table if not exists words (field text, word text, document integer, primary key (field, word, document))
    without rowid;
create index if not exists words_of_document on words (document);
create index if not exists layouts on documents (layout);
create index if not exists times on documents (created, completed);
"""
_OF_ANOTHER_LAYOUT = "select id from documents where layout < ? or layout > ? limit ?"
_AT_ONCE = 200
_SUMMARIES_AT_ONCE = 50


class EmbeddedDocumentStore(Store):
    """Documents of a jobflow JobStore in a folder, read and written by any number of processes of a machine.

    Every document is whole in BSON, and beside it there are the fields that tables show and the words that documents
    are found by (`summaries.py`): most questions read these alone. Criteria are those of MongoDB that `matcher` knows.
    Folders that MontyDB wrote, of earlier versions, are taken over when they are opened.
    """

    def __init__(self, database_path: str, collection_name: str = "outputs", **kwargs: Any) -> None:
        self.database_path = database_path
        self.collection_name = collection_name
        self.kwargs = kwargs
        self._database = Database(documents_file(Path(database_path), collection_name), _SCHEMA)
        super().__init__(**kwargs)

    @property
    def name(self) -> str:
        """The file."""
        return f"sqlite://{self._database.file}"

    @property
    def _collection(self) -> Any:
        raise NotImplementedError("an EmbeddedDocumentStore has no MongoDB collection")

    def connect(self, force_reset: bool = False) -> None:
        """Make the file where it is missing, and take over what an earlier version wrote."""
        self._database.make()
        earlier = montydb_file(Path(self.database_path), self.collection_name)
        if earlier.exists():
            move_documents(earlier, self._database)
        self._renew()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def count(self, criteria: Mapping[str, Any] | None = None) -> int:
        """Count the documents that match."""
        return sum(1 for _ in self._matching(criteria or {}))

    def query(
        self,
        criteria: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | Sequence[str] | None = None,
        sort: Mapping[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[Content]:
        """Give the documents that match, as MongoStore does; of `properties` those to include.

        They are read one by one: who needs the first ones only may stop there.
        """
        chosen = islice(self._matching(criteria or {}, sort), skip, skip + limit if limit else None)
        paths = _included(properties)
        for _, document in self._look_at(chosen, paths):
            yield project(document, paths) if paths else document

    def rows(
        self, criteria: Mapping[str, Any] | None = None, sort: Mapping[str, Sort | int] | None = None
    ) -> Iterator[Content | None]:
        """Give the row in a table of every document that matches, as `row_of` makes it; None where it has none."""
        for some in batched(self._matching(criteria or {}, sort), _SUMMARIES_AT_ONCE):
            encoded = self._encoded("select id, row from rows", some)
            yield from (bson.decode(encoded[place]) if place in encoded else None for place in some)

    def update(self, docs: Sequence[Content] | Content, key: Sequence[str] | str | None = None) -> None:
        """Store documents, each in place of the one that has the same values of `key`; all of them or none.

        Raises InputError, naming the file, where it cannot be written.
        """
        names = [key] if isinstance(key, str) else [*(key or [self.key])]
        with self._database.changing() as connection:
            for entry in [docs] if isinstance(docs, Mapping) else docs:
                place, identity = self._place_of(connection, {name: entry[name] for name in names})
                content = _encode({**entry, "_id": identity})
                connection.execute("insert or replace into contents (id, content) values (?, ?)", (place, content))
                _summarise(connection, place, content)

    def remove_docs(self, criteria: Mapping[str, Any]) -> None:
        """Remove the documents that match."""
        with self._database.changing() as connection:
            places = [(place,) for place in self._matching(criteria)]
            connection.executemany("delete from documents where id = ?", places)
            connection.executemany("delete from contents where id = ?", places)
            connection.executemany("delete from rows where id = ?", places)
            connection.executemany("delete from words where document = ?", places)

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Whether documents are found by this field without a look at them."""
        return key in WORDS

    # it needs nothing but `query`
    groupby = MemoryStore.groupby

    def _place_of(self, connection: sqlite3.Connection, criteria: Content) -> tuple[int, Any]:
        """Number and `_id` of the document that matches, or of a new one."""
        for place, document in self._look_at(islice(self._matching(criteria), 1), {"_id": {}}):
            return place, document["_id"]
        identity = bson.ObjectId()
        row = (encode_name(identity), NEVER)
        added = connection.execute("insert into documents (name, layout, summary) values (?, ?, x'')", row)
        assert added.lastrowid is not None  # noqa: S101 - for the type checker: a row was inserted
        return added.lastrowid, identity

    def _matching(self, criteria: Mapping[str, Any], sort: Mapping[str, Sort | int] | None = None) -> Iterator[int]:
        """Give the numbers of the documents that match, in the order of `sort`, then in that in which they came."""
        self._renew()
        where, values, rest = narrow(criteria)
        orders = {name: Sort(order) == Sort.Descending for name, order in (sort or {}).items()}
        in_sql = orders.keys() <= TIMES.keys()
        terms = [(TIMES[name], descending) for name, descending in orders.items()] if in_sql else []
        # of equal ones, the last comes first where the newest does
        terms.append(("id", bool(terms) and terms[-1][1]))
        ordering = ", ".join(f"{column} {'desc' if descending else 'asc'}" for column, descending in terms)
        source = "documents indexed by times" if terms[1:] else "documents"
        rows = self._database.read(f"select id from {source} where {where} order by {ordering}", values)  # noqa: S608 - our own columns
        places = (place for (place,) in rows)
        paths = paths_of([*names_in(rest), *([] if in_sql else orders)])
        if not paths:
            yield from places
            return
        test = matcher(rest)
        matching = (entry for entry in self._look_at(places, paths) if test(entry[1]))
        yield from (place for place, _ in (matching if in_sql else in_order(matching, orders)))

    def _look_at(self, places: Iterable[int], paths: Paths) -> Iterator[tuple[int, Content]]:
        """Read documents one by one with at least the fields that `paths` names, or whole; each with its number."""
        in_summary = bool(paths) and covers(SUMMARY, paths)
        question = "select id, summary from documents" if in_summary else "select id, content from contents"
        for some in batched(places, _SUMMARIES_AT_ONCE if in_summary else 1):
            encoded = self._encoded(question, some)
            for place in some:
                if place in encoded:  # it may have been removed meanwhile
                    yield place, bson.decode(encoded[place]) if in_summary else pick(encoded[place], paths)

    def _encoded(self, question: str, places: Sequence[int]) -> dict[int, bytes]:
        """What a question gives of those of some documents that are there still."""
        marks = ", ".join("?" * len(places))
        return dict(self._database.read(f"{question} where id in ({marks})", places))

    def _renew(self) -> None:
        """Make the summaries that another version of this package made anew."""
        while places := self._database.read(_OF_ANOTHER_LAYOUT, (LAYOUT, LAYOUT, _AT_ONCE)):
            with self._database.changing() as connection:
                for (place,) in places:
                    for (content,) in connection.execute("select content from contents where id = ?", (place,)):
                        _summarise(connection, place, content)


def documents_file(folder: Path, collection: str = "outputs") -> Path:
    """The sqlite file of a collection in a folder."""
    return folder / f"{collection}.sqlite"


def has_documents(folder: Path) -> bool:
    """Whether a folder holds documents of an embedded store, or those of an earlier version."""
    return documents_file(folder).exists() or (folder / MARKER).exists()


def _encode(document: Content) -> bytes:
    """BSON of a document; what BSON does not know becomes what jobflow makes of it."""
    try:
        return bson.encode(document)
    except (InvalidDocument, ValueError):
        return bson.encode(jsanitize(document, allow_bson=True))


def _summarise(connection: sqlite3.Connection, place: int, content: bytes) -> None:
    """Keep the summary of a document beside it."""
    summary = summarise(content)
    row = (LAYOUT, summary.created, summary.completed, summary.fields, place)
    connection.execute("delete from rows where id = ?", (place,))
    if summary.row is not None:
        connection.execute("insert into rows values (?, ?)", (place, summary.row))
    connection.execute("update documents set layout = ?, created = ?, completed = ?, summary = ? where id = ?", row)
    connection.execute("delete from words where document = ?", (place,))
    connection.executemany("insert into words values (?, ?, ?)", ((*word, place) for word in sorted(summary.words)))


def _included(properties: Mapping[str, Any] | Sequence[str] | None) -> Paths:
    """The fields that a projection includes; none stands for all. Raises ValueError for one that leaves fields out."""
    if properties is None:
        return {}
    wanted = properties if isinstance(properties, Mapping) else dict.fromkeys(properties, True)
    named = {"_id": True, **wanted}
    left_out = [name for name, include in named.items() if not include and name != "_id"]
    if left_out:
        raise ValueError(f"the embedded store includes fields, it does not leave out {', '.join(left_out)}")
    return paths_of(name for name, include in named.items() if include)
