"""What the page shows of each kind of step: a module for each, found by being here.

A module has `rows(result)`, and where the kind has such things `charts(result, trajectories, convention)` and
`tables(result)`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType

from tachylite.report import charts
from tachylite.report.drawing.chart import Chart
from tachylite.report.parts import Card, Row, Section, Table, compare
from tachylite.schemas import Material, Result, Trajectory
from tachylite.schemas.material import by_step
from tachylite.schemas.steps.volume import Pressure

type Trajectories = Mapping[str, Trajectory]


def step_sections(material: Material, trajectories: Trajectories) -> Iterator[Section]:
    """A section for every step that gave something."""
    for step, results in by_step(material.results):
        given = [result for result in results if result.status != "skipped"]
        if given:
            yield _section(step, given, trajectories, material.protocol.pressure)


def step_cards(material: Material) -> Iterator[Card]:
    """Key numbers of every step that has one result; those of the others stand in a table of their section."""
    for _, results in by_step(material.results):
        if len(results) == 1 and results[0].status != "skipped":
            # a reason stands in the notices already
            rows = [replace(row, note="") if row.weak else row for row in rows_of(results[0]) if row.key]
            if rows:
                yield Card(heading(results[0].title), tuple(rows))


def rows_of(result: Result) -> list[Row]:
    """Labelled values of a result."""
    return list(_module(result).rows(result))


def heading(title: str) -> str:
    """A name as the heading of a section: `amorphous-limit` becomes `Amorphous limit`."""
    words = title.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def _section(step: str, results: Sequence[Result], trajectories: Trajectories, convention: Pressure) -> Section:
    title = heading(results[0].title if len(results) == 1 else step)
    rows = rows_of(results[0]) if len(results) == 1 else []
    tables = [] if len(results) == 1 else [compare(results, rows_of, title)]
    shown: list[Chart] = []
    for result in results:
        shown += _charts(result, trajectories, convention)
    tables += _tables(results)
    return Section(title, tuple(rows), tuple(shown), tuple(tables), _note(results, trajectories))


def _charts(result: Result, trajectories: Trajectories, convention: Pressure) -> Iterator[Chart]:
    """The run against time, and what the kind has of its own."""
    for trajectory_id in result.trajectory_ids:
        if trajectory_id in trajectories:
            chart = charts.time_series(trajectories[trajectory_id], convention, stage=heading(result.title))
            yield replace(chart, name=f"{result.name}_time_series")
    module = _module(result)
    if hasattr(module, "charts"):
        for chart in module.charts(result):
            title = f"{chart.title}, {result.variant}" if result.variant else chart.title
            yield replace(chart, name=f"{result.name}_{chart.name}", title=title)


def _tables(results: Sequence[Result]) -> Iterator[Table]:
    """Tables of each result, named by its variant; those that are the same for several stand once."""
    tables: dict[Table, list[Result]] = {}
    for result in results:
        for table in getattr(_module(result), "tables", _none)(result):
            tables.setdefault(table, []).append(result)
    for table, owners in tables.items():
        alone = len(owners) == 1 and owners[0].variant
        yield replace(table, caption=f"{table.caption}, {owners[0].variant}") if alone else table


def _none(result: Result) -> tuple[Table, ...]:
    return ()


def _note(results: Sequence[Result], trajectories: Trajectories) -> str:
    if any(identity not in trajectories for result in results for identity in result.trajectory_ids):
        return "A trajectory is not at hand, so there are no curves of it against time."
    return ""


def _module(result: Result) -> ModuleType:
    return import_module(f"{__name__}.{result.kind}")
