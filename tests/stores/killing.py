"""Processes that write and read one store and are killed at random: python tests/stores/killing.py SECONDS PROCESSES.

Every process notes what the store has taken, after it has; nothing of that may be missing afterwards.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import bson

from tachylite.stores.documents import EmbeddedDocumentStore
from tachylite.stores.summaries import LAYOUT, summarise

SHARED = 5
"""Documents that all processes write over and over."""

NUMBERS = 5_000
"""In every document."""


def make_document(name: str, version: int) -> dict[str, Any]:
    """A document whose parts must fit together: numbers with their checksum, and a word of the same version."""
    numbers = [random.random() for _ in range(NUMBERS)]  # noqa: S311 - no secret
    output = {"kind": "material", "formula": f"v{version}", "status": "completed", "numbers": numbers}
    return {"uuid": name, "index": 1, "output": output | {"checksum": crc32(repr(numbers).encode())}}


def is_whole(document: Mapping[str, Any]) -> bool:
    return bool(crc32(repr(document["output"]["numbers"]).encode()) == document["output"]["checksum"])


def work(folder: Path, name: str) -> None:
    """Write and read until killed; a line of the notes is a document that the store has taken."""
    random.seed(name)
    store = EmbeddedDocumentStore(str(folder / "documents"), key="uuid")
    store.connect()
    with (folder / f"{name}.notes").open("a", buffering=1) as notes:
        for number in range(10**9):
            if number % 2:
                document = make_document(f"shared {random.randrange(SHARED)}", number)  # noqa: S311 - no secret
                store.update(document, key=["uuid", "index"])
            else:
                store.update(make_document(f"{name} {number}", number), key=["uuid", "index"])
                notes.write(json.dumps(f"{name} {number}") + "\n")
            version = random.randrange(number + 1)  # noqa: S311 - no secret
            for document in store.query({"output.formula": f"v{version}"}, limit=5):
                if not is_whole(document):
                    notes.write("broken\n")


def start(folder: Path, name: str) -> int:
    process = os.fork()
    if process == 0:
        try:
            work(folder, name)
        finally:
            os._exit(1)  # a worker does not end by itself
    return process


def run(folder: Path, seconds: float, processes: int) -> Mapping[str, int]:
    """Let processes work, kill one after the other, and compare the store with their notes."""
    kills = ended = 0
    at_work = {start(folder, f"{place}"): place for place in range(processes)}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(random.uniform(0.02, 0.5) * min(1, seconds / 60 + 0.3))  # noqa: S311 - no secret
        victim = random.choice(list(at_work))  # noqa: S311 - no secret
        os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        kills += 1
        ended += not os.WIFSIGNALED(status)
        place = at_work.pop(victim)
        at_work[start(folder, f"{place}.{kills}")] = place
    for process in at_work:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    return {"kills": kills, "ended by themselves": ended, **compare(folder)}


def compare(folder: Path) -> Mapping[str, int]:
    """What the store holds beside what it had taken, and whether its parts fit together."""
    lines = [line for notes in folder.glob("*.notes") for line in notes.read_text().splitlines()]
    taken = {json.loads(line) for line in lines if line.endswith('"')}
    with closing(EmbeddedDocumentStore(str(folder / "documents"), key="uuid")) as store:
        store.connect()
        documents = list(store.query({"output.kind": "material"}))
        names = {document["uuid"] for document in documents}
        half_written = sum(not is_whole(document) for document in documents) + lines.count("broken")
    return {
        "taken": len(taken),
        "lost": len(taken - names),
        "twice": len(documents) - len(names),
        "half written": half_written,
        "parts that do not fit": sum(1 for _ in misfits(folder / "documents" / "outputs.sqlite")),
    }


def misfits(file: Path) -> Iterator[object]:
    """What sqlite finds wrong with a file, and documents whose summary, row or words are not theirs."""
    with closing(sqlite3.connect(file)) as database:
        yield from (line for (line,) in database.execute("pragma integrity_check") if line != "ok")
        yield from database.execute("select id from contents where id not in (select id from documents)")
        yield from database.execute("select document from words where document not in (select id from documents)")
        yield from database.execute("select id from rows where id not in (select id from documents)")
        question = (
            "select id, layout, summary, row, content from documents"
            " left join contents using (id) left join rows using (id)"
        )
        for place, layout, fields, row, content in database.execute(question):
            words = frozenset(database.execute("select field, word from words where document = ?", (place,)))
            summary = summarise(content or bson.encode({}))
            as_kept = (layout, fields, row, words) == (LAYOUT, summary.fields, summary.row, summary.words)
            if content is None or not as_kept:
                yield place


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(run(Path(temporary), float(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - a script
