"""Materials as rows of a table: one number a column, units in the names."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from jobflow import JobStore

from tachylite.schemas.material import ACTIVATION
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.base import result_name
from tachylite.schemas.steps.columns import Cell, cells, value_at
from tachylite.stores.queries import MaterialFilter, iter_newest_entries, newest_entries
from tachylite.stores.summaries import MATERIAL_COLUMNS, TABLE_FIELDS

if TYPE_CHECKING:
    from pandas import DataFrame

type Row = dict[str, Any]


def find_rows(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> list[Row]:
    """Find materials as `find_materials` does, as rows; only what they show is read from the store.

    The columns of a result begin with its name: `melt_density_g_cm3`, `anneal-1500K_D_Li_cm2_s`.
    """
    # one by one: thousands of documents in memory would keep Python's search for garbage busy
    entries = iter_newest_entries(store, TABLE_FIELDS, limit=limit, **filters)
    return [_row(entry["output"]) for entry in entries]


def find_frame(store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]) -> "DataFrame":
    """Find materials as `find_materials` does, as a pandas DataFrame with a row for each."""
    from pandas import DataFrame

    return DataFrame(find_rows(store, limit=limit, **filters))


def find_fields(
    store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> list[Mapping[str, Any]]:
    """Find materials as `find_materials` does; of their documents only those fields that tables show."""
    return [entry["output"] for entry in newest_entries(store, TABLE_FIELDS, limit=limit, **filters)]


def head_fields(material: Mapping[str, Any]) -> Row:
    """Columns that every row of a table has, with what a material has there."""
    head = {column: value_at(material, path) for column, path in MATERIAL_COLUMNS.items()}
    head["created_at"] = str(head["created_at"]).replace(" ", "T")[:19]
    head["failures"] = "; ".join(f"{failure['stage']}: {failure['reason']}" for failure in material["failures"])
    return head


def material_cells(material: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    """Numbers of all results of a material, each after the beginning of its column: `melt_`, `anneal-1500K_`."""
    for result in material["results"]:
        for shown in RESULTS[result["kind"]].columns:
            for cell in cells(shown, result):
                yield f"{result['name']}_", cell
    for cell in activation_cells(material):
        yield "", cell


def activation_cells(material: Mapping[str, Any]) -> Iterator[Cell]:
    """Activation energies of a material; where several series have some, named after these: `anneal-fast_Ea_Li`."""
    laws = material.get("activations") or ()
    names = [result_name(law.get("step", ""), law.get("variant", "")) for law in laws]
    for name, cell in zip(names, cells(ACTIVATION, material), strict=True):
        if len(set(names)) > 1:
            cell = cell._replace(quantity=f"{name}_{cell.quantity}", heading=f"{name} {cell.heading}")
        yield cell


def _row(material: Mapping[str, Any]) -> Row:
    row = head_fields(material)
    for beginning, cell in material_cells(material):
        for name, value in cell.fields():
            row[beginning + name] = value
    return row
