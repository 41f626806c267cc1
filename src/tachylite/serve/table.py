"""The materials of a store as rows in memory, which a thread keeps up to date: filters never reach the store."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from sys import intern
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from tachylite.report.columns import heading_of
from tachylite.schemas.steps.columns import Cell
from tachylite.stores.listing import Unreadable, count_materials, list_materials
from tachylite.stores.rows import head_fields, material_cells
from tachylite.stores.summaries import TABLE_FIELDS

if TYPE_CHECKING:
    from jobflow import JobStore

log = logging.getLogger(__name__)

_PAUSE_S = 3.0
_REST = 10
"""The store is read again after this multiple of the time that it took."""

_SMALL_S = 5.0
"""A store that is read in this time is small."""

_LATE = timedelta(minutes=10)
"""A document may be stored this long after its job has ended, as the clocks of the workers have it."""


class Layout:
    """Which numbers a material has, and where they stand in its row; the same for thousands of materials."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self.cells = cells
        """An example of each, by the name of its column."""
        self.names: list[str] = []
        """Columns of a file for the numbers of a row."""
        self.places: dict[str, slice] = {}
        for column, cell in cells.items():
            beginning = column.removesuffix(cell.names[0])
            self.places[column] = slice(len(self.names), len(self.names) + len(cell.names))
            self.names += [beginning + name for name in cell.names]


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """What the list shows of one material."""

    material_id: str
    head: Mapping[str, Any]
    """Columns that every row has: formula, status, protocol, ..."""
    elements: frozenset[str]
    layout: Layout
    numbers: Sequence[float | None]
    """Numbers of the results, each with its error or interval."""
    campaign: str | None
    order: tuple[str, str]
    """When it was made, and when its job ended."""

    def value(self, column: str) -> float | None:
        """A number by its column; None where it is not known or not finite."""
        place = self.layout.places.get(column)
        value = None if place is None else self.numbers[place.start]
        return None if value is None or not isfinite(value) else value

    def cell(self, column: str) -> Cell | None:
        """A number by its column with its error; None where the material has no such column."""
        place = self.layout.places.get(column)
        return None if place is None else self.layout.cells[column].with_numbers(self.numbers[place])


