"""From materials in a store to their descriptors: every trajectory is described once, a number of them in each job."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from jobflow import CURRENT_JOB, JobConfig, JobStore, Response, job

from tachylite import __version__
from tachylite.descriptors import Convention, Description, describe
from tachylite.engines.base import Progress, progress_listener
from tachylite.errors import InputError
from tachylite.jobs.engine import in_place
from tachylite.schemas import Material, Trajectory
from tachylite.schemas.description import DescribedState, Descriptions
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores import open_store
from tachylite.stores.descriptions import find_described
from tachylite.stores.queries import MaterialFilter, find_trajectories, find_trajectory, newest_entries, read_materials

MOST_FRAMES = 100
"""Of a trajectory that are described; more are correlated."""

MATERIALS_AT_ONCE = 50
"""In one job: a few minutes of work where each has five temperatures."""


@job(config=JobConfig(expose_store=True))
def describe_materials(
    species: str, convention: Convention, filters: MaterialFilter, store: str | None = None
) -> Response | list[list[str]]:
    """Have the trajectories of the materials `filters` for described that never were; the output names what is lacking.

    `store` is a folder or file as of `open_store`; if not given, it is the store that this job runs with.
    """
    opened = store_of_job(store)
    entries = newest_entries(opened, ["results.run.trajectory_id"], **filters)
    known = find_described(opened, species, convention, __version__)
    missing = {entry["uuid"]: [one for one in _trajectories(entry["output"]) if one not in known] for entry in entries}
    some = batched(((uuid, ids) for uuid, ids in missing.items() if ids), MATERIALS_AT_ONCE)
    jobs = [describe_states(dict(part), species, convention, store) for part in some]
    return in_place(jobs, [one.output.lacking for one in jobs])


@job(config=JobConfig(expose_store=True))
def describe_states(
    wanted: Mapping[str, Sequence[str]], species: str, convention: Convention, store: str | None = None
) -> Descriptions:
    """Describe trajectories, given by the `uuid` of the material's entry; those that the store lacks are left out."""
    opened = store_of_job(store)
    materials = read_materials(opened, [{"uuid": uuid} for uuid in wanted])
    states = {state.run.trajectory_id: state for one in materials for state in _states(one) if state.run is not None}
    ids = [one for several in wanted.values() for one in several]
    found: dict[str, DescribedState] = {}
    started = time.monotonic()
    for trajectory_id, trajectory in find_trajectories(opened, ids):
        found[trajectory_id] = describe_state(states[trajectory_id], trajectory, species, convention)
        _report(len(found), len(ids), started)
    return Descriptions(
        species=species,
        convention=convention,
        version=__version__,
        states=list(found.values()),
        lacking=[one for one in ids if one not in found],
    )


def described_states(
    store: JobStore, materials: Iterable[Material], species: str, convention: Convention
) -> Iterator[tuple[Material, HoldResult, DescribedState]]:
    """Every state of materials with its descriptors: as they were kept, else computed, else with the reason.

    Without a trajectory in the store it is the last frame that is described.
    """
    known = find_described(store, species, convention, __version__)
    for material in materials:
        for state in _states(material):
            kept = state.run.trajectory_id if state.run is not None else None
            found = known.get(kept or "")
            if found is None:
                trajectory = find_trajectory(store, kept) if kept is not None else None
                found = describe_state(state, trajectory, species, convention)
            yield material, state, found


def describe_state(
    state: HoldResult, trajectory: Trajectory | None, species: str, convention: Convention
) -> DescribedState:
    """Descriptors of a state, or why it has none."""
    fields = {"formula": state.formula, "temperature_k": state.temperature_k}
    fields["trajectory_id"] = None if trajectory is None else trajectory.sha256
    try:
        found = describe_melt(state, trajectory, species, convention)
    except InputError as error:
        return DescribedState(**fields, reason=str(error))
    return DescribedState(
        **fields,
        n_frames=found.n_frames,
        values={name: estimate.mean for name, estimate in found.values.items()},
        errors={name: one.error if math.isfinite(one.error) else None for name, one in found.values.items()},
    )


def describe_melt(melt: HoldResult, trajectory: Trajectory | None, species: str, convention: Convention) -> Description:
    """Descriptors of a state: means over its trajectory where that is at hand, else of its last frame.

    Raises InputError for a state without a run and as `describe` does.
    """
    run = melt.run
    if run is None or run.status == "failed":
        raise InputError(melt.reason or "there is no run to describe")
    if trajectory is None:
        state = run.final
        return describe([state.positions], state.cell, state.numbers, species, convention=convention)
    some = slice(None, None, -(-trajectory.n_frames // MOST_FRAMES))
    return describe(
        trajectory.positions[some], trajectory.cells[some], trajectory.numbers, species, convention=convention
    )


def store_of_job(place: str | None) -> JobStore:
    """The store at a place; without one, that which the job under way runs with."""
    return CURRENT_JOB.store if place is None else open_store(place, create=False)


def _states(material: Material) -> list[HoldResult]:
    return material.of_kind(HoldResult)


def _trajectories(output: Mapping[str, Any]) -> list[str]:
    """Those of the states of a material, from some fields of its document."""
    found = [(state.get("run") or {}).get("trajectory_id") for state in output["results"]]
    return [one for one in found if one is not None]


def _report(done: int, total: int, started: float) -> None:
    listener = progress_listener.get()
    if listener is not None:
        rate = done / max(time.monotonic() - started, 1e-9)
        listener(Progress(label="describing", done=done, total=total, members=1, rate=rate, unit="states"))
