"""Compute the descriptors of the states in a store: those of every trajectory once, of some materials in each job."""

import time
from collections.abc import Mapping, Sequence
from itertools import batched

from jobflow import CURRENT_JOB, JobConfig, JobStore, OutputReference, Response, job

from tachylite import __version__
from tachylite.analysis.descriptors import (
    TRAJECTORY_FIELDS,
    compute_state_descriptors,
    descriptor_fingerprint,
    states_of,
    trajectory_ids_of,
)
from tachylite.descriptors.registry import Convention
from tachylite.engines.base import Progress, progress_listener
from tachylite.jobs.engine import in_place
from tachylite.schemas.descriptors import DescriptorSet, StateDescriptors
from tachylite.stores import open_store
from tachylite.stores.descriptors import find_state_descriptors
from tachylite.stores.queries import MaterialFilter, newest_entries, read_materials
from tachylite.stores.runs import find_trajectories

MATERIALS_AT_ONCE = 50
"""In one job: a few minutes of work where each has five temperatures."""


@job(config=JobConfig(expose_store=True))
def compute_missing_descriptors(
    species: str, convention: Convention, filters: MaterialFilter, store: str | None = None
) -> Response[None] | list[OutputReference]:
    """Compute the descriptors of those trajectories, of the materials that match, whose descriptors are not stored.

    `store` is a folder or file as of `open_store`; if not given, it is the store that this job runs with. The output
    holds, for every job that this one is replaced by, the trajectories that are not in the store.
    """
    opened = store_of_job(store)
    entries = newest_entries(opened, TRAJECTORY_FIELDS, **filters)
    stored = find_state_descriptors(opened, species, convention, descriptor_fingerprint())
    missing = {
        entry["uuid"]: [identifier for identifier in trajectory_ids_of(entry["output"]) if identifier not in stored]
        for entry in entries
    }
    parts = batched(((uuid, ids) for uuid, ids in missing.items() if ids), MATERIALS_AT_ONCE)
    jobs = [compute_trajectory_descriptors(dict(part), species, convention, store) for part in parts]
    return in_place(jobs, [part.output.lacking for part in jobs])


@job(config=JobConfig(expose_store=True))
def compute_trajectory_descriptors(
    trajectory_ids: Mapping[str, Sequence[str]], species: str, convention: Convention, store: str | None = None
) -> DescriptorSet:
    """Compute the descriptors of trajectories, given by the `uuid` of the material's entry in the store.

    Trajectories that the store does not hold are named in the output.
    """
    opened = store_of_job(store)
    materials = read_materials(opened, [{"uuid": uuid} for uuid in trajectory_ids])
    states = {
        state.run.trajectory_id: state
        for material in materials
        for state in states_of(material)
        if state.run is not None
    }
    ids = [identifier for ids_of_material in trajectory_ids.values() for identifier in ids_of_material]
    descriptors: dict[str, StateDescriptors] = {}
    started = time.monotonic()
    for identifier, trajectory in find_trajectories(opened, ids):
        descriptors[identifier] = compute_state_descriptors(states[identifier], trajectory, species, convention)
        _report_progress(len(descriptors), len(ids), started)
    return DescriptorSet(
        species=species,
        convention=convention,
        version=__version__,
        fingerprint=descriptor_fingerprint(),
        states=list(descriptors.values()),
        lacking=[identifier for identifier in ids if identifier not in descriptors],
    )


def store_of_job(place: str | None) -> JobStore:
    """The store at a place; without one, that which the job under way runs with."""
    return CURRENT_JOB.store if place is None else open_store(place, create=False)


def _report_progress(done: int, total: int, started: float) -> None:
    listener = progress_listener.get()
    if listener is not None:
        rate = done / max(time.monotonic() - started, 1e-9)
        listener(Progress(label="describing", done=done, total=total, members=1, rate=rate, unit="states"))
