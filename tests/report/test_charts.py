import math
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.image import imread
from tests.report.report_pieces import Case, analysis, diffusivity
from tests.report.report_results import ANNEALS, activation, limit, quench, volume_search

from tachylite.report import charts
from tachylite.report.drawing.chart import Band, Chart, Level, Line, Mark, Points
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.draw_plotly import legend, plots, theme
from tachylite.report.drawing.style import PNG_DPI, colour
from tachylite.schemas import Diffusivity, Interval, Measured
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.units import KB_EV


def marks[M: Mark](chart: Chart, kind: type[M]) -> list[M]:
    return [mark for panel in chart.panels for mark in panel.marks if isinstance(mark, kind)]


def all_charts(case: Case) -> list[Chart]:
    material = case.material
    states = material.of_kind(HoldResult)
    diffusivities = [diffusivity for state in states for diffusivity in state.diffusivities]
    transition = quench().transition
    assert transition is not None
    return [
        charts.pressure_volume(material.of_kind(VolumeResult)[:1]),
        charts.pressure_volume(material.of_kind(VolumeResult)[1:]),
        charts.cooling_run(transition),
        charts.time_series(case.trajectories["quench"], "virial", stage="Quench"),
        charts.partial_rdfs([("melt", "heat-100", analysis(5000)), ("glass", "heat-0", analysis(300))]),
        charts.mean_squared_displacement(diffusivities, material.elements),
        charts.arrhenius(diffusivities, material.activations, material.elements),
        *map(charts.snapshot_energies, material.of_kind(SnapshotsResult)),
    ]


def test_the_fitted_pressure_vanishes_at_the_equilibrium_volume() -> None:
    chart = charts.pressure_volume([volume_search("melt-volume", 15.92)])
    (curve,) = marks(chart, Line)
    assert np.interp(15.92, curve.x, curve.y) == pytest.approx(0.0, abs=0.02)
    assert np.interp(14.0, curve.x, curve.y) > 1
    volume = next(mark for mark in marks(chart, Level) if mark.axis == "x")
    assert (volume.value, volume.margin) == pytest.approx((15.92, 0.31))
    assert volume.text == "15.92 ± 0.31 Å³/atom"


def test_figures_in_files_are_sharp_in_print(tmp_path: Path) -> None:
    figure = draw(charts.pressure_volume([volume_search("melt-volume", 15.92)]))
    figure.savefig(tmp_path / "figure.png")
    height, width, _ = imread(tmp_path / "figure.png").shape
    assert (width, height) == pytest.approx(tuple(PNG_DPI * figure.get_size_inches()), abs=1)
    assert PNG_DPI >= 200


def test_every_sample_is_drawn_under_its_purpose_in_the_named_convention(vapour_case: Case) -> None:
    chart = charts.pressure_volume([volume_search("melt-volume", 15.92)])
    assert {mark.name: len(mark.x) for mark in marks(chart, Points)} == {"scan": 3, "bracket": 1, "verification": 2}
    assert chart.panels[0].y.label == "virial pressure (GPa)"
    failed = charts.pressure_volume(vapour_case.material.of_kind(VolumeResult)[:1])
    assert failed.panels[0].y.label == "total pressure (GPa)"
    assert "vapour" in failed.title
    assert not marks(failed, Line)
    virial = next(mark for mark in marks(failed, Points) if "virial" in (mark.name or ""))
    assert virial.y[2] > 0 > virial.y[3]


def test_searches_of_one_step_stand_beside_each_other(phosphate_case: Case) -> None:
    chart = charts.pressure_volume(phosphate_case.material.of_kind(VolumeResult)[1:])
    assert [panel.title for panel in chart.panels] == ["1500 K", "2000 K", "2500 K"]
    levels = [mark.value for mark in marks(chart, Level) if mark.axis == "x"]
    assert levels == pytest.approx([12.7, 13.1, 13.9])


def test_the_slope_of_the_fit_is_six_times_the_diffusivity() -> None:
    chart = charts.mean_squared_displacement([diffusivity("Li", 2000, 1e-4)], ["Li"])
    fit = next(line for line in marks(chart, Line) if line.dash == "dash")
    # 1e-4 cm^2/s is 1 A^2/ps
    assert (fit.y[1] - fit.y[0]) / (fit.x[1] - fit.x[0]) == pytest.approx(6.0)
    assert fit.x[0] == pytest.approx(1.0)


