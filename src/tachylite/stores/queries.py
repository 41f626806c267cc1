"""Questions to a store, answered with documents; the same for every kind of store."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jobflow import JobStore
from pydantic import ValidationError
from pymatgen.core import Composition

from tachylite.errors import InputError
from tachylite.physics.composition import SYMBOLS, parse_formula
from tachylite.schemas import Document, Material, Run, Trajectory


@dataclass(frozen=True)
class Stage:
    """Jobs of one name that a store holds results of; `newest` is when the last of them ended."""

    name: str
    jobs: int
    newest: str


def find_materials(
    store: JobStore,
    *,
    formula: str | None = None,
    elements: Sequence[str] | None = None,
    engine: str | None = None,
    protocol: str | None = None,
    status: str | None = None,
    temperature_k: float | None = None,
    material_id: str | None = None,
    limit: int | None = None,
) -> list[Material]:
    """Find materials, newest first, of each `material_id` the newest.

    `formula` may be written in any way that gives the same composition; `elements` must all be in the
    material; `temperature_k` (K) is that of the melt or of an anneal; `engine` and `protocol` are names.
    Raises InputError for a formula or element that does not exist.
    """
    wanted = {
        "kind": "material",
        "formula": _reduced(formula) if formula is not None else None,
        "elements": {"$all": [_element(symbol) for symbol in elements]} if elements is not None else None,
        "provenance.engine": engine,
        "protocol.name": protocol,
        "status": status,
        "material_id": material_id,
    }
    criteria = {f"output.{name}": value for name, value in wanted.items() if value is not None}
    found = [_document(Material, entry["output"]) for entry in store.query(criteria)]
    newest: dict[str, Material] = {}
    for material in sorted(found, key=lambda one: one.created_at):
        newest[material.material_id] = material
    materials = sorted(newest.values(), key=lambda one: one.created_at, reverse=True)
    return [one for one in materials if temperature_k is None or temperature_k in _temperatures(one)][:limit]


def find_runs(
    store: JobStore,
    *,
    formula: str | None = None,
    engine: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> list[Run]:
    """Find runs of molecular dynamics, newest first; `formula`, `engine` and `status` as in `find_materials`."""
    reduced = _reduced(formula) if formula is not None else None
    entries = sorted(store.query({"output.runs.kind": "run"}), key=lambda entry: entry["completed_at"], reverse=True)
    runs = [_document(Run, run) for entry in entries for run in entry["output"]["runs"] if run is not None]
    return [
        run
        for run in runs
        if reduced in (None, run.formula) and engine in (None, run.provenance.engine) and status in (None, run.status)
    ][:limit]


def load_trajectory(store: JobStore, trajectory_id: str) -> Trajectory:
    """Load the trajectory that a run names by its SHA-256; InputError where the store does not hold it."""
    for entry in store.query({"output.runs.trajectory_id": trajectory_id}):
        output = entry["output"]
        for run, kept in zip(output["runs"], output["trajectories"], strict=True):
            if run is not None and run["trajectory_id"] == trajectory_id:
                found = _resolve(store, kept)
                if found is not None and found.sha256 == trajectory_id:
                    return found
    raise InputError(f"there is no trajectory {trajectory_id} in {store.name}; `find_runs` gives runs with theirs")


def find_stages(store: JobStore) -> list[Stage]:
    """Count the jobs that a store holds results of, by name, the stage that ended last first."""
    ends: dict[str, list[str]] = defaultdict(list)
    for entry in store.query({}, properties=["name", "completed_at"]):
        ends[entry.get("name") or "(no name)"].append(str(entry.get("completed_at") or ""))
    stages = [Stage(name, len(times), max(times)) for name, times in ends.items()]
    return sorted(stages, key=lambda stage: stage.newest, reverse=True)


def _resolve(store: JobStore, kept: Mapping[str, Any]) -> Trajectory | None:
    """Follow the reference that jobflow left in place of a trajectory."""
    if "blob_uuid" not in kept:
        return Trajectory.from_dict(dict(kept))
    blob = store.additional_stores[kept["store"]].query_one(
        {"blob_uuid": kept["blob_uuid"]}, properties=["blob_uuid", "data"]
    )
    return None if blob is None else Trajectory.from_dict(blob["data"])


def _reduced(formula: str) -> str:
    """Write a formula as the documents do."""
    return str(Composition(parse_formula(formula).unit).reduced_formula)


def _element(symbol: str) -> str:
    if symbol not in SYMBOLS:
        raise InputError(f"'{symbol}' is not a chemical element; write symbols like Li,O")
    return symbol


def _temperatures(material: Material) -> Iterator[float]:
    return (state.temperature_k for state in (material.melt, *material.anneals) if state is not None)


def _document[D: Document](kind: type[D], content: Mapping[str, Any]) -> D:
    """Read a document back; BSON knows neither time zones nor the marks that jobflow adds."""
    fields = {name: _in_utc(value) for name, value in content.items() if not name.startswith("@")}
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise InputError(
            f"a {content.get('kind')} in the store has schema version {content.get('schema_version')} and cannot be"
            f" read: {where}: {problem['msg']}; read it with the version of tachylite that wrote it"
        ) from None


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
