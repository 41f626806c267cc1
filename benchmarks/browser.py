"""The browser page over a large store: what a click takes, and what 50 readers at once get.

    python -m benchmarks.browser fill STORE --from STORE     # 10,000 synthetic copies of real documents
    python -m benchmarks.browser clicks STORE
    python -m benchmarks.browser readers http://127.0.0.1:8000 --readers 50 --seconds 60

The copies have other compositions, ids and densities; they are for measuring, and nothing else.
"""

import argparse
import asyncio
import re
import statistics
import time
from collections.abc import Iterator
from itertools import batched
from pathlib import Path

import httpx
import numpy as np
from benchmarks.queries import documents
from starlette.testclient import TestClient

from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import open_store
from tachylite.stores.indexes import is_mongodb


def fill(place: Path, source: Path) -> None:
    """Write 10,000 synthetic materials into a store, made of the documents of another one."""
    store = open_store(place)
    for batch in batched(documents(source), 100):
        if is_mongodb(store):  # without what maggma does to a document before that
            store.docs_store._collection.insert_many([entry | {"_id": entry["uuid"]} for entry in batch])
        else:
            store.docs_store.update([*batch], key=["uuid", "index"])
    store.close()


def clicks(place: Path) -> None:
    """Time every kind of click, the median of five, and the first reading of the store."""
    store = open_store(place, create=False)
    began = time.perf_counter()
    with TestClient(make_application(store, Access()), base_url="http://localhost") as client:
        print(f"first reading of the store {time.perf_counter() - began:6.2f} s")
        for address in _addresses(client.get("/materials").text):
            times = [_timed(client, address) for _ in range(5)]
            print(f"{1000 * statistics.median(times):7.0f} ms, first {1000 * times[0]:7.0f} ms  {address}")
    store.close()


def _addresses(page: str) -> Iterator[str]:
    ids = re.findall(r'href="/materials/([^/"]+)/"', page)
    column = re.findall(r'name="least\.([^"]+)"', page)[0]
    yield from ("/materials", "/materials?formula=LiO", "/materials?element=Li&element=O", "/materials?page=150")
    yield from (f"/materials?sort={column}&order=up", f"/materials?least.{column}=1&status=completed")
    yield from (f"/materials/{ids[0]}/", f"/materials/{ids[0]}/files/material.json")
    yield f"/compare?id={ids[0]}&id={ids[1]}&id={ids[2]}"
    yield from ("/campaigns", "/models", "/materials.csv")


def _timed(client: TestClient, address: str) -> float:
    began = time.perf_counter()
    assert client.get(address).status_code == 200, address
    return time.perf_counter() - began


async def readers(server: str, count: int, seconds: float) -> None:
    """Let readers click for a while, each half a second after the last answer; print times and errors."""
    times: list[float] = []
    errors: list[str] = []
    async with httpx.AsyncClient(base_url=server, timeout=30, limits=httpx.Limits(max_connections=count)) as client:
        addresses = list(_addresses((await client.get("/materials")).text))[:-1]
        until = time.monotonic() + seconds

        async def read(number: int) -> None:
            turn = number
            while time.monotonic() < until:
                address = addresses[turn % len(addresses)]
                began = time.perf_counter()
                try:
                    answer = await client.get(address)
                    if answer.status_code != 200:
                        errors.append(f"{answer.status_code} {address}")
                except httpx.HTTPError as error:
                    errors.append(f"{type(error).__name__} {address}")
                times.append(time.perf_counter() - began)
                turn += 1
                await asyncio.sleep(0.5)

        await asyncio.gather(*(read(number) for number in range(count)))
    median, p95 = np.percentile(times, [50, 95])
    print(f"{len(times)} answers, {len(errors)} errors {errors[:3]}, median {median:.3f} s, 95 % within {p95:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fill", "clicks", "readers"))
    parser.add_argument("place")
    parser.add_argument("--from", dest="source", type=Path)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    if given.what == "fill":
        fill(Path(given.place), given.source)
    elif given.what == "clicks":
        clicks(Path(given.place))
    else:
        asyncio.run(readers(given.place, given.readers, given.seconds))


if __name__ == "__main__":
    main()
