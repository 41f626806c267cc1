"""The figure and the words of a cooling run and of elastic constants."""

from tachylite.report.glass_rows import glass_rows
from tests.analysis.glass_samples import ATOMS, log
from tests.report.report_pieces import PROVENANCE, relaxation, run

from tachylite.analysis.glass import measure_transition
from tachylite.report import charts
from tachylite.report.drawing.chart import Level, Line
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import plots
from tachylite.schemas import Glass, Measured
from tachylite.schemas.glass import AverageModulus, Elasticity


def modulus(value: float, error: float) -> AverageModulus:
    return AverageModulus(voigt=value, reuss=value, hill=Measured(value=value, error=error))


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
    elasticity = Elasticity(
        formula="SiO2",
        n_atoms=ATOMS,
        strain=0.005,
        bulk_modulus_gpa=modulus(36.4, 2.0),
        shear_modulus_gpa=modulus(31.3, 1.5),
        young_modulus_gpa=Measured(value=73.1, error=3.2),
        poisson_ratio=Measured(value=0.167, error=0.02),
        provenance=PROVENANCE,
    )
    glass = Glass(
        final_temperature_k=200,
        cooling_rate_k_s=3e13,
        run=run("quench", 1500, "quench", end=200),
        relaxation=relaxation(-5.7),
        transition=transition,
        heat_capacity=transition.glass_heat_capacity,
        elasticity=elasticity,
    )
    rows = {row.label: row.value for row in glass_rows(glass)}
    assert rows["Young's modulus"] == "73.1 ± 3.2 GPa"
    assert rows["Poisson ratio"] == "0.167 ± 0.020"
    assert rows["glass transition, energy"].endswith("K")
    assert "±" in rows["heat capacity at 200 K"]
    refused = glass.model_copy(update={"elasticity": elasticity.model_copy(update={"bulk_modulus_gpa": None})})
    assert {row.label: row.value for row in glass_rows(refused)}["elastic moduli"] == "refused"
