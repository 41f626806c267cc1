"""Materials as rows of a table: one number a column, units in the names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from jobflow import JobStore

from tachylite.stores.documents import EmbeddedDocumentStore
from tachylite.stores.queries import NEWEST_FIRST, MaterialFilter, criteria_of, iter_newest_entries, newest_entries
from tachylite.stores.rows import Row, row_of
from tachylite.stores.summaries import TABLE_FIELDS

if TYPE_CHECKING:
    from pandas import DataFrame


def find_rows(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> list[Row]:
    """Find materials as `find_materials` does, as rows; only what they show is read from the store.

    The columns of a result begin with its name: `melt_density_g_cm3`, `anneal-1500K_D_Li_cm2_s`.
    """
    kept = _kept_rows(store, limit, filters)
    if kept is not None:
        return kept
    # one by one: thousands of documents in memory would keep Python's search for garbage busy
    entries = iter_newest_entries(store, TABLE_FIELDS, limit=limit, **filters)
    return [row_of(entry["output"]) for entry in entries]


def find_frame(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> "DataFrame":
    """Find materials as `find_materials` does, as a pandas DataFrame with a row for each."""
    from pandas import DataFrame

    return DataFrame(find_rows(store, limit=limit, **filters))


def find_fields(
    store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> list[Mapping[str, Any]]:
    """Find materials as `find_materials` does; of their documents only those fields that tables show."""
    return [entry["output"] for entry in newest_entries(store, TABLE_FIELDS, limit=limit, **filters)]


def _kept_rows(store: JobStore, limit: int | None, filters: MaterialFilter) -> list[Row] | None:
    """Rows that an embedded store keeps beside its documents; None where it does not have all of them."""
    if not isinstance(store.docs_store, EmbeddedDocumentStore):
        return None
    rows: dict[str, Row] = {}
    for row in store.docs_store.rows(criteria_of(filters), NEWEST_FIRST):
        if len(rows) == limit:
            break
        if row is None:
            return None
        rows.setdefault(row["material_id"], row)
    return list(rows.values())
