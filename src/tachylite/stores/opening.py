"""Opening stores: a folder without any server, or what a YAML file describes."""

import inspect
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from botocore.config import Config
from botocore.exceptions import ClientError
from jobflow import JobStore
from maggma.core import Store
from maggma.stores import S3Store

from tachylite.errors import InputError
from tachylite.stores.blobs import FileBlobStore
from tachylite.stores.documents import MARKER, EmbeddedDocumentStore
from tachylite.stores.indexes import ensure_indexes, is_mongodb

DEFAULT_FOLDER = "tachylite_store"
ENVIRONMENT_VARIABLE = "TACHYLITE_STORE"

_DOCUMENTS, _TRAJECTORIES, _WORK = "documents", "trajectories", "work"
_DEPRECATED = {"MongoURIStore": "MongoStore", "GridFSURIStore": "GridFSStore"}
_PROBE_TIMEOUT_MS = 4000
_LONGEST_REASON = 200
_BUCKETS = {
    403: "the key may not use bucket {}; check key, secret and permissions",
    404: "there is no bucket {}; make it first",
}
"""What a status of HTTP means when a bucket is asked for."""


def open_store(spec: str | Path | Mapping[str, Any] | None = None, *, create: bool = True) -> JobStore:
    """Open, and try, the store that documents and trajectories go to.

    `spec` is a folder (an embedded store, made where it is missing unless `create` is false), a YAML file in
    jobflow's format (`docs_store` and `additional_stores` with `data`, also inside `JOB_STORE`), or such a
    mapping; None stands for the environment variable TACHYLITE_STORE, else the folder `tachylite_store`.
    Indexes that queries need are made where they are missing. Raises InputError where the store is malformed or
    unreachable, and for a folder that cannot be written; passwords and keys are not shown.
    """
    if spec is None:
        spec = os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER
    if isinstance(spec, Mapping):
        return _described(spec, "the store")
    path = Path(spec).expanduser()
    if path.suffix in {".yaml", ".yml", ".json"} or path.is_file():
        return _described(_read(path), f"store file {path}")
    return _embedded(path, create)


def store_exists(spec: str | Path | None = None) -> bool:
    """Say whether there is a store to read from; one that a file describes counts as there."""
    path = Path(spec or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER).expanduser()
    return path.is_file() or (path / _DOCUMENTS / MARKER).exists()


def _embedded(folder: Path, create: bool) -> JobStore:
    documents = folder / _DOCUMENTS
    if not (documents / MARKER).exists():
        if not create:
            raise InputError(f"there is no store in {folder}; `tachylite run` makes one, --store names another")
        _refuse_other_folders(folder)
    store = OpenedStore(
        EmbeddedDocumentStore(str(documents.absolute())),
        additional_stores={"data": FileBlobStore(str((folder / _TRAJECTORIES).absolute()))},
    )
    try:
        store.connect()
        if create:
            for part in (_DOCUMENTS, _TRAJECTORIES):
                with tempfile.TemporaryFile(dir=folder / part):
                    pass
    except OSError as error:
        raise InputError(f"cannot write into store {folder}: {error.strerror}; choose another folder") from error
    except sqlite3.Error as error:
        raise InputError(f"store {folder} cannot be read: {error}; choose another folder") from error
    return store


def _refuse_other_folders(folder: Path) -> None:
    known = {_DOCUMENTS, _TRAJECTORIES, _WORK}
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in known) if folder.is_dir() else []
    if others:
        raise InputError(f"{folder} is not a store (it holds {others[0]}); name a new or empty folder")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"store file {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # the parser quotes the line it stumbled over, which may hold a password
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(f"store file {path} is not valid YAML{where}") from None
    if not isinstance(content, Mapping):
        raise InputError(f"store file {path} must map docs_store and additional_stores to their settings")
    return content


def _described(content: Mapping[str, Any], source: str) -> JobStore:
    inner = content.get("JOB_STORE", content)
    spec = _checked(inner if isinstance(inner, Mapping) else {}, source)
    _probe(spec["docs_store"], f"{source}: docs_store")
    for name, info in spec["additional_stores"].items():
        _probe(info, f"{source}: additional_stores.{name}")
    store = OpenedStore.from_dict_spec(spec)
    store.connect()
    ensure_indexes(store, source)
    return store


class OpenedStore(JobStore):
    """A JobStore whose name may be shown, and that keeps of every job one document with its blobs.

    The name of jobflow's is the URI, with user and password. Its blobs have a new name whenever they are written: of
    a job that runs again the old ones would stay, and so would the S3 objects of jobs that are removed.
    """

    @property
    def name(self) -> str:
        """Where documents go."""
        return place_of_documents(self)

    def update(self, docs: Any, key: Sequence[str] | str | None = None, save: Any = None) -> None:
        """Store documents as a JobStore does; blobs of the same jobs that they name no longer are removed."""
        entries = docs if isinstance(docs, list) else [docs]
        jobs = [_of_job(entry if isinstance(entry, Mapping) else vars(entry)) for entry in entries]
        parts = self.additional_stores.values()
        earlier = [(job, part, set(part.distinct("blob_uuid", job))) for job in jobs for part in parts]
        super().update(docs, key, save)
        for job, part, blobs in earlier:
            if blobs:
                stored = self.docs_store.query_one({"uuid": job["job_uuid"], "index": job["job_index"]})
                _remove_blobs(part, {"blob_uuid": {"$in": [*blobs.difference(_named_blobs(stored))]}})

    def remove_docs(self, criteria: Mapping[str, Any]) -> None:
        """Remove the documents that match, and their blobs."""
        for entry in self.query(criteria, properties=["uuid", "index"]):
            for part in self.additional_stores.values():
                _remove_blobs(part, _of_job(entry))
        self.docs_store.remove_docs(criteria)


