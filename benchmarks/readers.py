"""What 50 readers of a store get beside a campaign that writes into it, and what the campaign loses by them.

    python -m benchmarks.readers STORE [STORE ...]     # filled by: python -m benchmarks.browser fill

A campaign is some processes (--processes, one for each core if not given) that make glasses of Cu3Au with the EMT
potential, one after the other, and store them in the store that is shown; they are removed again. Readers are one
process that steps back as the server does; each keeps what it got and asks as a browser does, half a second after the
last answer. Takes three minutes a store.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.queues import Queue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
from benchmarks.browser import addresses
from benchmarks.common import publish, table

from tachylite.flows import run_amorphous
from tachylite.schemas import Protocol
from tachylite.serve.gate import Access
from tachylite.serve.running import run_server
from tachylite.stores import open_store
from tachylite.stores.indexes import is_mongodb

READERS = 50
SECONDS = 60.0
PAUSE_S = 0.5
OLDEST = "/materials?order=up"
"""The list whose materials readers look at; the newest are those of the campaign."""

STEPS = 250
"""Of molecular dynamics for each glass of the campaign."""

PROTOCOL = {
    "name": "beside-readers",
    "timestep_fs": 4.0,
    "record_every": 25,
    "packing": {"n_atoms": 16, "volume_factor": 1.15},
    "steps": [
        {"kind": "hold", "name": "melt", "temperature_k": 2500, "time_ps": STEPS * 4e-3},
    ],
}
_processes = multiprocessing.get_context("spawn")


@dataclass
class Clicks:
    """What readers got."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Reader:
    """A browser: one connection, and the marks of the pages that it has."""

    def __init__(self, server: str, number: int, clicks: Clicks) -> None:
        self._client = httpx.AsyncClient(base_url=server, timeout=60)
        self._choice = random.Random(number)
        self._marks: dict[str, str] = {}
        self._clicks = clicks

    async def read(self, until: float) -> None:
        """Click until a time."""
        page = await self._client.get(OLDEST)
        while time.monotonic() < until:
            for address in self._choice.sample([*addresses(page.text, self._choice)], 11):
                if time.monotonic() < until:
                    await self._click(address)
                    await asyncio.sleep(PAUSE_S)
        await self._client.aclose()

    async def _click(self, address: str) -> None:
        mark = {"If-None-Match": self._marks[address]} if address in self._marks else {}
        began = time.perf_counter()
        try:
            async with self._client.stream("GET", address, headers=mark) as answer:
                async for _ in answer.aiter_raw():  # which others than this machine unpack
                    pass
            self._marks[address] = answer.headers.get("etag", "")
            if answer.status_code not in {200, 304}:
                self._clicks.errors.append(f"{answer.status_code} {address}")
        except httpx.HTTPError as error:
            self._clicks.errors.append(f"{type(error).__name__} {address}")
        self._clicks.seconds.append(time.perf_counter() - began)


def read(server: str, results: "Queue[Clicks]") -> None:
    """Let the readers click for a while."""
    os.nice(10)
    clicks, until = Clicks(), time.monotonic() + SECONDS

    async def all_of_them() -> None:
        await asyncio.gather(*(Reader(server, number, clicks).read(until) for number in range(READERS)))

    asyncio.run(all_of_them())
    results.put(clicks)


def compute(place: Path, first: int, finished: "Queue[float]") -> None:
    """Make one glass after the other; give the time of each."""
    os.environ["OMP_NUM_THREADS"] = "1"
    store, protocol = open_store(place), Protocol.model_validate(PROTOCOL)
    with TemporaryDirectory() as folder:
        for seed in count(first):
            run_amorphous(["Cu3Au"], protocol=protocol, engine="ase:emt", store=store, workdir=Path(folder), seed=seed)
            finished.put(time.monotonic())


def serve(place: Path, port: int) -> None:
    """The server, as `tachylite serve` runs it."""
    run_server(open_store(place, create=False), "127.0.0.1", port, Access())


