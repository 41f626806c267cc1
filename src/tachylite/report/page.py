"""The report of a material: one self-contained HTML page, figures, structures, the document."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs
from pymatgen.io.cif import CifWriter

from tachylite import __version__
from tachylite.report.chart import Chart
from tachylite.report.draw_matplotlib import draw
from tachylite.report.draw_plotly import LegendEntry, legend, plots, theme
from tachylite.report.overview import cards, notices
from tachylite.report.raster import draw_structure
from tachylite.report.scene import scene
from tachylite.report.sections import NamedState, Section, final_states, sections
from tachylite.report.text import formula_parts, plain_formula
from tachylite.schemas import Material, Trajectory

_PAGE_TOKENS = {"ink", "muted", "grid", "surface", "accent"}


@dataclass(frozen=True)
class _Figure:
    """A chart on the page: its plots are numbers into the page's list."""

    chart: Chart
    plots: range
    legend: list[LegendEntry]


@dataclass(frozen=True)
class _Download:
    """A file beside the page, and the same bytes within it."""

    path: str
    label: str
    href: str


def write_report(material: Material, trajectories: Mapping[str, Trajectory], folder: Path) -> Path:
    """Write the report of a material into a folder and return the path of its page.

    The folder gets `index.html` (self-contained, needs no network), `figures/*.png`, `structures/*.cif` and
    `material.json`. `trajectories` maps trajectory ids to trajectories; curves against time are left out
    for runs that are not in it.
    """
    contents = sections(material, trajectories)
    states = final_states(material)
    folder.mkdir(parents=True, exist_ok=True)
    _write_figures(contents, states, folder / "figures")
    downloads = _write_downloads(material, states, folder)
    page = folder / "index.html"
    page.write_text(_html(material, contents, states, downloads), encoding="utf-8")
    return page


def _write_figures(contents: Sequence[Section], states: Sequence[NamedState], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for section in contents:
        for chart in section.charts:
            draw(chart).savefig(folder / f"{chart.name}.png")
    if states:
        draw_structure(states[0].state).savefig(folder / f"structure_{states[0].name}.png")


def _write_downloads(material: Material, states: Sequence[NamedState], folder: Path) -> list[_Download]:
    files = [("material.json", "document (JSON)", material.model_dump_json(indent=1))]
    files += [
        (f"structures/{item.name}.cif", f"{item.title} (CIF)", str(CifWriter(item.state.structure))) for item in states
    ]
    downloads = []
    for name, label, text in files:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        kind = "application/json" if name.endswith("json") else "chemical/x-cif"
        coded = base64.b64encode(text.encode()).decode()
        downloads.append(_Download(Path(name).name, label, f"data:{kind};base64,{coded}"))
    return downloads


def _html(
    material: Material, contents: Sequence[Section], states: Sequence[NamedState], downloads: Sequence[_Download]
) -> str:
    environment = Environment(
        loader=PackageLoader("tachylite.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    described: list[dict[str, Any]] = []
    figures: dict[str, _Figure] = {}
    for section in contents:
        for chart in section.charts:
            first = len(described)
            described += plots(chart)
            figures[chart.name] = _Figure(chart, range(first, len(described)), legend(chart))
    tokens = _PAGE_TOKENS | {entry.colour for figure in figures.values() for entry in figure.legend}
    payload = {
        "plots": described,
        "theme": theme(described, tokens),
        "scenes": [scene(item.state).as_data() | {"title": item.title} for item in states],
        "fileStem": f"{material.formula}_{material.protocol.name}",
    }
    return environment.get_template("report.html.j2").render(
        material=material,
        formula=formula_parts(material.formula),
        plain_formula=plain_formula(material.formula),
        cards=cards(material),
        notices=notices(material),
        sections=contents,
        figures=figures,
        states=states,
        downloads=downloads,
        protocol=yaml.safe_dump(material.protocol.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        payload=payload,
        expected=len(described) + bool(states),
        plotly=get_plotlyjs(),
        version=__version__,
    )
