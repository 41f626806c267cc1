"""Writing pages: templates, charts described for the browser, embedded files; and the page with nothing but charts."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
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
def environment(package: str = "tachylite.report") -> Environment:
    """Template engine that escapes every text and refuses unknown names.

    Templates of a package of that name come before those of the report, so that one with a `layout.html.j2` of its own
    shows the same pages within it.
    """
    engine = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tachylite.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.globals |= {"version": __version__, "plot_library": plot_library, "viewer_library": viewer_library}
    return engine


def plot_library() -> str:
    """The script of plotly, which draws charts."""
    return str(get_plotlyjs())


def viewer_library() -> str:
    """The script of 3Dmol (DOI 10.1093/bioinformatics/btu829), which draws structures."""
    return files("tachylite.report").joinpath("vendored", "3Dmol-min.js").read_text(encoding="utf-8")


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


def render_page(
    template: str,
    charts: Sequence[Chart],
    *,
    file_stem: str,
    scenes: Sequence[Mapping[str, Any]] = (),
    templates: Environment | None = None,
    **values: Any,
) -> str:
    """Fill in a template with charts, structures and `values`; in the layout of the report, it needs no network.

    `file_stem` begins the names of figures that are saved from the page; `scenes` are the structures of its viewer;
    `templates` are those of the report where none are given.
    """
    figures, payload = _describe_charts(charts)
    payload |= {"scenes": list(scenes), "fileStem": file_stem}
    return (
        (templates or environment())
        .get_template(template)
        .render(
            charts=charts,
            figures=figures,
            payload=payload,
            expected=len(payload["plots"]) + bool(scenes),
            **values,
        )
    )


def write_page(template: str, charts: Sequence[Chart], folder: Path, **values: Any) -> Path:
    """Write a page as `render_page` gives it as `index.html` into a folder; return its path."""
    page = folder / "index.html"
    page.write_text(render_page(template, charts, **values), encoding="utf-8")
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
