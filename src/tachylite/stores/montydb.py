"""Documents in the files of MontyDB, which earlier versions of this package wrote: they move into the new file once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import batched
from pathlib import Path
from typing import Any

import bson

from tachylite.stores.sqlite import Database

MARKER = ".monty.storage"
"""File in a folder that tells it is one of MontyDB."""

NEVER = 0
"""Stands for the layout of a summary that was not made so far."""

_DATABASE = "tachylite"
_PATIENCE_S = 3600.0
_AT_ONCE = 200


def montydb_file(folder: Path, collection: str) -> Path:
    """The sqlite file in which MontyDB kept a collection in a folder."""
    return folder / _DATABASE / f"{collection}.collection"


def encode_name(identity: Any) -> bytes:
    """The `_id` of a document as MontyDB names rows: as in BSON, without the length of a document."""
    return bson.encode({"": identity})[4:-1]


def move_documents(file: Path, database: Database) -> None:
    """Move all documents from a file of MontyDB into a database, and remove the file.

    The file stays as it is until the database has everything, so that a kill at any moment loses nothing: whoever
    opens the store next begins again. Others that open the store meanwhile wait, and so do writers of an earlier
    version, which then fail since their table is gone.
    """
    with _held(file) as held:
        if held.execute("select 1 from sqlite_master where name = 'documents'").fetchone():
            for rows in batched(held.execute("select k, v from documents order by rowid"), _AT_ONCE):
                with database.changing() as connection:
                    connection.executemany(_NAME, ((key, NEVER) for key, _ in rows))
                    connection.executemany(_CONTENT, ((content, key) for key, content in rows))
            held.execute("alter table documents rename to moved")
            held.execute("commit")
    file.unlink(missing_ok=True)
    with suppress(OSError):  # another collection is still there
        file.parent.rmdir()
        for name in (MARKER, "monty.storage.cfg"):
            (file.parents[1] / name).unlink(missing_ok=True)


_NAME = """
insert into documents (name, layout, summary) values (?, ?, x'')
on conflict (name) do update set layout = excluded.layout
"""
_CONTENT = "insert or replace into contents (id, content) select id, ? from documents where name = ?"


@contextmanager
def _held(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody else reads or writes inside the `with` block."""
    with closing(sqlite3.connect(file, timeout=_PATIENCE_S, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        yield connection
