"""The page of a model: self-contained, with its figures and its numbers."""

from pathlib import Path

import pytest
from tests.learning.learning_samples import trained
from tests.report.test_page import Page

from tachylite.report.charts import learning as charts
from tachylite.report.draw_matplotlib import draw
from tachylite.report.model_page import write_model_report
from tachylite.schemas.learning import Model


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_report(trained().card, tmp_path_factory.mktemp("model")).parent


def test_the_page_needs_nothing_else(where: Path) -> None:
    page = Page(where / "index.html")
    assert [one for one in page.references if not one.startswith(("#", "data:"))] == []
    plots = page.payload["plots"]
    assert isinstance(plots, list)
    assert page.source.count('class="plot"') == len(plots)
    names = {path.stem for path in (where / "figures").iterdir()}
    assert {"parity", "learning_curve", "importances", "anions", "activation_energies"} <= names
    assert Model.model_validate_json((where / "model.json").read_text()) == trained().card


@pytest.mark.parametrize(
    "words", ["all rows of a composition held out", "30 chemical", "limit of the distance", "Shapley value, mean size"]
)
def test_the_page_says(where: Path, words: str) -> None:
    assert words in Page(where / "index.html").text


def test_inputs_are_named_along_the_axis() -> None:
    figure = draw(charts.importances(trained().card))
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert shown == [one.feature for one in trained().card.importances]
