"""A JobStore that is safe to name and that keeps one document, with its blobs, of every job."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobflow import JobStore
from maggma.core import Store
from maggma.stores import S3Store

from tachylite.stores.indexes import is_mongodb


class OpenedStore(JobStore):
    """A JobStore with a name without password, which keeps one document of every job and only the blobs it refers to.

    The name of jobflow's JobStore is the URI, with user and password. It gives blobs a new name whenever they are
    written, so that old ones of a job that runs again would stay, and so would S3 objects of removed jobs.
    """

    @property
    def name(self) -> str:
        """Where documents are stored."""
        return place_of_documents(self)

    def update(self, docs: Any, key: list[str] | str | None = None, save: Any = None) -> None:
        """Store documents, and remove blobs of the same jobs that they no longer refer to."""
        entries = docs if isinstance(docs, list) else [docs]
        jobs = [_blobs_of_job(entry if isinstance(entry, Mapping) else vars(entry)) for entry in entries]
        parts = self.additional_stores.values()
        earlier = [(job, part, set(part.distinct("blob_uuid", job))) for job in jobs for part in parts]
        super().update(docs, key, save)  # type: ignore[arg-type]  # the default of `key` is None in JobStore too
        for job, part, blobs in earlier:
            if blobs:
                stored = self.docs_store.query_one({"uuid": job["job_uuid"], "index": job["job_index"]})
                named = (reference["blob_uuid"] for reference in references(stored))
                _remove_blobs(part, {"blob_uuid": {"$in": [*blobs.difference(named)]}})

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match, and their blobs."""
        for entry in self.query(criteria, properties=["uuid", "index"]):
            for part in self.additional_stores.values():
                _remove_blobs(part, _blobs_of_job(entry))
        self.docs_store.remove_docs(criteria)


def _blobs_of_job(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Criteria for the blobs of a job's document."""
    return {"job_uuid": entry["uuid"], "job_index": entry["index"]}


def references(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what stands in a document in place of its blobs: `blob_uuid` and the `store` that holds it."""
    if isinstance(content, Mapping):
        if "blob_uuid" in content:
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from references(part)


def _remove_blobs(store: Store, criteria: dict[str, Any]) -> None:
    # by default maggma removes the index entries only, and leaves the objects in the bucket
    options = {"remove_s3_object": True} if isinstance(store, S3Store) else {}
    store.remove_docs(criteria, **options)


def place_of_documents(store: JobStore) -> str:
    """Server, database and collection of a connected store, or its folder; without user and password."""
    if not is_mongodb(store):
        return str(store.docs_store.name)
    collection: Any = store.docs_store._collection
    hosts = sorted(f"{host}:{port}" for host, port in collection.database.client.nodes)
    return f"mongodb://{','.join(hosts)}/{collection.full_name}"