def beside(place: Path, processes: int) -> dict[str, Any]:
    """Measure a campaign that writes into a store, alone and beside readers of the store, and what these get."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    finished: Queue[float] = _processes.Queue()
    results: Queue[Clicks] = _processes.Queue()
    server = _processes.Process(target=serve, args=(place, port))
    seeds = [random.randrange(10**9) for _ in range(processes)]
    campaign = [_processes.Process(target=compute, args=(place, seed, finished)) for seed in seeds]
    address = f"http://127.0.0.1:{port}"
    try:
        server.start()
        first_reading = _wait_for(address)
        for process in campaign:
            process.start()
        for _ in range(2 * processes):  # until all of them are at work
            finished.get()
        alone = [_rate(finished, lambda: time.sleep(SECONDS / 2))]
        clicks, with_readers = _beside(address, results, finished)
        alone.append(_rate(finished, lambda: time.sleep(SECONDS / 2)))
    finally:
        for process in (server, *campaign):
            if process.is_alive():
                process.terminate()
                process.join()
        _remove_campaign(place)
    median, p95 = np.percentile(clicks.seconds, [50, 95])
    return {
        "first_reading_s": first_reading,
        "processes": processes,
        "readers": READERS,
        "answers": len(clicks.seconds),
        "errors": len(clicks.errors),
        "first_errors": clicks.errors[:3],
        "median_s": median,
        "p95_s": p95,
        "steps_s_alone": [rate * STEPS for rate in alone],
        "steps_s_beside_readers": with_readers * STEPS,
    }


def _remove_campaign(place: Path) -> None:
    store = open_store(place)
    made = store.query({"output.kind": "material", "output.protocol.name": PROTOCOL["name"]}, ["metadata.campaign"])
    for campaign in {entry["metadata"]["campaign"] for entry in made}:
        store.remove_docs({"metadata.campaign": campaign})
    store.close()


def _beside(address: str, results: "Queue[Clicks]", finished: "Queue[float]") -> tuple[Clicks, float]:
    readers = _processes.Process(target=read, args=(address, results))
    got: list[Clicks] = []

    def until_done() -> None:
        readers.start()
        got.append(results.get())
        readers.join()

    rate = _rate(finished, until_done)
    return got[0], rate


def _rate(finished: "Queue[float]", meanwhile: Callable[[], None]) -> float:
    """Glasses a second while something goes on, from the first that is finished then to the last."""
    while not finished.empty():
        finished.get()
    meanwhile()
    times = []
    while not finished.empty():
        times.append(finished.get())
    times.sort()
    return (len(times) - 1) / (times[-1] - times[0])


def _wait_for(address: str) -> float:
    """Seconds until the server has read its store."""
    began = time.monotonic()
    while time.monotonic() < began + 600:
        try:
            if "still being read" not in httpx.get(f"{address}/materials", timeout=30).text:
                return time.monotonic() - began
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise SystemExit("the server does not answer")


def measure(places: Sequence[Path], processes: int) -> None:
    """Measure on every store, and write the table."""
    measured = {}
    for place in places:
        store = open_store(place, create=False)
        name = "MongoDB" if is_mongodb(store) else "embedded"
        store.close()
        measured[name] = beside(place, processes)
        print(name, measured[name], file=sys.stderr)
    rows = [[name, *_as_text(numbers)] for name, numbers in measured.items()]
    header = ["store", "answers", "errors", "median, s", "95 % within, s", "campaign alone, before and after, steps/s",
              "beside the readers, steps/s", "slower by"]  # fmt: skip
    title = (
        f"{READERS} readers for {SECONDS:.0f} s beside a campaign of {processes} processes on {os.cpu_count()} cores"
    )
    publish("readers", {title: table(header, rows)}, {title: measured})


def _as_text(numbers: dict[str, Any]) -> Iterator[str]:
    alone, beside_readers = numbers["steps_s_alone"], numbers["steps_s_beside_readers"]
    yield from (str(numbers["answers"]), str(numbers["errors"]))
    yield from (f"{numbers['median_s']:.3f}", f"{numbers['p95_s']:.3f}")
    yield ", ".join(f"{rate:.0f}" for rate in alone)
    yield from (f"{beside_readers:.0f}", f"{100 * (1 - beside_readers / statistics.mean(alone)):.1f} %")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    measure(given.stores, given.processes)


if __name__ == "__main__":
    main()
