"""Which materials a reader wants to see: the words of an address, checked, and applied to rows in memory."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Literal

from pydantic import Field, ValidationError

from tachylite.errors import InputError
from tachylite.measured import FrozenModel
from tachylite.physics.composition import SYMBOLS, parse_formula
from tachylite.schemas.run import reduced_formula
from tachylite.serve.table import MaterialRow, Snapshot

AT_ONCE = 50
"""Rows on one page."""

HEADS = {"formula": "formula", "status": "status", "protocol": "protocol", "engine": "engine", "n_atoms": "atoms",
         "created_at": "made"}  # fmt: skip
"""Columns that every row has and that the list shows, with what they are called."""

_SEVERAL = ("element", "column")
_COLUMNS_AT_FIRST = 6


class MaterialQuery(FrozenModel):
    """Filters, order, columns and page of the list; all filters must hold."""

    formula: str | None = Field(None, max_length=120)
    element: tuple[str, ...] = Field((), max_length=20)
    engine: str | None = Field(None, max_length=200)
    protocol: str | None = Field(None, max_length=200)
    status: Literal["completed", "partial", "failed"] | None = None
    campaign: str | None = Field(None, max_length=80)
    column: tuple[str, ...] = Field((), max_length=30)
    """Columns of results to show; a few that most materials have where none is named."""
    least: Mapping[str, float] = {}
    most: Mapping[str, float] = {}
    """Limits of columns of results, both included."""
    sort: str = Field("created_at", max_length=200)
    order: Literal["up", "down"] = "down"
    page: int = Field(1, ge=1, le=1_000_000)


def parse_query(words: Iterable[tuple[str, str]], snapshot: Snapshot) -> MaterialQuery:
    """Read the parameters of an address; raises InputError for one that is not known or has another form.

    Limits are `least.COLUMN` and `most.COLUMN`; a parameter without a value is left out, as forms send them.
    """
    values: dict[str, Any] = {"least": {}, "most": {}}
    for name, text in words:
        limit, _, column = name.partition(".")
        if not text.strip():
            continue
        if limit in {"least", "most"} and column:
            _known(column, snapshot)
            values[limit][column] = _number(text, column)
        elif name in _SEVERAL:
            values[name] = (*values.get(name, ()), text)
        elif name not in MaterialQuery.model_fields or limit in {"least", "most"}:
            raise InputError(f"there is no filter {name[:60]!r}")
        elif name in values:
            raise InputError(f"{name} is given twice")
        else:
            values[name] = text.strip()
    try:
        query = MaterialQuery.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{problem['loc'][0]}: {problem['msg']}") from None
    unknown = [symbol for symbol in query.element if symbol not in SYMBOLS]
    if unknown:
        raise InputError(f"{unknown[0][:20]!r} is not a chemical element")
    for column in (*query.column, *([] if query.sort in HEADS else [query.sort])):
        _known(column, snapshot)
    return query


def matching_rows(query: MaterialQuery, snapshot: Snapshot, members: frozenset[str] = frozenset()) -> list[MaterialRow]:
    """Rows that match, in the order wanted, those without a value last.

    `members` are the materials of the campaign, beside those that were made for it. Raises InputError for a formula
    that is none.
    """
    formula = None if query.formula is None else reduced_formula(parse_formula(query.formula).unit)
    heads = {"formula": formula, "engine": query.engine, "protocol": query.protocol, "status": query.status}
    wanted = {name: value for name, value in heads.items() if value is not None}
    rows = list(snapshot.rows)
    for test in _tests(wanted, query, members):
        rows = [row for row in rows if test(row)]
    if query.sort == "created_at":
        return rows if query.order == "down" else rows[::-1]
    values = [(_value(row, query.sort), row) for row in rows]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=query.order == "down")
    return [row for _, row in known] + [row for value, row in values if value is None]


def shown_columns(query: MaterialQuery, snapshot: Snapshot) -> list[str]:
    """Columns of results to show: those named, or the first few, and those that are limited or sorted by."""
    chosen = list(query.column) or [*snapshot.columns][:_COLUMNS_AT_FIRST]
    needed = [*query.least, *query.most, *([] if query.sort in HEADS else [query.sort])]
    return list(dict.fromkeys([*chosen, *needed]))


def words_of(query: MaterialQuery, **changes: Any) -> Iterator[tuple[str, str]]:
    """Parameters of the address of a query with some of its fields changed; what is as without them is left out."""
    changed = query.model_copy(update=changes)
    for name, spec in MaterialQuery.model_fields.items():
        value = getattr(changed, name)
        if isinstance(value, Mapping):
            yield from ((f"{name}.{column}", f"{limit:g}") for column, limit in value.items())
        elif isinstance(value, tuple):
            yield from ((name, text) for text in value)
        elif value != spec.default:
            yield name, str(value)


def _tests(
    wanted: Mapping[str, str], query: MaterialQuery, members: frozenset[str]
) -> Iterator[Callable[[MaterialRow], bool]]:
    """Whether a row has the wanted heads, is of the campaign of a query, and has its elements and limits."""
    for name, value in wanted.items():
        yield partial(_has, name, value)
    if query.campaign is not None:
        yield lambda row: row.campaign == query.campaign or row.material_id in members
    if query.element:
        yield lambda row: row.elements.issuperset(query.element)
    for column in dict.fromkeys((*query.least, *query.most)):
        low, high = query.least.get(column, -math.inf), query.most.get(column, math.inf)
        yield partial(_within, column, low, high)


def _has(name: str, value: str, row: MaterialRow) -> bool:
    return bool(row.head[name] == value)


def _within(column: str, low: float, high: float, row: MaterialRow) -> bool:
    value = row.value(column)
    return value is not None and low <= value <= high


def _value(row: MaterialRow, column: str) -> Any:
    return row.head[column] if column in HEADS else row.value(column)


def _known(column: str, snapshot: Snapshot) -> None:
    if column not in snapshot.columns:
        raise InputError(f"no material has a column {column[:80]!r}")


def _number(text: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{column}: {text[:40]!r} is not a number")
    return value


def page_of(rows: Sequence[MaterialRow], page: int) -> Sequence[MaterialRow]:
    """The rows of one page, counted from 1."""
    return rows[(page - 1) * AT_ONCE : page * AT_ONCE]
