"""The browser page over a large store: what a click takes.

    python -m benchmarks.browser fill STORE --from STORE     # 10,000 synthetic copies of real documents
    python -m benchmarks.browser clicks STORE

The copies have other compositions, ids and densities, and share the trajectories of the original; they are for
measuring, and nothing else.
"""

import argparse
import random
import re
import statistics
import time
from collections.abc import Iterator
from itertools import batched
from pathlib import Path

from benchmarks.queries import documents
from starlette.testclient import TestClient

from tachylite.schemas import Trajectory
from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import open_store
from tachylite.stores.indexes import is_mongodb


def fill(place: Path, source: Path) -> None:
    """Write 10,000 synthetic materials into a store, made of the documents of another one, and its trajectories."""
    store = open_store(place)
    for entry in open_store(source, create=False).query({"output.runs.kind": "run"}, load=True):
        store.update(entry, save={"data": Trajectory})
    for batch in batched(documents(source), 100):
        if is_mongodb(store):  # without what maggma does to a document before that
            store.docs_store._collection.insert_many([entry | {"_id": entry["uuid"]} for entry in batch])
        else:
            store.docs_store.update([*batch], key=["uuid", "index"])
    store.close()


def clicks(place: Path) -> None:
    """Time every kind of click for the first time and again, and the first reading of the store."""
    store = open_store(place, create=False)
    began = time.perf_counter()
    application = make_application(store, Access())
    with TestClient(application, base_url="http://localhost") as client:
        while "still being read" in (page := client.get("/materials").text):
            time.sleep(0.5)
        print(f"first reading of the store {time.perf_counter() - began:6.2f} s")
        for address in [*addresses(page, random.Random(1)), "/materials.csv"]:
            times = [_timed(client, address) for _ in range(6)]
            again = statistics.median(times[1:])
            print(f"first {1000 * times[0]:7.0f} ms, again {1000 * again:7.0f} ms  {address}")
    store.close()


def addresses(page: str, choice: random.Random) -> Iterator[str]:
    """What a reader clicks on: the list in several ways, one of its materials, three of them beside each other."""
    ids = choice.sample(re.findall(r'href="/materials/([^/"]+)/"', page), 3)
    column = re.findall(r'name="least\.([^"]+)"', page)[0]
    yield from ("/materials", "/materials?formula=CuAu", "/materials?element=Cu&element=Au", "/materials?page=150")
    yield from (f"/materials?sort={column}&order=up", f"/materials?least.{column}=1&status=completed")
    yield from (f"/materials/{ids[0]}/", f"/materials/{ids[0]}/files/material.json")
    yield f"/compare?id={ids[0]}&id={ids[1]}&id={ids[2]}"
    yield from ("/campaigns", "/models")


def _timed(client: TestClient, address: str) -> float:
    began = time.perf_counter()
    assert client.get(address).status_code == 200, address
    return time.perf_counter() - began


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fill", "clicks"))
    parser.add_argument("place", type=Path)
    parser.add_argument("--from", dest="source", type=Path)
    given = parser.parse_args()
    if given.what == "fill":
        fill(given.place, given.source)
    else:
        clicks(given.place)


if __name__ == "__main__":
    main()
