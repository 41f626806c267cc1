"""The table in memory follows the store, reads only what is new, and is asked by one reader at a time."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore
from tests.stores.store_samples import later, make_material

from tachylite.serve import table as module
from tachylite.serve.filters import matching_rows, parse_query
from tachylite.serve.remembered import Remembered
from tachylite.serve.table import Layout, MaterialRow, MaterialTable
from tachylite.stores import open_store


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return open_store(tmp_path / "store")


def keep(store: JobStore, name: str, ended: datetime, **changes: Any) -> None:
    fields: dict[str, Any] = {"material_id": name, "created_at": ended.replace(tzinfo=UTC)} | changes
    material = make_material(**fields)
    store.update({"uuid": name, "index": 1, "name": "m", "completed_at": ended.isoformat(), "output": material})


def shown(table: MaterialTable) -> list[tuple[str, str]]:
    return [(row.material_id, row.head["status"]) for row in table.snapshot.rows]


def test_new_replaced_and_removed_materials_are_seen(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    table = MaterialTable(store)
    keep(store, "a", later(1))
    keep(store, "b", later(2))
    table.refresh()
    assert shown(table) == [("b", "completed"), ("a", "completed")]
    before = table.snapshot
    taken: list[str] = []
    make_row = module._row

    def counted(entry: Mapping[str, Any], ended: str, layouts: dict[tuple[str, ...], Layout]) -> MaterialRow:
        taken.append(ended)
        return make_row(entry, ended, layouts)

    monkeypatch.setattr(module, "_row", counted)
    table.refresh()
    assert table.snapshot is before
    assert taken == [], "nothing is read twice"
    keep(store, "a", later(3), status="failed")
    keep(store, "c", later(4))
    table.refresh()
    assert shown(table) == [("c", "completed"), ("a", "failed"), ("b", "completed")]
    assert len(taken) == 2
    store.remove_docs({"uuid": "b"})
    table.refresh()
    assert shown(table) == [("c", "completed"), ("a", "failed")]


def test_a_document_that_is_mended_is_shown(store: JobStore) -> None:
    table = MaterialTable(store)
    keep(store, "a", later(1), schema_version=99)
    table.refresh()
    assert (len(table.snapshot.rows), len(table.snapshot.unreadable)) == (0, 1)
    keep(store, "a", later(2))
    table.refresh()
    assert (len(table.snapshot.rows), len(table.snapshot.unreadable)) == (1, 0)


def test_rows_without_a_value_come_last_in_both_orders(store: JobStore) -> None:
    table = MaterialTable(store)
    for number, atoms in enumerate((30, 10, 20)):
        keep(store, f"m{number}", later(number), n_atoms=atoms)
    table.refresh()
    for order, expected in (("up", [10, 20, 30]), ("down", [30, 20, 10])):
        query = parse_query([("sort", "n_atoms"), ("order", order), ("engine", "")], table.snapshot)
        assert [row.head["n_atoms"] for row in matching_rows(query, table.snapshot)] == expected


def test_many_readers_ask_once_and_nobody_waits_for_a_second_answer() -> None:
    asked: list[float] = []

    def ask() -> int:
        asked.append(time.monotonic())
        time.sleep(0.2)
        return len(asked)

    question = Remembered(ask, keep_s=0.0)
    readers = [threading.Thread(target=question.get) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(asked) == 1, "the rest after a question is ten times what it took"
    question._until = 0.0
    asking = threading.Thread(target=question.get)
    asking.start()
    while len(asked) < 2:
        time.sleep(0.01)
    began = time.monotonic()
    assert question.get() == 1, "the old answer, while the new one is on its way"
    assert time.monotonic() - began < 0.1
    asking.join()
    assert question.get() == 2
