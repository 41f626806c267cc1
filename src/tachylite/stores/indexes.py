"""Indexes for the queries of this package on MongoDB."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jobflow import JobStore
from maggma.stores import MemoryStore, MongoStore
from pymongo.errors import PyMongoError

from tachylite.errors import InputError

IDENTITY, STAGES, NEWEST = "tachylite_identity", "tachylite_stages", "tachylite_newest"

INDEXES: Mapping[str, tuple[str, ...]] = {
    IDENTITY: ("uuid", "index"),
    STAGES: ("name", "completed_at"),
    "tachylite_campaigns": ("metadata.campaign",),
    # alone: outputs of jobs may be lists, and then MongoDB uses only the first of two fields of an output
    "tachylite_ids": ("output.material_id",),
    "tachylite_formulas": ("output.formula",),
    "tachylite_elements": ("output.elements",),
    "tachylite_trajectories": ("output.runs.trajectory_id",),
    "tachylite_endings": ("output.kind", "completed_at"),
    "tachylite_models": ("output.model.kind",),
    "tachylite_potentials": ("output.learned.kind",),
    # all that is asked of materials before they are read: MongoDB answers from the index, without their documents
    NEWEST: (
        *("output.kind", "output.created_at", "completed_at", "output.material_id", "output.schema_version"),
        *("uuid", "index", "_id"),
    ),
}
"""Fields by the name of the index over them."""

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    IDENTITY: {"unique": True},
    NEWEST: {"partialFilterExpression": {"output.kind": "material"}},
}
"""Of these indexes: a job has one document; lists among outputs of other jobs stay out of what is told of materials."""

_OF_BLOBS = ("blob_uuid", "job_uuid")


def is_mongodb(store: JobStore) -> bool:
    """Whether documents are on a MongoDB server; maggma's other stores inherit from its MongoStore."""
    documents = store.docs_store
    return isinstance(documents, MongoStore) and not isinstance(documents, MemoryStore)


def ensure_indexes(store: JobStore, source: str) -> None:
    """Create the indexes that are missing: of documents where they are on MongoDB, and of blobs.

    Raises InputError, naming the index and the command that makes it, where the server does not allow it; blobs
    can be found without theirs.
    """
    for part in store.additional_stores.values():
        # maggma's stores in memory and in files have no indexes
        with suppress(NotImplementedError):
            for field in _OF_BLOBS:
                part.ensure_index(field)
    if not is_mongodb(store):
        return
    collection: Any = store.docs_store._collection
    try:
        existing = set(collection.index_information())
    except PyMongoError as error:
        problem = f"the indexes of {collection.full_name} cannot be read: {_one_line(error)}"
        raise InputError(f"{source}: {problem}") from None
    for name, fields in INDEXES.items():
        if name in existing:
            continue
        try:
            collection.create_index([(field, 1) for field in fields], name=name, **_OPTIONS.get(name, {}))
        except PyMongoError as error:
            keys, options = json.dumps(dict.fromkeys(fields, 1)), json.dumps({"name": name, **_OPTIONS.get(name, {})})
            raise InputError(
                f"{source}: {collection.full_name} has no index {name} and it cannot be made here: {_one_line(error)}; "
                f"make it once: db.{collection.name}.createIndex({keys}, {options})"
            ) from None


def _one_line(error: PyMongoError) -> str:
    return " ".join(str(error).partition(", full error")[0].split())[:200]
