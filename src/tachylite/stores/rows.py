"""The row of a material in a table: one number a column, units in the names."""

from collections.abc import Iterator, Mapping
from typing import Any

from tachylite.schemas.material import ACTIVATION
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.base import result_name
from tachylite.schemas.steps.columns import Cell, cells, value_at

type Row = dict[str, Any]

MATERIAL_COLUMNS = {
    "material_id": "material_id",
    "formula": "formula",
    "n_atoms": "n_atoms",
    "start": "start.kind",
    "source": "start.source",
    "status": "status",
    "protocol": "protocol.name",
    "engine": "provenance.engine",
    "model": "provenance.model",
    "seed": "provenance.seed",
    "created_at": "created_at",
}
"""Columns that every row of a table has, and where a document holds them."""


def row_of(material: Mapping[str, Any]) -> Row:
    """The row of a stored material, of which the fields that tables show are enough."""
    row = head_fields(material)
    for beginning, cell in material_cells(material):
        for name, value in cell.fields():
            row[beginning + name] = value
    return row


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