def test_what_does_not_diffuse_has_a_bound_and_no_fit() -> None:
    diffusivities = [diffusivity("Li", 2000, 1e-4), diffusivity("P", 2000, None)]
    msd = charts.mean_squared_displacement(diffusivities, ["Li", "P"])
    assert sum(line.dash == "dash" for line in marks(msd, Line)) == 1
    assert "P not diffusive" in msd.panels[0].title
    bound = next(mark for mark in marks(charts.arrhenius(diffusivities, [], ["Li", "P"]), Points) if mark.name != "Li")
    assert (bound.name, bound.symbol, bound.y.tolist()) == ("P, upper bound", "triangle-down", [4.1e-7])


def test_the_arrhenius_line_and_its_band_follow_the_document() -> None:
    fit = activation("Li", 0.42, 2.1e-3)
    chart = charts.arrhenius([diffusivity("Li", t, 1e-4) for t in ANNEALS], [fit], ["Li"])
    (line,), (band,) = marks(chart, Line), marks(chart, Band)
    temperature = 1000 / line.x
    assert line.y == pytest.approx(2.1e-3 * np.exp(-0.42 / (KB_EV * temperature)))
    assert line.x[[0, -1]] == pytest.approx([1000 / 2500, 1000 / 1500])
    assert fit.ln_d0 is not None
    assert fit.activation_energy_ev is not None
    assert fit.covariance is not None
    beta = 1 / (KB_EV * temperature[7])
    parameters = np.array([1.0, -beta])
    covariance = np.array([[fit.ln_d0.error**2, fit.covariance], [fit.covariance, fit.activation_energy_ev.error**2]])
    error = math.sqrt(parameters @ covariance @ parameters)
    assert np.log(band.high / line.y)[7] == pytest.approx(1.96 * error, rel=1e-3)
    # three points of the same error pin the line best in their middle
    widths = np.log(band.high / band.low)
    assert widths.min() < 0.7 * min(widths[0], widths[-1])


def test_first_minima_lie_on_their_curves() -> None:
    chart = charts.partial_rdfs([("melt", "heat-100", analysis(5000))])
    assert [panel.title for panel in chart.panels] == ["Li–Li", "Li–O", "Li–P", "O–O", "O–P", "P–P"]
    for panel in chart.panels:
        (line,) = [mark for mark in panel.marks if isinstance(mark, Line)]
        (point,) = [mark for mark in panel.marks if isinstance(mark, Points)]
        assert point.y[0] == pytest.approx(np.interp(point.x[0], line.x, line.y))


def test_states_of_one_temperature_differ_in_their_dashes() -> None:
    same = [(name, "heat-0", analysis(300)) for name in ("fast", "slow")]
    for panel in charts.partial_rdfs([("melt", "heat-100", analysis(5000)), *same]).panels:
        dashes = {mark.name: mark.dash for mark in panel.marks if isinstance(mark, Line)}
        assert dashes == {"melt": "solid", "fast": "solid", "slow": "dash"}


def test_of_very_many_pairs_those_with_the_highest_peaks_are_shown() -> None:
    elements = ("Ag", "Al", "Br", "Cl", "Cu", "F", "I", "Li", "O", "P", "S", "Zr")
    chart = charts.partial_rdfs([("melt", "accent", analysis(5000, elements))])
    assert len(chart.panels) == 28
    assert "28 of 78 pairs" in chart.caption
    assert "O–P" in {panel.title for panel in chart.panels}


