"""Queries on a store of 10,000 materials, embedded and MongoDB: python -m benchmarks.queries STORE.

STORE is an embedded store with real materials, whose documents are multiplied; TACHYLITE_TEST_MONGO names a MongoDB.
"""

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bson
from benchmarks.common import publish, table
from jobflow import JobStore
from pymongo import MongoClient

from tachylite.stores import find_materials, find_rows, open_store
from tachylite.stores.documents import EmbeddedDocumentStore
from tachylite.stores.queries import find_stages

NUMBER = 10_000
ELEMENTS = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")

QUESTIONS: dict[str, Callable[[JobStore], object]] = {
    "by formula, whole documents": lambda store: find_materials(store, formula="Ag3Al2"),
    "by two elements, the 10 newest": lambda store: find_materials(store, elements=["Au", "Cu"], limit=10),
    "by range of density, as rows": lambda store: find_rows(store, where=["melt.density_g_cm3.value>12"]),
    "all, as rows": find_rows,
    "stages": find_stages,
}


def documents(source: Path) -> Iterator[dict[str, Any]]:
    """Materials of a store, again and again, each with a name, a formula and a density of its own."""
    found = list(open_store(source, create=False).query({"output.kind": "material", "output.status": "completed"}))
    found = found or list(open_store(source, create=False).query({"output.kind": "material"}))
    for number in range(NUMBER):
        entry = bson.decode(bson.encode(found[number % len(found)]))
        first, second = ELEMENTS[number % 7], ELEMENTS[(number // 7) % 7]
        a, b = 1 + number // 49 % 14, 1 + number // 686
        output = entry["output"]
        output |= {"material_id": f"m{number}", "formula": f"{first}{a}{second}{b}", "elements": [first, second]}
        for result in output["results"]:
            if result["name"] == "melt" and result["density_g_cm3"]:
                result["density_g_cm3"]["value"] = number % 1000 / 50
        key = uuid.uuid4().hex
        yield entry | {"_id": f"{key}:1", "uuid": key, "index": 1, "output": output}


def fill_embedded(folder: Path, source: Path) -> JobStore:
    """Write as `EmbeddedDocumentStore.update` does, without what jobflow does to a document before that."""
    store = open_store(folder)
    kept: Any = store.docs_store
    assert isinstance(kept, EmbeddedDocumentStore)
    rows = ((bson.encode({"": entry["_id"]})[4:-1], bson.encode(entry)) for entry in documents(source))
    with kept._sqlite() as connection, connection:
        connection.executemany("insert into documents (k, v) values (?, ?)", rows)
    return store


def measure(store: JobStore) -> dict[str, float]:
    """Seconds of each question, the second time that it is asked."""
    found = {}
    for name, ask in QUESTIONS.items():
        ask(store)
        started = time.perf_counter()
        ask(store)
        found[name] = time.perf_counter() - started
    return found


def main(source: Path) -> None:
    """Fill both kinds of store, ask, and write the table."""
    uri, database = os.environ["TACHYLITE_TEST_MONGO"], f"tachylite_{uuid.uuid4().hex[:8]}"
    place = {"uri": uri, "database": database}
    spec = {
        "docs_store": {"type": "MongoStore", "collection_name": "outputs", **place},
        "additional_stores": {"data": {"type": "GridFSStore", "collection_name": "blobs", **place}},
    }
    client: MongoClient[dict[str, Any]]
    with TemporaryDirectory() as folder, MongoClient(uri) as client:
        try:
            mongo = open_store(spec)
            batch = []
            for entry in documents(source):
                batch.append(entry)
                if len(batch) == 200:
                    client[database]["outputs"].insert_many(batch)
                    batch = []
            size = client[database].command("collstats", "outputs")
            on_mongo = measure(mongo)
            embedded = fill_embedded(Path(folder) / "store", source)
            on_disk = measure(embedded)
            megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
        finally:
            client.drop_database(database)
    rows = [[name, f"{on_mongo[name]:.2f}", f"{on_disk[name]:.2f}"] for name in QUESTIONS]
    rows.append(["size on disk, MB", f"{size['storageSize'] / 1e6:.0f}", f"{megabytes:.0f}"])
    title = f"Queries on {NUMBER:,} materials of {size['avgObjSize'] / 1e3:.0f} kB, seconds"
    numbers = {"mongodb": on_mongo, "embedded": on_disk, "average_bytes": size["avgObjSize"]}
    publish("queries", {title: table(["question", "MongoDB", "embedded"], rows)}, {title: numbers})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
