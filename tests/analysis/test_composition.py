"""Properties over composition: means over samples, with their errors."""

import pytest

from tachylite.analysis.composition import Sample, map_property
from tachylite.report.charts.composition import composition_chart
from tachylite.report.drawing.chart import Line, Points
from tachylite.report.drawing.draw_matplotlib import draw

SAMPLES = [
    Sample("a", "Cu", 9.0, 0.1),
    Sample("b", "Cu2Au2", 14.0, 0.1),
    Sample("c", "Cu2Au2", 16.0, 0.1),
    Sample("d", "Cu2Au2", 15.0, 0.1),
    Sample("e", "Au", 19.0, None),
    Sample("f", "Ag2CuAu", 12.0, 0.2),
    Sample("g", "CuNi", 8.0, 0.1),
]


def test_samples_of_a_composition_give_their_mean_and_standard_error() -> None:
    copper, mixed, gold = map_property(["Cu", "Au"], "density", SAMPLES).values
    assert (copper.value, copper.error, copper.fractions) == (9.0, 0.1, {"Cu": 1.0, "Au": 0.0})
    assert mixed.value == 15.0
    assert mixed.error == pytest.approx(1 / 3**0.5)
    assert mixed.material_ids == ["b", "c", "d"]
    assert (gold.value, gold.error) == (19.0, None)


def test_a_triangle_has_its_compositions_where_they_belong() -> None:
    chart = composition_chart(map_property(["Cu", "Au", "Ag"], "density", SAMPLES))
    (panel,) = chart.panels
    outline, *points = panel.marks
    assert isinstance(outline, Line)
    placed = {(float(p.x[0]), float(p.y[0])): p.colour for p in points if isinstance(p, Points)}
    assert placed.keys() == {(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.5, 0.5)}
    assert (placed[0.0, 0.0], placed[1.0, 0.0], placed[0.5, 0.5]) == ("heat-0", "heat-100", "heat-30")
    draw(chart)
