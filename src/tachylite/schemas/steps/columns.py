"""Columns of tables: where a stored result holds a number, its error, and what both are called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Column:
    """A quantity of a result as columns of a table: the value and, beside it, its error or interval.

    In files the columns are `{quantity}_{unit}`, `{quantity}_error_{unit}` or `{quantity}_low_{unit}` and
    `{quantity}_high_{unit}`; `{}` in a quantity stands for the element where a result has one value for each.
    """

    quantity: str
    unit: str
    """As in names of fields: `g_cm3`."""
    path: str
    """Dotted, inside the result, or inside an element of the list at `each`."""
    heading: str
    """For reading, without the unit: `density`."""
    shown_unit: str
    """For reading: `g/cm³`."""
    spread: Literal["none", "error", "interval"] = "none"
    """Error: the path leads to a `Measured`. Interval: `{path}` is a number, the interval is at `interval_path`."""
    interval_path: str = ""
    each: str = ""
    """Path of a list with one entry for each `species`."""
    per_atom: bool = False
    """Whether reading wants it divided by the number of atoms."""
    key: bool = True
    """Whether an overview shows it."""


NETWORK = (
    Column("bridging_{}", "", "bridging", "{} in bridges", "", "error", each="structure.network.anions", key=False),
    Column("bridges_of_{}", "", "mean", "bridges of a {}", "", "error", each="structure.network.formers", key=False),
)
"""Of the network of a result's structure: the share of each anion in bridges, and how many each former has."""


class Cell(NamedTuple):
    """One number of a row: what it is called in a file, what for reading, and its error or interval."""

    column: Column
    quantity: str
    heading: str
    value: float | None
    error: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """The value and, beside it, its error or the ends of its interval."""
        spread = self.column.spread
        if spread == "error":
            return self.value, self.error
        return (self.value, self.low, self.high) if spread == "interval" else (self.value,)

    def with_numbers(self, numbers: Sequence[float | None]) -> "Cell":
        """The same with other numbers, as `numbers` gives them."""
        value, *spread = numbers
        if self.column.spread == "error":
            return self._replace(value=value, error=spread[0])
        if self.column.spread == "interval":
            return self._replace(value=value, low=spread[0], high=spread[1])
        return self._replace(value=value)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of a file for `numbers`."""
        return _file_names(self.quantity, self.column.unit, self.column.spread)

    def fields(self) -> Iterator[tuple[str, float | None]]:
        """Columns of a file with their values."""
        return zip(self.names, self.numbers, strict=True)


@cache
def _file_names(quantity: str, unit: str, spread: str) -> tuple[str, ...]:
    endings = {"none": ("",), "error": ("", "_error"), "interval": ("", "_low", "_high")}[spread]
    return tuple(f"{quantity}{ending}{f'_{unit}' if unit else ''}" for ending in endings)


def paths(column: Column) -> Iterator[str]:
    """Dotted fields of a stored result that a column needs."""
    before = f"{column.each}." if column.each else ""
    yield f"{before}{column.path}"
    if column.each:
        yield f"{before}species"
    if column.interval_path:
        yield f"{before}{column.interval_path}"


def cells(column: Column, result: Mapping[str, Any]) -> Sequence[Cell]:
    """Numbers of a stored result, or of those fields of it that `paths` names: one, or one for each element."""
    if not column.each:
        return (_cell(column, result, column.quantity, column.heading),)
    entries = value_at(result, column.each) or ()
    return [
        _cell(column, entry, column.quantity.format(entry["species"]), column.heading.format(entry["species"]))
        for entry in entries
    ]


def value_at(content: Any, path: str) -> Any:
    """What stands at a dotted path of nested mappings; None where nothing does."""
    for name in _names(path):
        if not isinstance(content, dict):
            return None
        content = content.get(name)
    return content


@cache
def _names(path: str) -> Sequence[str]:
    return path.split(".")


def _cell(column: Column, content: Mapping[str, Any], quantity: str, heading: str) -> Cell:
    value = value_at(content, column.path)
    if column.spread == "error" and value is not None:
        return Cell(column, quantity, heading, value["value"], value["error"])
    if column.spread == "interval":
        interval = value_at(content, column.interval_path) or {}
        return Cell(column, quantity, heading, value, None, interval.get("low"), interval.get("high"))
    return Cell(column, quantity, heading, value)
