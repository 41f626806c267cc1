"""A sqlite file that any number of processes and threads of a machine read and write."""

import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tachylite.errors import InputError

LOCK_TIMEOUT_S = 60.0
"""How long a process waits for another one that writes."""

_REFUSALS = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}
)
"""Errors of sqlite that tell of the disk or of other processes, not of the question."""

_NETWORK = ("nfs", "lustre", "gpfs", "beegfs", "cifs", "smb", "ceph", "glusterfs", "afs", "fuse.sshfs", "9p", "pvfs")
"""How types of file systems begin that several machines share."""


class Database:
    """A sqlite file with its tables; what a `with` block writes is there as a whole or not at all, also after a kill.

    Readers see what was written last and never wait (sqlite's write-ahead log). That needs memory shared by all
    processes, which machines do not share: on a network file system writers and readers wait for each other instead.
    A process has one connection, whose threads take turns.
    """

    def __init__(self, file: Path, schema: str) -> None:
        self.file, self._folder = file, str(file.parent)
        self._schema = schema
        self._turn = threading.RLock()
        # by the number of the process: a connection must not be used on both sides of a fork
        self._connections: dict[int, sqlite3.Connection] = {}
        weakref.finalize(self, _close, self._connections)

    def make(self) -> None:
        """Make the file and its tables where they are missing.

        Raises OSError, sqlite3.Error or InputError where that fails.
        """
        if self._is_at_rest():
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            mode = "delete" if _is_on_network(self.file.parent) else "wal"
            if _journal_mode(connection) != mode:
                _change_journal_mode(connection, mode)
        present = {name for (name,) in self.read("select name from sqlite_master")}
        if not present.issuperset(re.findall(r"if not exists (\w+)", self._schema)):
            with self.changing() as connection:
                for statement in self._schema.split(";"):
                    connection.execute(statement)

    def close(self) -> None:
        """Close the connection of this process; the next use opens another."""
        with self._turn:
            _close(self._connections)

    def read(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows that answer a question in SQL."""
        with self._connected() as connection:
            return connection.execute(question, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Write inside the `with` block, while other writers wait; an exception undoes it all.

        A block inside another one belongs to that. Raises InputError, naming the file, where the disk is full or cannot
        be written.
        """
        with self._connected() as connection:
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("begin immediate")
                with connection:
                    yield connection
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _REFUSALS:
                    raise
                kept = "what was stored before is kept; make room or choose another folder"
                raise InputError(f"cannot write into {self.file}: {error}; {kept}") from error

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if self._is_at_rest():
                address = f"file:{quote(str(self.file))}?immutable=1"
                with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                    yield connection
            else:
                process = os.getpid()
                if process not in self._connections:
                    self._connections[process] = sqlite3.connect(
                        self.file, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
                    )
                yield self._connections[process]

    def _is_at_rest(self) -> bool:
        """Whether nobody writes the file now and this user may not: sqlite then needs no file beside it to read it."""
        if os.access(self._folder, os.W_OK):
            return False
        return self.file.exists() and not self.file.with_name(f"{self.file.name}-wal").exists()


def _close(connections: dict[int, sqlite3.Connection]) -> None:
    connection = connections.pop(os.getpid(), None)
    if connection is not None:
        connection.close()


def _journal_mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("pragma journal_mode").fetchone()[0])


def _change_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    """Change how a file is written; sqlite itself does not wait for others that do the same at this moment."""
    for _ in range(round(LOCK_TIMEOUT_S / 0.05)):
        with suppress(sqlite3.OperationalError):
            connection.execute(f"pragma journal_mode = {mode}")
        if _journal_mode(connection) == mode:
            return
        time.sleep(0.05)
    # once more, for its error
    connection.execute(f"pragma journal_mode = {mode}")


def _is_on_network(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a folder lies on a file system that machines share, where Linux says so."""
    types = {}
    with suppress(OSError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            _, place, kind, *_ = line.split(" ")
            types[Path(place.replace("\\040", " "))] = kind
    folder = folder.resolve()
    return next((types[place].startswith(_NETWORK) for place in (folder, *folder.parents) if place in types), False)
