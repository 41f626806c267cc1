"""Templates of the browser around those of the report, and the files that pages load."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from starlette.responses import HTMLResponse

from tachylite.report.drawing.chart import Chart
from tachylite.report.pages import rendering
from tachylite.report.text import plain_formula, quantity, spaced

_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True)
class StaticFile:
    """A style or a script, as it is sent."""

    content: bytes
    compressed: bytes
    kind: str
    fingerprint: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Styles and scripts of the report and of the browser by name; nothing else of the disk is ever sent."""
    return {name: _static_file(name, text.encode()) for name, text in _sources()}


def _sources() -> Iterator[tuple[str, str]]:
    yield "plotly.js", rendering.plot_library()
    yield "3Dmol.js", rendering.viewer_library()
    for folder in (files("tachylite.report") / "templates", files("tachylite.serve") / "static"):
        for file in folder.iterdir():
            if file.name.rpartition(".")[2] in _KINDS:
                yield file.name, file.read_text(encoding="utf-8")


def _static_file(name: str, content: bytes) -> StaticFile:
    fingerprint = hashlib.sha256(content).hexdigest()[:12]
    return StaticFile(content, gzip.compress(content, 6), _KINDS[name.rpartition(".")[2]], fingerprint)


def static_address(name: str) -> str:
    """Address of a style or script, another one where its content is another."""
    return f"/static/{name}?v={static_files()[name].fingerprint}"


@cache
def templates() -> Environment:
    """The templates of the browser; pages of the report stand in its layout."""
    engine = rendering.environment("tachylite.serve")
    engine.globals |= {"static": static_address, "quantity": quantity}
    engine.filters |= {"formula": plain_formula, "spaced": spaced}
    return engine


def prepare() -> None:
    """Compress the files and compile the templates, so that no reader waits for that."""
    import h5py  # noqa: F401 - what reads trajectories takes a while to load

    static_files()
    for name in templates().list_templates(["j2"]):
        templates().get_template(name)


def show(template: str, charts: Sequence[Chart] = (), *, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a page."""
    values = {"file_stem": "tachylite"} | values
    return HTMLResponse(rendering.render_page(template, charts, templates=templates(), **values), status)