@dataclass(frozen=True)
class Snapshot:
    """All materials at one time, newest first."""

    rows: Sequence[MaterialRow] = ()
    unreadable: Sequence[Unreadable] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Every column of results and its heading, those of most materials first."""
    by_id: Mapping[str, MaterialRow] = field(default_factory=dict)
    elements: frozenset[str] = frozenset()
    choices: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"engine": (), "protocol": ()})
    """Values that there are of the columns that one chooses from."""
    is_whole: bool = False
    """Whether the store has been read to its end."""
    number: int = 0
    """Tells it from earlier ones."""


class MaterialTable:
    """The newest row of every material of a store; only what was stored since the last look is read."""

    def __init__(self, store: "JobStore") -> None:
        self.snapshot = Snapshot()
        self._store = store
        self._rows: dict[str, MaterialRow] = {}
        self._layouts: dict[tuple[str, ...], Layout] = {}
        """By the names of their columns."""
        self._unreadable: dict[str, Unreadable] = {}
        self._known: dict[str, str] = {}
        """When each job ended whose document was read."""
        self._latest: str | None = None
        self._stopped = Event()
        self._read = Event()
        self._thread = Thread(target=self._follow, name="materials", daemon=True)

    def start(self) -> None:
        """Read everything, then follow the store, in a thread; a small store has been read when this returns."""
        self._thread.start()
        self._read.wait(_SMALL_S)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def refresh(self) -> None:
        """Read what is new; where documents were removed, everything."""
        if count_materials(self._store) < len(self._known):
            self._rows, self._unreadable, self._known, self._latest = {}, {}, {}, None
        changed, shown_at = not self._read.is_set(), monotonic()
        for entry in list_materials(self._store, ["elements", *TABLE_FIELDS], _since(self._latest)):
            changed |= self._take(entry)
            # a large store is shown while it is read
            if not self._read.is_set() and monotonic() > shown_at + _PAUSE_S:
                self.snapshot, shown_at = self._make_snapshot(is_whole=False), monotonic()
        if changed:
            self.snapshot = self._make_snapshot(is_whole=True)
        self._read.set()

    def _take(self, entry: Mapping[str, Any] | Unreadable) -> bool:
        """Keep the row of an entry, where it is new."""
        if isinstance(entry, Unreadable):
            is_new = self._unreadable.get(entry.uuid) != entry
            self._unreadable[entry.uuid] = entry
            self._known.setdefault(entry.uuid, "")
            return is_new
        job, ended = str(entry["uuid"]), str(entry.get("completed_at") or "")
        self._latest = max(self._latest or "", ended)
        if self._known.get(job) == ended:
            return False
        self._known[job] = ended
        try:
            row = _row(entry, ended, self._layouts)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"its results cannot be read: {type(error).__name__}: {error}"
            self._unreadable[job] = Unreadable(job, reason)
            return True
        self._unreadable.pop(job, None)
        earlier = self._rows.get(row.material_id)
        if earlier is None or earlier.order <= row.order:
            self._rows[row.material_id] = row
        return True

    def _make_snapshot(self, *, is_whole: bool) -> Snapshot:
        rows = sorted(self._rows.values(), key=lambda row: row.order, reverse=True)
        counts: Counter[str] = Counter()
        example: dict[str, Cell] = {}
        for layout, number in Counter(row.layout for row in rows).items():
            counts.update(dict.fromkeys(layout.cells, number))
            example |= layout.cells
        # those that an overview shows before the others, those of most materials first
        names = sorted(counts, key=lambda name: (not example[name].column.key, -counts[name]))
        return Snapshot(
            rows,
            sorted(self._unreadable.values(), key=lambda broken: broken.uuid),
            {name: _heading(name, example[name]) for name in names},
            {row.material_id: row for row in rows},
            frozenset().union(*{row.elements for row in rows}),
            {name: sorted({str(row.head[name]) for row in rows}) for name in ("engine", "protocol")},
            is_whole,
            self.snapshot.number + 1,
        )

    def _follow(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            began = monotonic()
            try:
                self.refresh()
            except Exception:  # a store that is away for a while comes back
                log.exception("the store cannot be read")
            pause = max(_PAUSE_S, _REST * (monotonic() - began))


def _since(latest: str | None) -> str | None:
    """A while before the newest entry; None, for everything, where the time is not known."""
    try:
        return (datetime.fromisoformat(latest) - _LATE).isoformat() if latest else None
    except ValueError:
        return None


def _row(entry: Mapping[str, Any], ended: str, layouts: dict[tuple[str, ...], Layout]) -> MaterialRow:
    material = entry["output"]
    head = head_fields(material)
    cells = {beginning + cell.names[0]: cell for beginning, cell in material_cells(material)}
    layout = layouts.get(tuple(cells)) or layouts.setdefault(tuple(cells), Layout(cells))
    numbers = tuple(number for cell in cells.values() for number in cell.numbers)
    campaign = (entry.get("metadata") or {}).get("campaign")
    # the same words stand in many rows: each is kept once
    shared = {name: intern(value) if isinstance(value, str) else value for name, value in head.items()}
    elements = frozenset(intern(str(symbol)) for symbol in material["elements"])
    order = (str(head["created_at"]), ended)
    return MaterialRow(head["material_id"], shared, elements, layout, numbers, campaign, order)


def _heading(name: str, cell: Cell) -> str:
    """What a column is called: the result, the quantity, the unit."""
    beginning = name.removesuffix(cell.names[0]).rstrip("_")
    return f"{beginning} {heading_of(cell)}".strip()
