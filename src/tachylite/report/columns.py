"""Columns of results as text: `15.92 ± 0.31`, with what they are called."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tachylite.measured import Interval
from tachylite.report.text import ABSENT, NOT_DIFFUSIVE, quantity
from tachylite.schemas import Result
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.columns import Cell, cells


def cells_of(result: Result) -> list[Cell]:
    """The numbers of a result that an overview shows."""
    return key_cells(result.model_dump())


def key_cells(result: Mapping[str, Any]) -> list[Cell]:
    """The numbers that an overview shows of a stored result, or of the fields of it that were read."""
    return list(_key_cells(result))


def _key_cells(result: Mapping[str, Any]) -> Iterator[Cell]:
    for column in RESULTS[result["kind"]].columns:
        for cell in cells(column, result) if column.key else ():
            yield _divided(cell, result["n_atoms"]) if column.per_atom and result["n_atoms"] else cell


def heading_of(cell: Cell) -> str:
    """What a column is called, with its unit."""
    return f"{cell.heading} ({cell.column.shown_unit})" if cell.column.shown_unit else cell.heading


def cell_text(cell: Cell, *, with_unit: bool = False) -> str:
    """A number with its error or interval."""
    unit = cell.column.shown_unit if with_unit else ""
    if cell.value is None:
        return ABSENT if cell.column.spread != "interval" else NOT_DIFFUSIVE
    if cell.column.spread == "error":
        # an error of which nothing is known is null in a database; a volume that was given has none
        error = math.inf if cell.error is None else cell.error
        return quantity(cell.value, error or None, unit=unit)
    if cell.column.spread == "interval" and cell.low is not None and cell.high is not None:
        return quantity(cell.value, interval=Interval(low=cell.low, high=cell.high), unit=unit)
    return quantity(cell.value, unit=unit)


def _divided(cell: Cell, atoms: int) -> Cell:
    value = None if cell.value is None else cell.value / atoms
    return cell._replace(value=value, error=None if cell.error is None else cell.error / atoms)
