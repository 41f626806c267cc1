"""What all pages share: templates, charts described for the browser, files within the page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import LegendEntry, legend, plots, theme

_PAGE_TOKENS = {"ink", "muted", "grid", "surface", "accent"}


@dataclass(frozen=True)
class Figure:
    """A chart on the page: its plots are numbers into the page's list."""

    chart: Chart
    plots: range
    legend: list[LegendEntry]


@dataclass(frozen=True)
class Download:
    """A file beside the page, and the same bytes within it."""

    path: str
    label: str
    href: str


def environment() -> Environment:
    """Templates that escape what they show and know every name they use."""
    return Environment(
        loader=PackageLoader("tachylite.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def describe_charts(charts: Sequence[Chart]) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Figures by the names of their charts, and the payload of the page: plots and colours of both modes."""
    described: list[dict[str, Any]] = []
    figures: dict[str, Figure] = {}
    for chart in charts:
        first = len(described)
        described += plots(chart)
        figures[chart.name] = Figure(chart, range(first, len(described)), legend(chart))
    tokens = _PAGE_TOKENS | {entry.colour for figure in figures.values() for entry in figure.legend}
    return figures, {"plots": described, "theme": theme(described, tokens)}


def save_figures(charts: Sequence[Chart], folder: Path) -> None:
    """Write a PNG file of every chart into a folder, which is made."""
    folder.mkdir(exist_ok=True)
    for chart in charts:
        draw(chart).savefig(folder / f"{chart.name}.png")


def save_download(folder: Path, name: str, label: str, text: str, kind: str) -> Download:
    """Write a text file into a folder and give it as a link that holds it; `kind` is its MIME type."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    coded = base64.b64encode(text.encode()).decode()
    return Download(path.name, label, f"data:{kind};base64,{coded}")
