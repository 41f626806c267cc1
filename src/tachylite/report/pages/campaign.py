"""The page of a screen: a map of the elements, a diagram for every system, a ranking, structures on click."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from pymatgen.core import Element

from tachylite.report.charts.screen import above_hull, check_differences, check_parity, system_diagram
from tachylite.report.charts.structure import partial_rdfs
from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.scene import scene
from tachylite.report.pages.rendering import figures_html, save_figures, write_page
from tachylite.report.parts import Card, Row, Table
from tachylite.report.text import ABSENT, quantity
from tachylite.schemas import Material
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.check import CheckSummary
from tachylite.schemas.screen import CompositionRow, StablePhase

_SHOWN = (
    *("formula", "sample", "system", "chemistry", "status", "formation_energy_ev_per_atom", "above_hull_ev_per_atom"),
    *("density_g_cm3", "stable_phases", "repulsion", "reason", "material_id"),
)
"""Fields of a row that the page has; the table beside it has all."""

_FIGURES_AT_MOST = 24
"""Systems whose diagrams are also written as PNG."""


def write_campaign(
    campaign: Campaign,
    rows: Sequence[CompositionRow],
    stable: Mapping[str, Sequence[StablePhase]],
    folder: Path,
    materials: Iterable[Material] = (),
    summary: CheckSummary | None = None,
    *,
    notice: str = "",
) -> Path:
    """Write the page of a screen into a folder and return its path.

    The folder gets `index.html`, `table.csv`, `systems/*.js` with the diagrams, which the page loads when they are
    looked at, `structures/*.js` of the materials given, and up to 24 diagrams as `figures/*.png`. The page needs no
    network and no server. `notice` stands at its top.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(rows, folder / "table.csv")
    by_system: dict[str, list[CompositionRow]] = {}
    for row in rows:
        by_system.setdefault(row.system, []).append(row)
    diagrams = [
        system_diagram(system, own, stable.get(system, ()))
        for system, own in by_system.items()
        if system.count("-") == 1
    ]
    for chart in diagrams:
        _write_script(folder / "systems", chart.title, figures_html([chart]))
    save_figures(diagrams[:_FIGURES_AT_MOST], folder / "figures")
    structures = [_write_structure(material, folder / "structures") for material in materials]
    charts = [above_hull(rows)] if any(row.above_hull_ev_per_atom is not None for row in rows) else []
    if summary is not None:
        charts += [check_parity(rows), check_differences(rows)]
    return write_page(
        "campaign.html.j2",
        charts,
        folder,
        file_stem=f"campaign_{campaign.campaign_id}",
        campaign=campaign,
        cards=_cards(campaign, rows),
        notice=notice,
        table=_columns(rows),
        elements=_elements(by_system),
        diagrams=[chart.title for chart in diagrams],
        structures=structures,
        check=None if summary is None else _check_table(summary),
    )


def write_table(rows: Sequence[CompositionRow], path: Path) -> None:
    """Write all rows as CSV, or as parquet where the file is named so, a column for each field."""
    names = list(CompositionRow.model_fields)
    content = [row.model_dump() for row in rows]
    for row in content:
        row["fractions"] = " ".join(f"{symbol}:{share:g}" for symbol, share in row["fractions"].items())
    if path.suffix == ".parquet":
        from pandas import DataFrame

        DataFrame(content, columns=names).to_parquet(path, index=False)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(content)


def _columns(rows: Sequence[CompositionRow]) -> dict[str, list[Any]]:
    """Fields of the rows by column, energies to 0.1 meV."""
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in _SHOWN}
    for name, values in columns.items():
        columns[name] = [round(value, 4) if isinstance(value, float) else value for value in values]
    return columns


