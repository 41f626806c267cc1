"""Queries on a store of 10,000 materials, embedded and MongoDB: python -m benchmarks.queries STORE.

STORE is an embedded store with real materials, of which the largest is multiplied; TACHYLITE_TEST_MONGO names a
MongoDB. The embedded store is asked while another process writes to it. Beside both stand the seconds of the embedded
store on MontyDB, as it was before docs/decisions/0020, which are kept in the results; some were not measured.
"""

import json
import multiprocessing
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bson
from benchmarks.common import RESULTS, publish, table
from jobflow import JobStore
from pymongo import MongoClient

from tachylite.stores import find_materials, find_rows, open_store
from tachylite.stores.stages import find_stages

NUMBER = 10_000
WRITES = 100
REPEATS = 5
PAUSE_S = 0.1
"""Between two documents of the process that writes meanwhile."""

BEFORE = "Before: the embedded store on MontyDB, 10,000 materials of 230 kB, seconds"
ELEMENTS = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")

QUESTIONS: dict[str, Callable[[JobStore], object]] = {
    "by formula, whole documents": lambda store: find_materials(store, formula="Ag3Al2"),
    "the 10 newest, as rows": lambda store: find_rows(store, limit=10),
    "by two elements, the 10 newest": lambda store: find_materials(store, elements=["Au", "Cu"], limit=10),
    "by range of density, as rows": lambda store: find_rows(store, where=["melt.density_g_cm3.value>12"]),
    "all, as rows": find_rows,
    "stages": find_stages,
}
WRITING = ("one document written, median", "one document written, 95 of 100 within")


def documents(source: Path, number: int = NUMBER) -> Iterator[dict[str, Any]]:
    """The largest material of a store again and again, each with a name, a formula, a time and a density of its own."""
    entries = open_store(source, create=False).query({"output.kind": "material"})
    largest = max(map(bson.encode, entries), key=len)
    for place in range(number):
        entry = bson.decode(largest)
        first, second = ELEMENTS[place % 7], ELEMENTS[(place // 7) % 7]
        output = entry["output"]
        output |= {"material_id": f"m{place}", "elements": [first, second]}
        output["formula"] = f"{first}{1 + place // 49 % 14}{second}{1 + place // 686}"
        output["created_at"] = datetime(2026, 1, 1) + timedelta(minutes=place * 7919 % 10_007)
        for result in output["results"]:
            if result["name"] == "melt" and result["density_g_cm3"]:
                result["density_g_cm3"]["value"] = place % 1000 / 50
        del entry["_id"]
        yield entry | {"uuid": uuid.uuid4().hex, "index": 1}


def write(store: JobStore, source: Path, number: int) -> list[float]:
    """Write documents as jobflow gives them to the store, one by one; the seconds of each."""
    seconds = []
    for entry in documents(source, number):
        started = time.perf_counter()
        store.docs_store.update(entry, key=["uuid", "index"])
        seconds.append(time.perf_counter() - started)
    return seconds


def write_on(folder: Path, source: Path) -> None:
    """Write the same documents again and again until the process is ended, as a campaign does."""
    store = open_store(folder)
    entries = list(documents(source, 10))
    while True:
        for entry in entries:
            entry["output"]["status"] = "failed"
            store.docs_store.update(entry, key=["uuid", "index"])
            time.sleep(PAUSE_S)


def measure(store: JobStore, source: Path) -> dict[str, float]:
    """Seconds of each question, the best of some times that it is asked after the first; and of a write."""
    best = {}
    for name, ask in QUESTIONS.items():
        ask(store)
        seconds = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            ask(store)
            seconds.append(time.perf_counter() - started)
        best[name] = min(seconds)
    written = sorted(write(store, source, WRITES))
    return best | dict(zip(WRITING, (statistics.median(written), written[int(0.95 * WRITES)]), strict=True))


def measure_embedded(folder: Path, source: Path) -> dict[str, float]:
    """Fill an embedded store, and ask it while another process writes."""
    store = open_store(folder)
    write(store, source, NUMBER)
    writer = multiprocessing.get_context("spawn").Process(target=write_on, args=(folder, source), daemon=True)
    writer.start()
    try:
        return measure(store, source)
    finally:
        writer.terminate()
        writer.join()
        store.close()


def measure_mongodb(source: Path) -> tuple[dict[str, float], dict[str, Any]]:
    """Fill a MongoDB and ask it; what it says about the size of its documents too."""
    uri, database = os.environ["TACHYLITE_TEST_MONGO"], f"tachylite_{uuid.uuid4().hex[:8]}"
    place = {"uri": uri, "database": database}
    spec = {
        "docs_store": {"type": "MongoStore", "collection_name": "outputs", **place},
        "additional_stores": {"data": {"type": "GridFSStore", "collection_name": "blobs", **place}},
    }
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        try:
            store = open_store(spec)
            write(store, source, NUMBER)
            return measure(store, source), client[database].command("collstats", "outputs")
        finally:
            client.drop_database(database)


def main(source: Path) -> None:
    """Fill both kinds of store, ask, and write the table."""
    with TemporaryDirectory() as folder:
        embedded = measure_embedded(Path(folder) / "store", source)
        megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    mongodb, size = measure_mongodb(source)
    before = json.loads((RESULTS / "queries.json").read_text())[BEFORE]["numbers"]["embedded"]
    columns = (before, embedded, mongodb)
    rows = [[name, *(f"{of[name]:.3f}" if name in of else "-" for of in columns)] for name in embedded]
    sizes = (before["megabytes"], megabytes, size["storageSize"] / 1e6)
    rows.append(["size on disk, MB", *(f"{number:.0f}" for number in sizes)])
    title = f"Queries on {NUMBER:,} materials of {size['avgObjSize'] / 1e3:.0f} kB, seconds"
    numbers = {"mongodb": mongodb, "embedded": embedded, "before": before, "average_bytes": size["avgObjSize"]}
    header = ["question", "embedded, before", "embedded, while another process writes", "MongoDB"]
    publish("queries", {title: table(header, rows)}, {title: numbers})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
