"""Charts of an analysis: a PNG file of each, and one interactive page with all of them."""

from collections.abc import Sequence
from pathlib import Path

from plotly.offline import get_plotlyjs

from tachylite import __version__
from tachylite.report.drawing.chart import Chart
from tachylite.report.pages.rendering import describe_charts, environment, save_figures


def write_charts(charts: Sequence[Chart], title: str, folder: Path) -> Path:
    """Write `NAME.png` of every chart and `index.html`, which needs no network, into a folder; give the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    save_figures(charts, folder)
    figures, payload = describe_charts(charts)
    payload |= {"scenes": [], "fileStem": "tachylite"}
    page = folder / "index.html"
    text = (
        environment()
        .get_template("charts.html.j2")
        .render(
            title=title,
            charts=charts,
            figures=figures,
            payload=payload,
            expected=len(payload["plots"]),
            plotly=get_plotlyjs(),
            version=__version__,
        )
    )
    page.write_text(text, encoding="utf-8")
    return page