def _elements(by_system: Mapping[str, Sequence[CompositionRow]]) -> list[dict[str, Any]]:
    """Every element of the periodic table with its place, and whether it is part of the screen."""
    screened = {symbol for system in by_system for symbol in system.split("-")}
    table = []
    for number in range(1, 104):
        element = Element.from_Z(number)
        row, column = element.row, element.group
        if 57 <= number <= 71 or 89 <= number <= 103:
            row, column = (9, number - 54) if number < 72 else (10, number - 86)
        table.append(
            {
                "symbol": element.symbol,
                "name": element.long_name,
                "row": row,
                "column": column,
                "screened": element.symbol in screened,
            }
        )
    return table


def _cards(campaign: Campaign, rows: Sequence[CompositionRow]) -> list[Card]:
    counts = {status: sum(row.status == status for row in rows) for status in ("completed", "crystallised", "failed")}
    again = sum(row.repulsion for row in rows)
    energies = [
        row.above_hull_ev_per_atom for row in rows if row.is_amorphous and row.above_hull_ev_per_atom is not None
    ]
    members = [
        Row("members", f"{campaign.n_members:,}"),
        Row("amorphous", f"{counts['completed']:,}"),
        Row("crystallised", f"{counts['crystallised']:,}"),
        Row("failed", f"{counts['failed']:,}", note="run again with a repulsion: " + str(again) if again else ""),
        Row("not yet", f"{max(campaign.n_members - len(rows), 0):,}"),
    ]
    settings = [
        Row("engine", campaign.engine),
        Row("protocol", campaign.protocol.name),
        Row("atoms", f"{campaign.protocol.packing.n_atoms}"),
        Row("systems", f"{len(campaign.systems):,}"),
    ]
    if energies:
        settings.append(Row("mean above the crystals", f"{mean(energies):.3f} eV/atom"))
        if below := sum(energy < 0 for energy in energies):
            members.append(Row("below the crystals", f"{below:,}", note="the engine's error, or a crystal is missing"))
    return [Card("Members", tuple(members)), Card("How", tuple(settings))]


def _check_table(summary: CheckSummary) -> Table:
    """Differences from the second engine by kind of compound, in meV/atom."""
    rows = tuple(
        (
            difference.chemistry,
            str(difference.count),
            *(
                ABSENT if value is None else quantity(1000 * value.value, 1000 * value.error)
                for value in (
                    difference.mae_ev_per_atom,
                    difference.mean_ev_per_atom,
                    difference.mae_corrected_ev_per_atom,
                )
            ),
        )
        for difference in summary.differences
    )
    line = "" if summary.slope is None else f"; corrected: {summary.offset_ev_per_atom:+.3f} eV + {summary.slope:.3f} E"
    caption = (
        f"Formation energies beside the second engine's, meV/atom{line}, each by a line fitted to the other systems."
    )
    return Table(caption, ("compounds", "glasses", "mean absolute difference", "mean difference", "corrected"), rows)


def _write_structure(material: Material, folder: Path) -> str:
    """Write what the page shows of one glass: its structure, and g(r) where a step measured it."""
    shown = next(result for result in reversed(material.results) if result.shown_state is not None)
    analyses = [
        (r.title, "series-0", r.measured_structure) for r in material.results if r.measured_structure is not None
    ]
    content: dict[str, Any] = {"title": f"{material.formula}, {shown.title}", "figures": None}
    if shown.shown_state is not None:
        content["scene"] = scene(shown.shown_state).as_data() | {"title": content["title"]}
    if analyses:
        charts: list[Chart] = [partial_rdfs([(t, c, s) for t, c, s in analyses[-1:] if s is not None])]
        content["figures"] = figures_html(charts)
    _write_script(folder, material.material_id, content)
    return material.material_id


def _write_script(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """A script that hands its content to the page: pages opened from a disk may load scripts, and nothing else."""
    folder.mkdir(exist_ok=True)
    text = json.dumps(content, separators=(",", ":"))
    (folder / f"{name}.js").write_text(f"window.received({json.dumps(name)}, {text});\n", encoding="utf-8")