def _of_job(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Which blobs are those of a job's document."""
    return {"job_uuid": entry["uuid"], "job_index": entry["index"]}


def _named_blobs(content: Any) -> Iterator[str]:
    """Give the names of the blobs that a document refers to."""
    if isinstance(content, Mapping):
        if "blob_uuid" in content:
            yield content["blob_uuid"]
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _named_blobs(part)


def _remove_blobs(store: Store, criteria: Mapping[str, Any]) -> None:
    # maggma would forget the objects in the bucket, and leave them there
    options = {"remove_s3_object": True} if isinstance(store, S3Store) else {}
    store.remove_docs(criteria, **options)


def place_of_documents(store: JobStore) -> str:
    """Server, database and collection of a store that is connected, or its folder; without user and password."""
    if not is_mongodb(store):
        return str(store.docs_store.name)
    collection: Any = store.docs_store._collection
    hosts = sorted(f"{host}:{port}" for host, port in collection.database.client.nodes)
    return f"mongodb://{','.join(hosts)}/{collection.full_name}"


def _probe(info: Mapping[str, Any], source: str) -> None:
    """Read from one part of a store, and close it again."""
    try:
        part = JobStore.from_dict_spec({"docs_store": _impatient(info)}).docs_store
        try:
            part.connect()
            part.query_one(properties=["_id"])
        finally:
            # what was not reached has nothing to close, and says so
            with suppress(Exception):
                part.close()
    # whatever a store class raises means that this store cannot be used
    except Exception as error:
        raise InputError(f"{source}{_address(info)} cannot be opened: {without_secrets(error, info)}") from None


def _checked(spec: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Refuse what jobflow would only stumble over when results are there to be stored."""
    unknown = spec.keys() - {"docs_store", "additional_stores"}
    additional = spec.get("additional_stores")
    if "docs_store" not in spec:
        raise InputError(f"{source} has no docs_store, where documents go")
    if unknown:
        raise InputError(f"{source} has an unknown key '{min(unknown)}'; allowed: docs_store, additional_stores")
    if not isinstance(additional, Mapping) or "data" not in additional:
        raise InputError(f"{source} has no additional_stores with `data`, where trajectories go")
    return {
        "docs_store": _checked_one(spec["docs_store"], f"{source}: docs_store"),
        "additional_stores": {
            name: _checked_one(info, f"{source}: additional_stores.{name}") for name, info in additional.items()
        },
    }


def _checked_one(info: Any, source: str) -> dict[str, Any]:
    if not isinstance(info, Mapping) or "type" not in info:
        raise InputError(f"{source} needs a `type`, like MongoStore")
    kind = _DEPRECATED.get(info["type"], info["type"])
    if kind not in _store_classes():
        raise InputError(f"{source} has the unknown type '{kind}'; known are MongoStore, GridFSStore, S3Store, ...")
    checked = {**info, "type": kind}
    if kind != info["type"]:
        checked.setdefault("database", None)
    for name, value in info.items():
        if isinstance(value, Mapping) and "type" in value:
            checked[name] = _checked_one(value, f"{source}.{name}")
    return checked


def _store_classes() -> dict[str, type]:
    kinds: list[type] = [Store]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.__name__: kind for kind in kinds}


def _impatient(info: Mapping[str, Any]) -> dict[str, Any]:
    """Copy settings with short time limits for every client of MongoDB and S3 in them."""
    copy = {name: _impatient(value) if isinstance(value, Mapping) else value for name, value in info.items()}
    parameters = inspect.signature(_store_classes().get(str(info.get("type")), object)).parameters
    if "mongoclient_kwargs" in parameters:
        limits = {"serverSelectionTimeoutMS": _PROBE_TIMEOUT_MS, "connectTimeoutMS": _PROBE_TIMEOUT_MS}
        copy["mongoclient_kwargs"] = {**copy.get("mongoclient_kwargs", {}), **limits}
    if "s3_resource_kwargs" in parameters:
        seconds = _PROBE_TIMEOUT_MS / 1000
        config = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
        copy["s3_resource_kwargs"] = {**copy.get("s3_resource_kwargs", {}), "config": config}
    return copy


def _values(info: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in info.items():
        yield name, value
        if isinstance(value, Mapping):
            yield from _values(value)


def _address(info: Mapping[str, Any]) -> str:
    if place := info.get("uri") or info.get("endpoint_url"):
        return f" at {str(place).rpartition('@')[2].rpartition('://')[2].partition('/')[0]}"
    return f" at {info['host']}:{info.get('port', 27017)}" if "host" in info else ""


def without_secrets(error: Exception, info: Mapping[str, Any]) -> str:
    """Give what an error says on one line, without secrets."""
    if isinstance(error.__context__, ClientError):
        # maggma calls every bucket that it may not use absent
        status = error.__context__.response["ResponseMetadata"]["HTTPStatusCode"]
        bucket = next((value for name, value in _values(info) if name == "bucket"), "")
        return _BUCKETS.get(status, "bucket {} answers with status {}").format(bucket, status)
    text = re.split(r" \(configured timeouts|, Timeout: |, full error: ", str(error))[0]
    text = " ".join(text.split())
    for name, value in _values(info):
        if name == "uri" or (name == "endpoint_url" and "@" in str(value)):
            user_and_password = str(value).partition("://")[2].rpartition("@")[0]
            secrets = [str(value), user_and_password, user_and_password.partition(":")[2]]
        else:
            secrets = [str(value)] if re.search("pass|secret|token|key_id", name, re.IGNORECASE) else []
        for secret in secrets:
            if secret:
                text = text.replace(secret, "***")
    return f"{type(error).__name__}: {text[:_LONGEST_REASON]}"
