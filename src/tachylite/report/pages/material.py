"""The report of a material: one self-contained HTML page, figures, structures, the document."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment
from pymatgen.io.cif import CifWriter

from tachylite.report.drawing.raster import draw_structure
from tachylite.report.drawing.scene import scene
from tachylite.report.pages.rendering import Download, render_page, save_download, save_figures, write_page
from tachylite.report.pages.sections import cards, final_states, notices, sections
from tachylite.report.parts import NamedState, Section, charts_of
from tachylite.report.text import error_of_model, formula_parts, plain_formula
from tachylite.schemas import Material, Protocol, Trajectory

_TEMPLATE = "report.html.j2"


def write_report(material: Material, trajectories: Mapping[str, Trajectory], folder: Path) -> Path:
    """Write the report of a material into a folder and return the path of its page.

    The folder gets `index.html` (self-contained, needs no network), `figures/*.png`, `structures/*.cif` and
    `material.json`. `trajectories` maps trajectory ids to trajectories; curves against time are left out
    for runs that are not in it.
    """
    contents, states = sections(material, trajectories), final_states(material)
    folder.mkdir(parents=True, exist_ok=True)
    _write_figures(contents, states, folder / "figures")
    downloads = _write_downloads(material, states, folder)
    return write_page(
        _TEMPLATE, charts_of(contents), folder, **_values(material, contents, states), downloads=downloads
    )


def render_material(
    material: Material,
    trajectories: Mapping[str, Trajectory],
    *,
    downloads: Sequence[Download],
    scenes: Sequence[Mapping[str, Any]],
    templates: Environment,
) -> str:
    """The page of a material in the layout of other templates, with links to files, and more scenes for its viewer."""
    contents, states = sections(material, trajectories), final_states(material)
    values = _values(material, contents, states)
    values["scenes"] = [*values["scenes"], *scenes]
    return render_page(_TEMPLATE, charts_of(contents), templates=templates, **values, downloads=downloads)


def _values(material: Material, contents: Sequence[Section], states: Sequence[NamedState]) -> dict[str, Any]:
    """What the template of a material's page is filled in with, beside its downloads."""
    return {
        "file_stem": f"{material.formula}_{material.protocol.name}",
        "scenes": [scene(named.state).as_data() | {"title": named.title} for named in states],
        "material": material,
        "formula": formula_parts(material.formula),
        "plain_formula": plain_formula(material.formula),
        "cards": cards(material),
        "error_of_model": error_of_model(material.provenance.engine),
        "notices": notices(material),
        "sections": contents,
        "states": states,
        "protocol": _as_yaml(material.protocol),
    }


def _as_yaml(protocol: Protocol) -> str:
    """A protocol with short lists on one line each, in lines that fit into half of the page."""
    content = protocol.model_dump(mode="json")
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=64)


def _write_figures(contents: Sequence[Section], states: Sequence[NamedState], folder: Path) -> None:
    save_figures(charts_of(contents), folder)
    if states:
        draw_structure(states[0].state).savefig(folder / f"structure_{states[0].name}.png")


def _write_downloads(material: Material, states: Sequence[NamedState], folder: Path) -> list[Download]:
    document = save_download(
        folder, "material.json", "document (JSON)", material.model_dump_json(indent=1), "application/json"
    )
    structures = [
        save_download(
            folder,
            f"structures/{named.name}.cif",
            f"{named.title} (CIF)",
            str(CifWriter(named.state.structure)),
            "chemical/x-cif",
        )
        for named in states
    ]
    return [document, *structures]
