"""What pages are made of: labelled values, cards, notices, tables and sections, as plain text and charts."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tachylite.report.drawing.chart import Chart
from tachylite.report.text import ABSENT, NOT_DIFFUSIVE, duration, quantity, spaced
from tachylite.schemas import Diffusivity, Result, Run, State
from tachylite.schemas.material import Activation
from tachylite.schemas.steps.base import RunResult
from tachylite.schemas.structure import Crystallinity

DIFFUSIVITY = "cm²/s"
ENERGY = "eV/atom"
DENSITY = "g/cm³"
PER_ATOM = "Å³/atom"

_WIDE_COLUMNS = 5
"""From which on a table takes the whole width."""


@dataclass(frozen=True)
class Row:
    """A labelled value."""

    label: str
    text: str
    """The value, without the unit where that is given apart."""
    note: str = ""
    """What it rests on."""
    weak: bool = False
    """Whether the value is a refusal or a bound."""
    key: bool = False
    """Whether it belongs among the key numbers at the top."""
    unit: str = ""

    @property
    def value(self) -> str:
        """The value with its unit."""
        return f"{self.text} {self.unit}" if self.unit and self.text not in {ABSENT, NOT_DIFFUSIVE} else self.text


@dataclass(frozen=True)
class Card:
    """Key numbers that belong together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Notice:
    """Something that did not succeed, was skipped therefore, was not answered, or is another phase, and why."""

    kind: Literal["failure", "skipped", "refusal", "amorphous"]
    stage: str
    reason: str

    @property
    def heading(self) -> str:
        """What became of the stage."""
        return {
            "failure": "Failed",
            "skipped": "Skipped",
            "refusal": "No answer",
            "amorphous": "No crystal any more",
        }[self.kind]


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
    comparison: Table | None = None
    """Of several results, above the charts."""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    """Tables that are shown when they are opened."""
    note: str = ""

    @property
    def narrow(self) -> int:
        """How many of its charts and tables can stand beside others."""
        charts = sum(chart.stacked or len(chart.panels) == 1 for chart in self.charts)
        return charts + sum(len(table.columns) < _WIDE_COLUMNS for table in self.tables)


def charts_of(sections: Sequence[Section]) -> list[Chart]:
    """The charts of all sections, in their order."""
    return [chart for section in sections for chart in section.charts]


@dataclass(frozen=True)
class NamedState:
    """A structure to show and to save."""

    name: str
    title: str
    state: State


def comparison_table[R: Result](results: Sequence[R], rows_of: Callable[[R], Sequence[Row]]) -> Table:
    """One row of a table for each result, one column for each label; the first column tells the results apart."""
    names = [spaced(result.variant or result.name) for result in results]
    by_label = [{row.label: row for row in rows_of(result)} for result in results]
    labels = list(dict.fromkeys(label for rows in by_label for label in rows))
    # results that differ in one quantity, as in temperature, are named by it
    naming = next((label for label in labels if [_value(rows, label) for rows in by_label] == names), None)
    columns = [] if naming else [("", tuple(names))]
    for label in sorted(labels, key=lambda label: label != naming):
        unit = next((rows[label].unit for rows in by_label if label in rows and rows[label].unit), "")
        head = f"{label} ({unit})" if unit else label
        columns.append((head, tuple(rows[label].text if label in rows else ABSENT for rows in by_label)))
    heads, cells = zip(*columns, strict=True)
    return Table("", heads, tuple(zip(*cells, strict=True)))


def _value(rows: Mapping[str, Row], label: str) -> str | None:
    return rows[label].value if label in rows else None


def known_rows(values: Sequence[tuple[str, float | None, str]]) -> list[Row]:
    """Rows of those labelled numbers that are known, as key numbers."""
    return [
        Row(label, quantity(value, digits=3 if abs(value) < 1 else 4), key=True, unit=unit)
        for label, value, unit in values
        if value is not None
    ]


def crystallinity_text(order: Crystallinity) -> str:
    """The verdict in a word or two."""
    return {True: "crystalline", False: "amorphous", None: "not decided"}[order.crystalline]


def crystallinity_note(order: Crystallinity) -> str:
    """What the verdict rests on, or why there is none."""
    if order.crystalline_reason is not None or order.crystallinity is None or order.diffraction_contrast is None:
        return order.crystalline_reason or "not examined"
    return (
        f"{order.crystallinity:.0%} of the atoms have repeated surroundings, "
        f"contrast of the diffraction {order.diffraction_contrast:.1f}"
    )


def crystallinity_rows(result: Result, *, key: bool = True) -> Iterator[Row]:
    """Whether the state of a result is a crystal, and what that rests on; nothing where it was not examined."""
    order = result.measured_order
    if order is not None and (order.crystalline is not None or order.crystalline_reason is not None):
        weak = order.crystalline is None
        yield Row("crystal or glass", crystallinity_text(order), crystallinity_note(order), weak=weak, key=key)


def run_rows(run: Run | None) -> Iterator[Row]:
    """Steps, wall time and, where it was to be constant, the temperature at the end of a run."""
    if run is None:
        return
    if run.status == "failed":
        yield Row("run", "failed", run.reason or "no reason recorded", weak=True)
    yield Row("molecular dynamics", f"{run.steps:,}", f"{duration(run.wall_time_s)} wall time", unit="steps")
    if run.segments and run.last.segment.end_temperature_k is None:
        target = f"target {run.last.segment.temperature_k:g} K"
        yield Row("mean temperature", quantity(run.last.temperature_k), target, unit="K")
    if run.stated_force_error_ev_a is not None:
        committee = run.provenance.options.get("committee", "")
        stated = f"as the committee of the potential states: {committee}"
        yield Row("error of forces", quantity(run.stated_force_error_ev_a), stated, unit="eV/Å")


def volume_rows(result: RunResult) -> Iterator[Row]:
    """Pressure that was held, volume where no search has found it, density."""
    pressure = result.run.last.segment.pressure_gpa if result.run is not None and result.run.segments else None
    if pressure is not None:
        yield Row("pressure held", f"{pressure:g}", unit="GPa")
    if result.volume_a3 is not None and (pressure is not None or result.volume_a3.error == 0):
        volume = result.volume_a3 / result.n_atoms
        remark = "" if pressure is not None else "held: no search"
        yield Row("volume", quantity(volume.value, volume.error or None), remark, unit=PER_ATOM)
    if result.density_g_cm3 is not None:
        density = result.density_g_cm3
        yield Row("density", quantity(density.value, density.error or None), key=True, unit=DENSITY)


def chart_of(result: Result, chart: Chart) -> Chart:
    """A chart of one result, named after it, so that charts of several results differ."""
    title = f"{chart.title}, {spaced(result.variant)}" if result.variant else chart.title
    return replace(chart, name=f"{result.name}_{chart.name}", title=title)


def named_laws(activations: Sequence[Activation]) -> Iterator[tuple[Activation, str]]:
    """Arrhenius laws with their species and, where several series have laws, the series."""
    series = {law.name for law in activations}
    for law in activations:
        yield law, f"{law.species}, {law.title}" if len(series) > 1 and law.name else law.species


def diffusivity(measured: Diffusivity) -> str:
    """Write a diffusivity in cm^2/s with its interval or, where the motion is not diffusive, the upper bound."""
    if measured.diffusive:
        return quantity(measured.diffusivity_cm2_s, interval=measured.diffusivity_interval_cm2_s)
    bound = measured.upper_bound_cm2_s
    if bound is None or not math.isfinite(bound):
        return NOT_DIFFUSIVE
    return f"{NOT_DIFFUSIVE}: upper bound {quantity(bound, digits=2)}"
