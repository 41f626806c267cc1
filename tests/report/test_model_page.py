"""The page of a model: self-contained, with its figures and its numbers."""

from pathlib import Path

import pytest
from tests.learning.learning_samples import trained
from tests.report.test_material_page import Page

from tachylite.report.charts import learning as charts
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.pages.model import correlation_table, order_table, write_model_report
from tachylite.schemas import Measured
from tachylite.schemas.learning import Correlation, Model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_report(trained().card, tmp_path_factory.mktemp("model")).parent


def test_the_page_needs_nothing_else(folder: Path) -> None:
    page = Page(folder / "index.html")
    assert [reference for reference in page.references if not reference.startswith(("#", "data:"))] == []
    plots = page.payload["plots"]
    assert isinstance(plots, list)
    assert page.source.count('class="plot"') == len(plots)
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert {"parity", "learning_curve", "importances", "anions", "activation_energies"} <= names
    assert Model.model_validate_json((folder / "model.json").read_text()) == trained().card


@pytest.mark.parametrize(
    "words", ["all rows of a composition held out", "30 chemical", "limit of the distance", "mean |Shapley|"]
)
def test_the_page_says(folder: Path, words: str) -> None:
    assert words in Page(folder / "index.html").text


def test_inputs_are_named_along_the_axis() -> None:
    figure = draw(charts.importances(trained().card))
    names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert names == [importance.feature for importance in trained().card.leading.importances]


def test_the_orders_of_all_learners_stand_beside_the_published_one() -> None:
    card = trained().card
    table = order_table(card)
    assert table.columns == ("place", *(entry.learner for entry in card.learners), "boosting, Zheng et al. 2024")
    assert table.rows[0][1] == card.leading.importances[0].feature
    assert [row[-1] for row in table.rows] == ["temperature", "RBI", "AAV", "–", "–", "–"]
    alone = card.model_copy(update={"trends": card.trends.model_copy(update={"published_first": []})})
    assert order_table(alone).columns == table.columns[:-1]


@pytest.mark.parametrize(
    ("here", "published", "verdict"),
    [(-0.5, -0.8, "same"), (0.05, -0.3, "undecided"), (0.5, -0.3, "differs"), (0.5, None, "–")],
)
def test_signs_are_compared_with_the_published_ones(here: float, published: float | None, verdict: str) -> None:
    card = trained().card
    known = Correlation(feature="known", pearson=Measured(value=0.3, error=0.05), published=0.3)
    compared = Correlation(feature="compared", pearson=Measured(value=here, error=0.05), published=published)
    trends = card.trends.model_copy(update={"correlations": [known, compared]})
    table = correlation_table(card.model_copy(update={"trends": trends}))
    assert table.rows[1][-1] == verdict
