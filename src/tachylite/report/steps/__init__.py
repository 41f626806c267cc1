"""What the page shows of each kind of step: a module for each, found by being here.

A module has `rows(result)`, and where the kind has such things `charts(results)` of all results of a step and
`tables(result)`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType

from tachylite.report import charts as figures
from tachylite.report.drawing.chart import Chart
from tachylite.report.glass import expansion_row
from tachylite.report.parts import Card, Row, Section, Table, comparison_table
from tachylite.report.text import heading, spaced
from tachylite.schemas import Material, Result, Trajectory
from tachylite.schemas.material import by_step
from tachylite.schemas.steps.volume import Pressure

type Trajectories = Mapping[str, Trajectory]


def step_sections(material: Material, trajectories: Trajectories) -> Iterator[Section]:
    """A section for every step that gave something."""
    for step, results in by_step(material.results):
        given = [result for result in results if result.status != "skipped"]
        if given:
            section = _section(step, given, trajectories, material.protocol.pressure)
            expansions = [
                expansion_row(", ".join(part for part in ("thermal expansion", line.variant) if part), line)
                for line in material.expansions
                if line.step == step
            ]
            yield replace(section, rows=(*section.rows, *expansions))


def step_cards(material: Material) -> Iterator[Card]:
    """Key numbers of every step that has one result; those of the others stand in a table of their section.

    What a step merely prepares, like the volume of a melt, stands on the card of the step that it is for.
    """
    alone = [results[0] for _, results in by_step(material.results) if len(results) == 1]
    given = [result for result in alone if result.status != "skipped"]
    continued = {result.source for result in given}
    prepared: dict[str | None, list[Row]] = {}
    for result in given:
        rows = [*prepared.pop(result.source, ()), *_key_rows(result)]
        if result.prepares and result.name in continued:
            prepared[result.name] = rows
        elif rows:
            yield Card(heading(result.title), tuple({row.label: row for row in rows}.values()))


def rows_of(result: Result) -> list[Row]:
    """Labelled values of a result."""
    return list(_module(result).rows(result))


def _key_rows(result: Result) -> list[Row]:
    # a reason stands in the notices already
    return [replace(row, note="") if row.weak else row for row in rows_of(result) if row.key]


def _section(step: str, results: Sequence[Result], trajectories: Trajectories, convention: Pressure) -> Section:
    """Values of one result as rows, of several as a table that compares them."""
    several = len(results) > 1
    shared, own = _tables(results)
    return Section(
        heading(step if several else results[0].title),
        rows=() if several else tuple(rows_of(results[0])),
        comparison=comparison_table(results, rows_of) if several else None,
        charts=(*_charts(results), *_time_series(results, trajectories, convention)),
        tables=tuple(shared if several else [*shared, *own]),
        folded=tuple(own) if several else (),
        note=_note(results, trajectories),
    )


def _charts(results: Sequence[Result]) -> Iterator[Chart]:
    """What the kind has of its own."""
    module = _module(results[0])
    if hasattr(module, "charts"):
        yield from module.charts(results)


def _time_series(results: Sequence[Result], trajectories: Trajectories, convention: Pressure) -> Iterator[Chart]:
    """Runs against time."""
    for result in results:
        for trajectory_id in result.trajectory_ids:
            if trajectory_id in trajectories:
                stage = heading(result.title)
                chart = figures.time_series(trajectories[trajectory_id], convention, stage=stage)
                yield replace(chart, name=f"{result.name}_time_series")


def _tables(results: Sequence[Result]) -> tuple[list[Table], list[Table]]:
    """Tables that are the same for all results or for some, each once, and those of one, named by its variant."""
    owners: dict[Table, list[Result]] = {}
    for result in results:
        for table in getattr(_module(result), "tables", _none)(result):
            owners.setdefault(table, []).append(result)
    shared = [table for table, of_results in owners.items() if len(of_results) > 1]
    own = [_named(table, of_results[0]) for table, of_results in owners.items() if len(of_results) == 1]
    return shared, own


def _named(table: Table, result: Result) -> Table:
    return replace(table, caption=f"{table.caption}, {spaced(result.variant)}") if result.variant else table


def _none(result: Result) -> tuple[Table, ...]:
    return ()


def _note(results: Sequence[Result], trajectories: Trajectories) -> str:
    missing = [
        spaced(result.title) for result in results if not all(known in trajectories for known in result.trajectory_ids)
    ]
    if not missing:
        return ""
    return f"The trajectory of {'; '.join(missing)} is not at hand, so there are no curves against time."


def _module(result: Result) -> ModuleType:
    return import_module(f"{__name__}.{result.kind}")
