"""The page of a screen: a map of the elements, a diagram for every system, a ranking, structures on click."""

import csv
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from jinja2 import Environment
from pymatgen.core import Element

from tachylite.report.charts.screen import above_hull, check_differences, check_parity, system_diagram
from tachylite.report.charts.structure import partial_rdfs
from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.scene import scene
from tachylite.report.pages.rendering import environment, figures_html, render_page, save_figures
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
    diagrams = diagrams_of(rows, stable)
    for system, chart in diagrams.items():
        _write(folder / "systems", system, script(system, figures_html([chart])))
    save_figures([*diagrams.values()][:_FIGURES_AT_MOST], folder / "figures")
    structures = []
    for material in materials:
        structures.append(material.material_id)
        _write(folder / "structures", material.material_id, structure_script(material))
    page = folder / "index.html"
    page.write_text(
        render_campaign(campaign, rows, diagrams, structures, summary, notice=notice, templates=environment()),
        encoding="utf-8",
    )
    return page


def render_campaign(
    campaign: Campaign,
    rows: Sequence[CompositionRow],
    diagrams: Collection[str],
    structures: Sequence[str],
    summary: CheckSummary | None,
    *,
    notice: str = "",
    templates: Environment,
) -> str:
    """The page of a screen; it loads `systems/NAME.js` and `structures/ID.js` of those named, from beside itself."""
    charts = [above_hull(rows)] if any(row.above_hull_ev_per_atom is not None for row in rows) else []
    if summary is not None:
        charts += [check_parity(rows), check_differences(rows)]
    return render_page(
        "campaign.html.j2",
        charts,
        templates=templates,
        file_stem=f"campaign_{campaign.campaign_id}",
        campaign=campaign,
        cards=_cards(campaign, rows),
        notice=notice,
        table=_columns(rows),
        elements=periodic_table({symbol for row in rows for symbol in row.system.split("-")}),
        diagrams=[*diagrams],
        structures=structures,
        check=None if summary is None else _check_table(summary),
    )


def diagrams_of(rows: Sequence[CompositionRow], stable: Mapping[str, Sequence[StablePhase]]) -> dict[str, Chart]:
    """The diagram of every binary system by its name."""
    by_system: dict[str, list[CompositionRow]] = {}
    for row in rows:
        by_system.setdefault(row.system, []).append(row)
    return {
        system: system_diagram(system, own, stable.get(system, ()))
        for system, own in by_system.items()
        if system.count("-") == 1
    }


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


def periodic_table(available: Collection[str]) -> list[dict[str, Any]]:
    """Every element with its place in the periodic table, and whether it is among those available."""
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
                "available": element.symbol in available,
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


def structure_script(material: Material) -> str:
    """What the page shows of one glass: its structure, and g(r) where a step measured it."""
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
    return script(material.material_id, content)


def script(name: str, content: Mapping[str, Any]) -> str:
    """A script that hands its content to the page: pages opened from a disk may load scripts, and nothing else."""
    text = json.dumps(content, separators=(",", ":"))
    return f"window.received({json.dumps(name)}, {text});\n"


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.js").write_text(text, encoding="utf-8")
