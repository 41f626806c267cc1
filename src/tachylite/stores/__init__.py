"""Opening stores, and queries that return documents."""

from tachylite.stores.blobs import FileBlobStore
from tachylite.stores.documents import EmbeddedDocumentStore
from tachylite.stores.opening import open_store, store_exists
from tachylite.stores.queries import Stage, find_materials, find_runs, find_stages, iter_materials, load_trajectory
from tachylite.stores.tables import find_frame, find_rows

__all__ = [
    "EmbeddedDocumentStore",
    "FileBlobStore",
    "Stage",
    "find_frame",
    "find_materials",
    "find_rows",
    "find_runs",
    "find_stages",
    "iter_materials",
    "load_trajectory",
    "open_store",
    "store_exists",
]
