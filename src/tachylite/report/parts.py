"""What pages are made of: labelled values, cards, notices, tables and sections, as plain text and charts."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tachylite.report.drawing.chart import Chart
from tachylite.report.text import ABSENT, duration, quantity
from tachylite.schemas import Diffusivity, Result, Run, Segment, State

DIFFUSIVITY = "cm²/s"
ENERGY = "eV/atom"
DENSITY = "g/cm³"
PER_ATOM = "Å³/atom"


@dataclass(frozen=True)
class Row:
    """A labelled value."""

    label: str
    value: str
    note: str = ""
    """What it rests on."""
    weak: bool = False
    """Whether the value is a refusal or a bound."""
    key: bool = False
    """Whether it belongs among the key numbers at the top."""


@dataclass(frozen=True)
class Card:
    """Key numbers that belong together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Notice:
    """Something that did not succeed (`failure`) or that was not answered (`refusal`), and why."""

    kind: str
    stage: str
    reason: str


@dataclass(frozen=True)
class Table:
    """Column heads and rows of text; the first column holds words."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    title: str
    rows: tuple[Row, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class NamedState:
    """A structure to show and to save."""

    name: str
    title: str
    state: State


def compare[R: Result](results: Sequence[R], rows_of: Callable[[R], Sequence[Row]], caption: str) -> Table:
    """One row of a table for each result, one column for each label."""
    rows = {result.variant or result.name: {row.label: row.value for row in rows_of(result)} for result in results}
    labels = list(dict.fromkeys(label for values in rows.values() for label in values))
    cells = tuple((name, *(values.get(label, ABSENT) for label in labels)) for name, values in rows.items())
    return Table(caption, ("", *labels), cells)


def known_rows(values: Sequence[tuple[str, float | None, str]]) -> list[Row]:
    """Rows of those labelled numbers that are known, as key numbers."""
    return [
        Row(label, quantity(value, unit=unit, digits=3 if abs(value) < 1 else 4), key=True)
        for label, value, unit in values
        if value is not None
    ]


def run_rows(run: Run | None) -> Iterator[Row]:
    """Steps, wall time and temperature of a run."""
    if run is None:
        return
    if run.status == "failed":
        yield Row("run", "failed", run.reason or "no reason recorded", weak=True)
    yield Row("molecular dynamics", f"{run.steps:,} steps", f"{duration(run.wall_time_s)} wall time")
    if run.segments:
        yield Row("mean temperature", quantity(run.last.temperature_k, unit="K"), f"target {_target(run.last.segment)}")


def diffusivity(measured: Diffusivity, *, unit: str = DIFFUSIVITY) -> str:
    """Write a diffusivity with its interval or, where the motion is not diffusive, the upper bound."""
    if measured.diffusive:
        return quantity(measured.diffusivity_cm2_s, unit=unit, interval=measured.diffusivity_interval_cm2_s)
    bound = measured.upper_bound_cm2_s
    if bound is None or not math.isfinite(bound):
        return "not diffusive"
    return f"not diffusive: upper bound {quantity(bound, unit=unit, digits=2)}"


def _target(segment: Segment) -> str:
    start, end = segment.temperature_k, segment.end_temperature_k
    return f"{start:g} K" if end is None else f"{start:g} to {end:g} K"
