"""Charts of a parity campaign, drawn by both libraries."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tachylite.analysis.parity import failed, make_report, score_curves
from tachylite.physics.structure.parity import Curves
from tachylite.report.charts.parity import parity_charts, parity_curves, parity_distribution, parity_plot
from tachylite.report.csv_tables import parity_tables, write_tables
from tachylite.report.drawing.chart import Line, Points
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import plots
from tachylite.schemas.parity import ParityReport

R = np.linspace(0, 8, 81)


def report(count: int) -> ParityReport:
    """Compositions that get worse one by one, and one that failed."""
    peak = np.exp(-4 * (R - 2.5) ** 2)
    scores = [
        score_curves(f"Li{k + 1}Si", Curves(R, {"Li-Si": 1 + peak}), Curves(R, {"Li-Si": 1 + (1 + 0.04 * k) * peak}))
        for k in range(count)
    ]
    return make_report([*scores, failed("Zn", "no partner")], "A", "B")


@pytest.mark.parametrize("count", [1, 6, 30])
def test_every_chart_is_drawn_by_both(count: int) -> None:
    for chart in parity_charts(report(count)):
        assert len(draw(chart).axes) >= len(chart.panels)
        assert len(plots(chart)) == len(chart.panels)


def test_few_compositions_are_named_and_many_counted() -> None:
    few, many = (parity_distribution(report(count)).panels[0] for count in (6, 30))
    assert [text for _, text in few.top] == [f"Li{digit}Si" for digit in "₁₂₃₄₅₆"]
    assert many.top == ()
    (outline,) = (mark for mark in many.marks if isinstance(mark, Line))
    # every composition is in one bin: heights over the two points of each bin
    assert outline.y.sum() == 2 * 30


def test_the_density_holds_every_point_and_the_fractions_fall() -> None:
    campaign = report(6)
    plot = parity_plot(campaign)
    assert f"{6 * len(R)} values of 6 compositions" in plot.caption
    assert sum(isinstance(mark, Points) for mark in plot.panels[0].marks) > 1, "points that coincide are coloured"
    _, cumulative = parity_distribution(campaign).panels
    (curve,) = (mark for mark in cumulative.marks if isinstance(mark, Line))
    assert np.all(np.diff(curve.y) <= 0)
    assert curve.y[0] == pytest.approx(6 / 7), "the one that failed is above nothing"


def test_curves_show_the_extremes_of_many() -> None:
    assert len(parity_curves(report(6)).panels) == 6
    chart = parity_curves(report(30))
    assert [panel.title.partition(",")[0] for panel in chart.panels] == [
        f"Li{number}Si" for number in ("₁", "₂", "₃", "₂₈", "₂₉", "₃₀")
    ]


def test_tables_have_a_row_for_every_composition(tmp_path: Path) -> None:
    tables = parity_tables(report(3))
    assert set(tables) == {"parity", "parity_by_pair", "parity_fractions"}
    write_tables(tables, tmp_path)
    with (tmp_path / "parity.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["formula"] for row in rows] == ["Li1Si", "Li2Si", "Li3Si", "Zn"]
    assert rows[-1]["reason"] == "no partner"
    assert [row["r2_error"] for row in rows] == ["", "", "", ""]
