"""Opening stores, and queries that return documents."""

from tachylite.stores.opening import open_store
from tachylite.stores.queries import find_materials, iter_materials
from tachylite.stores.runs import find_runs, load_trajectory
from tachylite.stores.tables import find_frame, find_rows

__all__ = ["find_frame", "find_materials", "find_rows", "find_runs", "iter_materials", "load_trajectory", "open_store"]
