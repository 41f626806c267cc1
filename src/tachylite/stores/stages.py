"""How many jobs of every name a store holds results of."""

from collections import defaultdict
from dataclasses import dataclass

from jobflow import JobStore

from tachylite.stores.indexes import STAGES, is_mongodb


@dataclass(frozen=True)
class Stage:
    """Jobs of one name that a store holds results of; `newest` is when the last of them ended."""

    name: str
    jobs: int
    newest: str


def find_stages(store: JobStore) -> list[Stage]:
    """Count the jobs that a store holds results of, by name, the stage that ended last first."""
    if is_mongodb(store):
        group = {"$group": {"_id": "$name", "jobs": {"$sum": 1}, "newest": {"$max": "$completed_at"}}}
        # answered from the index, without a look at the documents
        rows = store.docs_store._collection.aggregate([group], hint=STAGES)
        stages = [Stage(_name(row["_id"]), row["jobs"], str(row["newest"] or "")) for row in rows]
    else:
        ends: dict[str, list[str]] = defaultdict(list)
        for entry in store.query({}, properties=["name", "completed_at"]):
            ends[_name(entry.get("name"))].append(str(entry.get("completed_at") or ""))
        stages = [Stage(name, len(times), max(times)) for name, times in ends.items()]
    return sorted(stages, key=lambda stage: stage.newest, reverse=True)


def _name(stored: str | None) -> str:
    return stored or "(no name)"