def test_series_keep_their_mean_and_their_ends(phosphate_case: Case) -> None:
    trajectory = phosphate_case.trajectories["melt"]
    chart = charts.time_series(trajectory, "virial", stage="Melt")
    assert [panel.y.label for panel in chart.panels] == ["T (K)", "energy (eV/atom)", "virial P (GPa)"]
    raw, smooth = [mark for mark in chart.panels[1].marks if isinstance(mark, Line)]
    truth = trajectory.series["energy_ev"] / len(trajectory.numbers)
    assert smooth.y.mean() == pytest.approx(truth.mean(), abs=0.003)
    assert smooth.y.std() < 0.7 * raw.y.std()
    assert len(raw.x) <= 1200
    assert raw.x[[0, -1]] == pytest.approx([0, 20], abs=0.03)
    total = charts.time_series(trajectory, "total", stage="Melt").panels[2].marks[-1]
    virial = chart.panels[2].marks[-1]
    assert isinstance(total, Line)
    assert isinstance(virial, Line)
    assert (total.y - virial.y).mean() == pytest.approx(4.0, abs=0.01)


def test_the_lowest_snapshot_is_the_limit() -> None:
    chart = charts.snapshot_energies(limit())
    lowest = next(mark for mark in marks(chart, Points) if mark.name == "lowest")
    assert (lowest.x.tolist(), lowest.y.tolist()) == ([6.0], [-2.641])
    assert any("amorphous limit −2.641 eV/atom" in level.text for level in marks(chart, Level))


def test_both_libraries_draw_every_chart(phosphate_case: Case) -> None:
    for chart in all_charts(phosphate_case):
        figure = draw(chart)
        assert sum(ax.has_data() for ax in figure.axes) == len(chart.panels)
        described = plots(chart)
        assert len(described) == (1 if chart.stacked else len(chart.panels))
        colours = theme(described, set())["dark"]
        for plot in described:
            # plotly refuses what it does not know
            go.Figure(_resolved(plot, colours))
        assert len({entry.name for entry in legend(chart)}) == len(legend(chart))


def _resolved(value: object, colours: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _resolved(part, colours) for key, part in value.items()}
    if isinstance(value, list):
        return [_resolved(part, colours) for part in value]
    return colours[value[1:]] if isinstance(value, str) and value.startswith("@") else value


def test_missing_errors_and_values_break_nothing() -> None:
    complete = volume_search("melt-volume", 15.92)
    lost = Measured(value=math.nan, error=math.nan)
    samples = [s.model_copy(update={"pressure_gpa": Measured(value=1.0, error=math.nan)}) for s in complete.samples[:1]]
    bare = complete.model_copy(update={"samples": samples, "volume_a3": lost, "equation_of_state": None})
    zero = diffusivity("Li", 2000, 1e-4).model_copy(
        update={"diffusivity_interval_cm2_s": Interval(low=-1e-5, high=math.nan), "msd_error_a2": []}
    )
    empty = Diffusivity(
        species="O", temperature_k=2000, diffusive=False, n_independent=0, lags_fs=[], msd_a2=[], msd_error_a2=[]
    )
    for chart in (
        charts.pressure_volume([bare]),
        charts.mean_squared_displacement([zero, empty], []),
        charts.arrhenius([zero, empty], [], []),
        charts.arrhenius([empty], [], []),
        charts.partial_rdfs([]),
    ):
        draw(chart).canvas.draw()
        assert "NaN" not in str(plots(chart))


def test_every_panel_is_drawn_in_axes_of_its_own(phosphate_case: Case) -> None:
    searches = phosphate_case.material.of_kind(VolumeResult)
    diffusivities = phosphate_case.material.result("anneal-1500K").measured_diffusivities
    assert len(draw(charts.pressure_volume(searches[:1])).axes) == 1
    assert len(draw(charts.pressure_volume(searches[1:])).axes) == 3
    assert len(draw(charts.mean_squared_displacement(diffusivities, ["Li", "O", "P"])).axes) == 1
    assert len(draw(charts.arrhenius(diffusivities, [], ["Li"])).axes) == 1
    assert len(draw(charts.snapshot_energies(limit())).axes) == 1
    assert len(draw(charts.time_series(phosphate_case.trajectories["quench"], "total", stage="Quench")).axes) == 3
    assert len(draw(charts.partial_rdfs([("melt", "accent", analysis(5000))])).axes) == 6


@pytest.mark.parametrize("token", ["ink", "series-0", "series-9", "heat-0", "heat-55", "heat-100"])
def test_colours_differ_between_the_modes(token: str) -> None:
    assert colour(token) != colour(token, dark=True)
    assert colour(f"{token}/0.3").startswith("rgba(")
