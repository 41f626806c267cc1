"""Figures of a fitted model: held-out predictions, learning curve, importances, and trends of its training table."""

import numpy as np

from tachylite.arrays import Array
from tachylite.report.drawing.chart import Axis, Chart, Line, Mark, Panel, Points, floats, padded
from tachylite.report.drawing.style import heat_token
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas import Interval, Measured
from tachylite.schemas.learning import Importance, Model

MOST_INPUTS = 15
"""Inputs shown in the figure of importances."""


def parity_of_held_out(model: Model) -> Chart:
    """Predicted against measured target of every row, by a model fitted without its composition; two scales."""
    rows, name = model.held_out, _target(model)
    measured, predicted = floats(rows.measured), floats(rows.predicted)
    temperatures = floats(rows.temperatures_k)
    ends = floats([min(measured.min(), predicted.min()), max(measured.max(), predicted.max())])
    kelvins = model.data.temperatures_k
    texts = np.array(
        [
            f"{plain_formula(formula)} at {t:g} K\nmeasured {quantity(x)}\npredicted "
            f"{quantity(y, interval=_interval(low, high))}"
            for formula, t, x, y, low, high in zip(
                rows.formulas,
                rows.temperatures_k,
                rows.measured,
                rows.predicted,
                rows.low,
                rows.high,
                strict=True,
            )
        ]
    )
    panels = []
    positive = (measured > 0) & (predicted > 0)
    for log in (False, True) if positive.any() else (False,):
        shown = positive if log else np.ones(len(measured), dtype=bool)
        line = floats([min(measured[shown].min(), predicted[shown].min()), ends[1]]) if log else ends
        marks: list[Mark] = [Line(line, line, "muted", "predicted = data", "dash", 1.0)]
        for kelvin in kelvins:
            selected = shown & (temperatures == kelvin)
            colour = heat_token(kelvin, kelvins)
            hover = tuple(texts[selected].tolist())
            marks.append(Points(measured[selected], predicted[selected], colour, f"{kelvin:g} K", size=5, hover=hover))
        panels.append(Panel(Axis(f"{name}, data", log=log), Axis(f"{name}, predicted", log=log), tuple(marks)))
    caption = "Every row predicted by a model that has learned from other compositions only."
    return Chart("parity", "Held-out compositions", caption, tuple(panels))


def learning_curve(model: Model) -> Chart:
    """RMSE on held-out compositions against the number of compositions learned from."""
    points = model.learning_curve
    x = floats([point.compositions for point in points])
    y, error = _measured([point.rmse for point in points])
    marks = (Line(x, y, "series-0"), Points(x, y, "series-0", errors=np.stack([error, error])))
    panel = Panel(Axis("compositions learned from"), Axis(_with_unit("RMSE", model)), marks)
    caption = "Error on held-out compositions; bars: one standard error over the folds."
    return Chart("learning_curve", "Learning curve", caption, (panel,))


def importances(model: Model) -> Chart:
    """Permutation importance and mean size of the Shapley values of the inputs that matter most."""
    by_permutation = model.leading.importances
    by_shapley = sorted(by_permutation, key=lambda importance: -importance.shapley.value)
    panels = (
        _ranked(by_permutation, [importance.permutation for importance in by_permutation], "rise of RMSE"),
        _ranked(by_shapley, [importance.shapley for importance in by_shapley], "mean |Shapley value|", hollow=True),
    )
    unit = f" Both in {written_unit(model)}." if model.data.target_unit else ""
    caption = (
        "Left: rise of the error on held-out compositions when the rows swap their values of one input. Right: size of "
        f"its Shapley values; filled where more of it raises the prediction, open where it lowers it.{unit}"
    )
    return Chart("importances", "What the model looks at", caption, panels)


def correlations(model: Model) -> Chart:
    """Pearson's r of every descriptor with the target against the published one."""
    compared = [correlation for correlation in model.trends.correlations if correlation.published is not None]
    x = floats([correlation.published for correlation in compared])
    y, error = _measured([correlation.pearson for correlation in compared])
    hover = tuple(
        f"{correlation.feature}\nhere {quantity(correlation.pearson)}\npublished {correlation.published:.2f}"
        for correlation in compared
    )
    ends = floats([-1, 1])
    marks = (
        Line(ends, ends, "muted", dash="dash", width=1.0),
        Points(x, y, "series-0", errors=np.stack([error, error]), hover=hover),
    )
    here = f"r at {model.trends.temperature_k:g} K, this table"
    panel = Panel(Axis("r at 5000 K, Zheng et al. 2024", limits=(-1, 1)), Axis(here, limits=(-1, 1)), marks)
    caption = (
        "Pearson's r of descriptors and diffusivity; bars: one standard error. Hover for names. The published set is "
        "of other compositions. In the table a sign is undecided where r is within two errors of 0."
    )
    return Chart("correlations", "Correlations", caption, (panel,))


