"""The figure and the words of a cooling run and of elastic constants."""

from tests.analysis.glass_samples import ATOMS, log
from tests.report.report_results import elasticity, quench

from tachylite.analysis.glass import measure_transition
from tachylite.report import charts
from tachylite.report.drawing.chart import Level, Line
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import plots
from tachylite.report.steps import rows_of


def test_the_figure_shows_both_branches_and_where_they_meet() -> None:
    found = measure_transition(log(volume=True), ATOMS)
    chart = charts.cooling_run(found)
    assert [panel.y.label for panel in chart.panels] == ["potential energy (eV/atom)", "volume (Å³/atom)"]
    for panel in chart.panels:
        (level,) = (mark for mark in panel.marks if isinstance(mark, Level))
        low, high = (mark for mark in panel.marks if isinstance(mark, Line))
        assert low.x.min() < level.value < high.x.max()
        assert (high.y[1] - high.y[0]) / (high.x[1] - high.x[0]) > (low.y[1] - low.y[0]) / (low.x[1] - low.x[0]) > 0
    assert len(draw(chart).axes) == 2
    assert plots(chart)


def test_a_refusal_is_said_in_the_figure() -> None:
    (panel,) = charts.cooling_run(measure_transition(log(volume=False), ATOMS, low_k=900)).panels
    assert panel.title == "no glass transition seen"
    assert not [mark for mark in panel.marks if isinstance(mark, Line | Level)]


def test_the_rows_hold_every_number_with_its_error() -> None:
    transition = measure_transition(log(volume=False), ATOMS)
    cooled = quench().model_copy(
        update={"transition": transition, "heat_capacity": transition.glass_heat_capacity, "temperature_k": 200}
    )
    strained = elasticity()
    assert strained.elasticity is not None
    rows = {row.label: row.value for result in (cooled, strained) for row in rows_of(result)}
    assert rows["Young's modulus"] == "73.1 ± 3.2 GPa"
    assert rows["Poisson ratio"] == "0.167 ± 0.020"
    assert rows["glass transition, energy"].endswith("K")
    assert "±" in rows["heat capacity at 200 K"]
    without = strained.elasticity.model_copy(update={"bulk_modulus_gpa": None})
    refused = rows_of(strained.model_copy(update={"elasticity": without}))
    assert {row.label: row.value for row in refused}["elastic moduli"] == "refused"
