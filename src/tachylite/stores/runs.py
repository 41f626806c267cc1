"""Runs of molecular dynamics in a store, and their trajectories."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.schemas import Run, Trajectory
from tachylite.schemas.run import reduced_formula
from tachylite.stores.queries import read_document


def find_runs(
    store: JobStore,
    *,
    formula: str | None = None,
    engine: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> list[Run]:
    """Find runs of molecular dynamics, newest first; `formula`, `engine` and `status` as in `find_materials`."""
    reduced = reduced_formula(parse_formula(formula).unit) if formula is not None else None
    wanted = {"formula": reduced, "provenance.engine": engine, "status": status}
    criteria = {f"output.runs.{name}": value for name, value in wanted.items() if value is not None}
    matching = store.query({"output.runs.kind": "run"} | criteria, properties=["completed_at", "output.runs"])
    entries = sorted(matching, key=lambda entry: entry["completed_at"], reverse=True)
    runs = [read_document(Run, run) for entry in entries for run in entry["output"]["runs"] if run is not None]
    return [
        run
        for run in runs
        if reduced in (None, run.formula) and engine in (None, run.provenance.engine) and status in (None, run.status)
    ][:limit]


def load_trajectory(store: JobStore, trajectory_id: str) -> Trajectory:
    """Load the trajectory that a run names by its SHA-256; InputError where the store does not hold it."""
    trajectory = find_trajectory(store, trajectory_id)
    if trajectory is None:
        raise InputError(f"there is no trajectory {trajectory_id} in {store.name}; `find_runs` gives runs with theirs")
    return trajectory


def find_trajectory(store: JobStore, trajectory_id: str) -> Trajectory | None:
    """Load a trajectory as `load_trajectory`; None where the store does not hold it."""
    return next((found for _, found in _trajectories(store, {trajectory_id}, trajectory_id)), None)


def find_trajectories(store: JobStore, trajectory_ids: Iterable[str]) -> Iterator[tuple[str, Trajectory]]:
    """Load those trajectories that the store holds, each with its id, one at a time in the order of the store."""
    wanted = set(trajectory_ids)
    return _trajectories(store, wanted, {"$in": sorted(wanted)})


def _trajectories(store: JobStore, wanted: set[str], filters: Any) -> Iterator[tuple[str, Trajectory]]:
    missing = set(wanted)
    for entry in store.query({"output.runs.trajectory_id": filters}):
        output = entry["output"]
        for run, kept in zip(output["runs"], output["trajectories"], strict=True):
            if run is not None and run["trajectory_id"] in missing:
                trajectory = _resolve(store, kept)
                if trajectory is not None and trajectory.sha256 == run["trajectory_id"]:
                    missing.remove(trajectory.sha256)
                    yield trajectory.sha256, trajectory


def _resolve(store: JobStore, kept: Mapping[str, Any]) -> Trajectory | None:
    """Follow the reference that jobflow left in place of a trajectory."""
    if "blob_uuid" not in kept:
        return Trajectory.from_dict(dict(kept))
    blob = store.additional_stores[kept["store"]].query_one(
        {"blob_uuid": kept["blob_uuid"]}, properties=["blob_uuid", "data"]
    )
    return None if blob is None else Trajectory.from_dict(blob["data"])
