import base64
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs
from pymatgen.core import Structure
from tests.report.report_pieces import Case, analysis, diffusivity
from tests.report.report_results import hold, limit, volume_search, with_results

from tachylite.report.pages.material import write_report
from tachylite.report.pages.sections import notices
from tachylite.schemas import Failure, Material, Measured, State


class Page(HTMLParser):
    """Text, attributes and scripts of a page, the text as a reader sees it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.references: list[str] = []
        self.scripts: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.inside = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = tag
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def payload(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.scripts[0])
        return found


@pytest.fixture(scope="module")
def full(phosphate_case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(phosphate_case.material, phosphate_case.trajectories, tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def page(full: Path) -> Page:
    return Page(full)


@pytest.mark.parametrize(
    "words",
    [
        "15.92 ± 0.31 Å³/atom",
        "1.511 ± 0.030 g/cm³",
        "9.3 [8.0, 10.9] × 10⁻⁴ cm²/s",
        "not diffusive: upper bound 4.1 × 10⁻⁷",
        "0.420 ± 0.050 eV",
        "2.213 g/cm³",
        "−2.655 eV/atom",
        "−2.641 eV/atom",
        "−2.6162 ± 0.0074 eV/atom",
        "0.127 eV/atom",
        "0.113 eV/atom",
        "9.40 × 10¹⁴ K/s",
        "(9.1 ± 3.3) × 10⁻⁵ 1/K",
        "73.1 ± 3.2 GPa",
        "25.11 ± 0.91 J/(mol K)",
        "4.020 ± 0.034",
        "P diffuses measurably at 2 of 3 temperatures; three are needed",
        "3b5f0c1d" * 8,
        "CHGNet 0.3.0",
        "Errors are those of sampling. In ten compositions beside PBE, energies of melts above glasses by CHGNet",
        "torch 2.9.1",
        "pressure: virial",
        "2026-11-21 09:30:00 UTC",
        "zheng2024",
    ],
)
def test_every_key_number_is_on_the_page(page: Page, words: str) -> None:
    assert words in page.text


def test_the_page_is_one_file_without_a_network(page: Page, full: Path) -> None:
    assert page.references
    assert all(reference.startswith(("data:", "#")) for reference in page.references)
    assert "default-src 'none'" in page.source
    assert not {"link", "iframe", "object", "embed", "img"} & set(page.tags)
    assert page.source.count(get_plotlyjs()) == 1
    assert full.stat().st_size < 8e6


def test_every_chart_has_a_place_and_a_file(page: Page, full: Path) -> None:
    drawn = page.payload["plots"]
    assert isinstance(drawn, list)
    # 4 P(V), the glass transition, 5 against time, snapshots, 4 MSD, Arrhenius, 6 g(r)
    assert len(drawn) == 4 + 1 + 5 + 1 + 4 + 1 + 6
    assert page.source.count('class="plot"') == len(drawn)
    assert 'data-figures="23"' in page.source
    names = {path.name for path in (full.parent / "figures").iterdir()}
    assert len(names) == 2 + 1 + 5 + 1 + 1 + 1 + 1 + 1
    assert {"arrhenius.png", "msd.png", "partial_rdf.png", "structure_amorphous-limit.png"} < names
    assert {"melt-volume_pressure_volume.png", "anneal-volume_pressure_volume.png"} < names
    assert {"quench_time_series.png", "anneal-2000K_time_series.png", "amorphous-limit_snapshots.png"} < names
    assert all((full.parent / "figures" / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_downloads_are_the_files_beside_the_page(page: Page, full: Path, phosphate_case: Case) -> None:
    text = (full.parent / "material.json").read_text(encoding="utf-8")
    assert Material.model_validate_json(text) == phosphate_case.material
    coded = [reference.split(",")[1] for reference in page.references if reference.startswith("data:")]
    contents = {base64.b64decode(one).decode() for one in coded}
    assert text in contents
    files = sorted((full.parent / "structures").glob("*.cif"))
    assert [path.stem for path in files] == [
        "amorphous-limit", "anneal-1500K", "anneal-2000K", "anneal-2500K", "glass", "melt", "quench"
    ]  # fmt: skip
    assert {path.read_text(encoding="utf-8") for path in files} < contents
    glass = phosphate_case.material.result("glass").final
    assert glass is not None
    structure = Structure.from_file(files[4])
    assert structure.composition.reduced_formula == "Li3PO4"
    assert structure.volume == pytest.approx(glass.volume_a3, rel=1e-5)


def test_a_vapour_is_named_as_such(vapour_case: Case, tmp_path: Path) -> None:
    page = Page(write_report(vapour_case.material, {}, tmp_path))
    assert "Failed: melt-volume. a vapour: no tension up to 41.3 Å³ per atom" in page.text
    assert "Skipped: melt, anneal-volume, anneal, quench, glass, elasticity, amorphous-limit. there is" in page.text
    assert page.text.count("Failed:") == 1
    assert "volume vapour" in page.text
    assert "total P (GPa)" in page.text
    assert "NaN" not in page.scripts[0]


def test_a_partial_material_shows_what_it_has(partial_case: Case, tmp_path: Path) -> None:
    page = Page(write_report(partial_case.material, partial_case.trajectories, tmp_path))
    assert "15.92 ± 0.31 Å³/atom" in page.text
    assert page.text.count("Failed: quench. temperature 41200 K at step 812") == 1
    assert "Failed: snapshot at 4 ps (amorphous-limit). force 0.31 eV/Å after 500 steps" in page.text
    assert "Failed: reference P. force 0.31 eV/Å after 500 steps" in page.text
    assert "Failed: amorphous-limit. no snapshot has both converged and references" in page.text
    assert "Skipped: glass, elasticity. there is nothing to continue" in page.text
    assert "The trajectory of melt is not at hand" in page.text
    assert "Quench, last good frame" in page.text
    assert not (tmp_path / "structures" / "glass.cif").exists()


def test_an_empty_material_has_a_page(partial_case: Case, tmp_path: Path) -> None:
    empty = partial_case.material.model_copy(update={"results": [], "failures": [], "status": "failed"})
    page = Page(write_report(empty, {}, tmp_path))
    assert 'data-figures="0"' in page.source
    assert 'id="structure"' not in page.source


def test_failures_come_before_refusals_and_once(phosphate_case: Case) -> None:
    material = phosphate_case.material.model_copy(
        update={"failures": [Failure(stage="quench", reason="too hot"), Failure(stage="quench", reason="too hot")]}
    )
    assert [(notice.kind, notice.stage) for notice in notices(material)] == [
        ("failure", "quench"),
        ("refusal", "diffusivity of P (anneal, 1500 K)"),
        ("refusal", "activation energy of P"),
    ]


def test_what_a_user_writes_is_text_and_nothing_else(phosphate_case: Case, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><b>$x$"
    search = volume_search("melt-volume", 15.92).model_copy(update={"formula": evil, "reason": evil})
    still = diffusivity("Li", 5000, None).model_copy(update={"species": evil, "reason": evil})
    hot = hold("melt", 15.92, {}).model_copy(update={"diffusivities": [still], "variant": evil})
    material = with_results(phosphate_case.material, search, hot)
    material = material.model_copy(
        update={
            "formula": evil,
            "failures": [Failure(stage=evil, reason=evil)],
            "protocol": material.protocol.model_copy(update={"name": evil, "description": evil}),
            "provenance": material.provenance.model_copy(update={"options": {evil: evil}, "model": evil}),
        }
    )
    page = Page(write_report(material, phosphate_case.trajectories, tmp_path))
    assert page.tags.count("script") == 5
    assert page.tags.count("b") == page.source.count('<li class="notice ')
    assert "alert(1)</script>" not in page.source
    assert "<b>$x$" not in page.source.replace(page.scripts[1], "")


def test_numbers_that_are_none_or_nan_become_dashes(phosphate_case: Case, tmp_path: Path) -> None:
    lost = Measured(value=math.nan, error=math.nan)
    search = volume_search("melt-volume", 15.92).model_copy(
        update={"volume_a3": lost, "pressure_gpa": lost, "equation_of_state": None, "samples": []}
    )
    melt = hold("melt", 15.92, {}).model_copy(update={"density_g_cm3": lost})
    page = Page(write_report(phosphate_case.material.model_copy(update={"results": [search, melt]}), {}, tmp_path))
    assert "volume –" in page.text
    assert "density –" in page.text
    assert not re.search(r"\b(nan|NaN|None|inf)\b", page.text)


def test_very_many_species_fit(phosphate_case: Case, tmp_path: Path) -> None:
    symbols = ("Ag", "Al", "B", "Br", "Cl", "Cu", "F", "I", "Li", "O", "P", "Zr")
    melt = hold("melt", 15.92, dict.fromkeys(symbols, 1e-05))
    numbers = [47, 13, 5, 35, 17, 29, 9, 53, 3, 8, 15, 40]
    final = State(
        numbers=numbers, positions=[(2.5 * k, 0.0, 0.0) for k in range(12)], cell=[(30, 0, 0), (0, 8, 0), (0, 0, 8)]
    )
    assert melt.run is not None
    crowd = melt.model_copy(
        update={"structure": analysis(5000, symbols), "run": melt.run.model_copy(update={"final": final})}
    )
    material = phosphate_case.material.model_copy(
        update={"results": [crowd, limit()], "activations": [], "elements": list(symbols)}
    )
    page = Page(write_report(material, {}, tmp_path))
    assert page.source.count('data-name="partial_rdf"') == 28
    assert "28 of 78 pairs" in page.text
