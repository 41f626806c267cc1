"""Opening stores: an embedded one in a folder, or one that a YAML file describes."""

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.stores.blobs import FileBlobStore
from tachylite.stores.documents import EmbeddedDocumentStore, has_documents
from tachylite.stores.indexes import ensure_indexes
from tachylite.stores.opened import OpenedStore
from tachylite.stores.settings import check_settings, probe

DEFAULT_FOLDER = "tachylite_store"
ENVIRONMENT_VARIABLE = "TACHYLITE_STORE"

_DOCUMENTS, _TRAJECTORIES, _WORK = "documents", "trajectories", "work"


def open_store(spec: str | Path | Mapping[str, Any] | None = None, *, create: bool = True) -> JobStore:
    """Open the store of documents and trajectories, after checking that it can be used.

    `spec` is a folder (an embedded store, made if it is missing unless `create` is false), a YAML file in
    jobflow's format (`docs_store` and `additional_stores` with `data`, also inside `JOB_STORE`), or such a
    mapping; None stands for the environment variable TACHYLITE_STORE or, if unset, the folder
    `tachylite_store`. Missing indexes that queries need are made. Raises InputError where the store is malformed or
    unreachable, and for a folder that cannot be written; passwords and keys are not shown.
    """
    if spec is None:
        spec = os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER
    if isinstance(spec, Mapping):
        return _open_described(spec, "the store")
    path = Path(spec).expanduser()
    if path.suffix in {".yaml", ".yml", ".json"} or path.is_file():
        return _open_described(_read_store_file(path), f"store file {path}")
    return _open_embedded(path, create)


def store_exists(spec: str | Path | None = None) -> bool:
    """Whether a store exists to read from; one that a file describes counts as existing."""
    path = Path(spec or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER).expanduser()
    return path.is_file() or has_documents(path / _DOCUMENTS)


def _open_embedded(folder: Path, create: bool) -> JobStore:
    documents = folder / _DOCUMENTS
    if not has_documents(documents):
        if not create:
            raise InputError(f"there is no store in {folder}; `tachylite run` makes one, --store names another")
        _refuse_foreign_folder(folder)
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


def _refuse_foreign_folder(folder: Path) -> None:
    own = {_DOCUMENTS, _TRAJECTORIES, _WORK}
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in own) if folder.is_dir() else []
    if foreign:
        raise InputError(f"{folder} is not a store (it holds {foreign[0]}); name a new or empty folder")


def _read_store_file(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"store file {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # the parser quotes the invalid line, which may hold a password
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(f"store file {path} is not valid YAML{where}") from None
    if not isinstance(content, Mapping):
        raise InputError(f"store file {path} must map docs_store and additional_stores to their settings")
    return content


def _open_described(content: Mapping[str, Any], source: str) -> JobStore:
    inner = content.get("JOB_STORE", content)
    spec = check_settings(inner if isinstance(inner, Mapping) else {}, source)
    probe(spec["docs_store"], f"{source}: docs_store")
    for name, info in spec["additional_stores"].items():
        probe(info, f"{source}: additional_stores.{name}")
    store = OpenedStore.from_dict_spec(spec)
    store.connect()
    ensure_indexes(store, source)
    return store


class StoreFile(OpenedStore):
    """A store that is serialised as the path of its folder or YAML file, so that launchers keep no password of it.

    It is opened where a job runs; the path must exist on every machine that runs jobs.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def connect(self, force_reset: bool = False) -> None:
        """Open the store at the path."""
        opened = open_store(self.path)
        super().__init__(opened.docs_store, opened.additional_stores)
        super().connect(force_reset=force_reset)