def anions(model: Model) -> Chart:
    """Mean target and mean activation energy of the compositions of every anion."""
    trends = model.trends.anions
    here = f"{_target(model)} at {model.trends.temperature_k:g} K"
    panels = [_by_category([trend.anion for trend in trends], [trend.target for trend in trends], here, "series-0")]
    energies = {trend.anion: trend.activation_energy_ev for trend in trends if trend.activation_energy_ev is not None}
    if energies:
        panels.append(_by_category(list(energies), list(energies.values()), "activation energy (eV)", "series-1"))
    caption = "Means over the compositions of an anion, the most electronegative element; bars: one standard error."
    return Chart("anions", "Anions", caption, tuple(panels))


def activation_energies(model: Model) -> Chart:
    """Activation energies of binary compounds against mobile fraction times atomic radius of the other element."""
    trends, species = model.trends, model.data.species
    hover = tuple(
        f"{plain_formula(text)}\n{quantity(energy, unit='eV', digits=3)}"
        for text, energy in zip(trends.activation_compositions, trends.activation_energies_ev, strict=True)
    )
    x, y = floats(trends.fraction_times_radius_a), floats(trends.activation_energies_ev)
    axis = Axis(f"{species} fraction × atomic radius of the other (Å)", limits=padded([x]))
    panel = Panel(axis, Axis("activation energy (eV)", limits=padded([y])), (Points(x, y, "series-1", hover=hover),))
    r = trends.activation_against_radius
    caption = f"Binary compounds; Pearson's r {quantity(r)}." if r is not None else "Binary compounds."
    return Chart("activation_energies", "Activation energies", caption, (panel,))


def _ranked(inputs: list[Importance], values: list[Measured], label: str, *, hollow: bool = False) -> Panel:
    """Values of the first inputs, by name; with `hollow`, open circles where a larger input lowers the prediction."""
    shown = inputs[:MOST_INPUTS]
    y, error = _measured(values[:MOST_INPUTS])
    x = np.arange(len(shown), dtype=float)
    lowers = np.array([hollow and (importance.direction or 0.0) < 0 for importance in shown])
    marks: list[Mark] = []
    for selected, open_symbol in ((~lowers, False), (lowers, True)):
        if selected.any():
            marks.append(
                Points(
                    x[selected],
                    y[selected],
                    "series-0",
                    errors=np.stack([error[selected]] * 2),
                    symbol="circle-open" if open_symbol else "circle",
                    hover=tuple(
                        f"{importance.feature}\n{quantity(value)}"
                        for importance, value, in_group in zip(shown, values, selected, strict=False)
                        if in_group
                    ),
                )
            )
    ticks = tuple((float(place), importance.feature) for place, importance in zip(x, shown, strict=True))
    return Panel(Axis("", ticks=ticks, limits=(-0.7, len(shown) - 0.3)), Axis(label), tuple(marks))


def _by_category(names: list[str], values: list[Measured], label: str, colour: str) -> Panel:
    y, error = _measured(values)
    x = np.arange(len(names), dtype=float)
    ticks = tuple(zip(x.tolist(), names, strict=True))
    hover = tuple(f"{name}\n{quantity(value)}" for name, value in zip(names, values, strict=True))
    marks = (Points(x, y, colour, errors=np.stack([error, error]), hover=hover),)
    return Panel(Axis("", ticks=ticks, limits=(-0.7, len(names) - 0.3)), Axis(label), marks)


def _measured(values: list[Measured]) -> tuple[Array, Array]:
    """Values and errors (n,), 0 for an unknown error, which so has no bar."""
    errors = floats([measured.error for measured in values])
    return floats([measured.value for measured in values]), np.where(np.isfinite(errors), errors, 0.0)


def _interval(low: float | None, high: float | None) -> Interval | None:
    return Interval(low=low, high=high) if low is not None and high is not None else None


def _target(model: Model) -> str:
    return _with_unit(model.data.target, model)


def _with_unit(label: str, model: Model) -> str:
    unit = written_unit(model)
    return f"{label} ({unit})" if unit else label


def written_unit(model: Model) -> str:
    """Unit of the target with superscripts, as it is printed."""
    return model.data.target_unit.replace("10^-3", "10⁻³").replace("^2", "²")
