"""Writing pages: templates, charts described for the browser, embedded files; and the page with nothing but charts."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from tachylite import __version__
from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import LegendEntry, legend, plots, theme

_PAGE_TOKENS = {"ink", "muted", "grid", "surface", "accent"}


@dataclass(frozen=True)
class Figure:
    """A chart on the page, with the numbers of its plots in the payload and its legend."""

    chart: Chart
    plots: range
    legend: list[LegendEntry]


@dataclass(frozen=True)
class Download:
    """A file beside the page, with a link that holds the same bytes within the page."""

    path: str
    label: str
    href: str


@cache
def environment() -> Environment:
    """Template engine that escapes every text and refuses unknown names."""
    return Environment(
        loader=PackageLoader("tachylite.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _describe_charts(charts: Sequence[Chart]) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Figures by the names of their charts, and the payload of the page: plots and colours of both modes."""
    plotly_figures: list[dict[str, Any]] = []
    figures: dict[str, Figure] = {}
    for chart in charts:
        first = len(plotly_figures)
        plotly_figures += plots(chart)
        figures[chart.name] = Figure(chart, range(first, len(plotly_figures)), legend(chart))
    tokens = _PAGE_TOKENS | {entry.colour for figure in figures.values() for entry in figure.legend}
    return figures, {"plots": plotly_figures, "theme": theme(plotly_figures, tokens)}


def figures_html(charts: Sequence[Chart]) -> dict[str, Any]:
    """Charts for a page that loads them later: their HTML, plots, and the colours of both modes."""
    figures, payload = _describe_charts(charts)
    template = environment().get_template("figures.html.j2")
    return {"html": template.render(charts=charts, figures=figures)} | payload


def write_page(
    template: str,
    charts: Sequence[Chart],
    folder: Path,
    *,
    file_stem: str,
    scenes: Sequence[Mapping[str, Any]] = (),
    **values: Any,
) -> Path:
    """Fill in a template with charts, structures and `values`, and write it as `index.html`; return its path.

    The page needs no network. `file_stem` begins the names of figures that are saved from the page; `scenes` are the
    structures of its viewer.
    """
    figures, payload = _describe_charts(charts)
    payload |= {"scenes": list(scenes), "fileStem": file_stem}
    text = (
        environment()
        .get_template(template)
        .render(
            charts=charts,
            figures=figures,
            payload=payload,
            expected=len(payload["plots"]) + bool(scenes),
            plotly=get_plotlyjs(),
            version=__version__,
            **values,
        )
    )
    page = folder / "index.html"
    page.write_text(text, encoding="utf-8")
    return page


def write_charts(charts: Sequence[Chart], title: str, folder: Path) -> Path:
    """Write `NAME.png` of every chart and a page `index.html` into a folder, created where missing; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    save_figures(charts, folder)
    return write_page("charts.html.j2", charts, folder, file_stem="tachylite", title=title)


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
    encoded = base64.b64encode(text.encode()).decode()
    return Download(path.name, label, f"data:{kind};base64,{encoded}")
