"""What a model predicts, how its error falls with data, what it looks at, and what its table says."""

import numpy as np

from tachylite.report.drawing.chart import Axis, Chart, Line, Mark, Panel, Points, floats, padded
from tachylite.report.drawing.style import heat_token
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas import Interval, Measured
from tachylite.schemas.learning import Importance, Model

MOST_INPUTS = 15
"""Shown of the importances."""


def parity_of_held_out(model: Model) -> Chart:
    """Predicted against measured target of every row, by a model that has not seen its composition; two scales."""
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
        marks: list[Mark] = [Line(line, line, "muted", "predicted = measured", "dash", 1.0)]
        for kelvin in kelvins:
            own = shown & (temperatures == kelvin)
            colour = heat_token(kelvin, kelvins)
            hover = tuple(texts[own].tolist())
            marks.append(Points(measured[own], predicted[own], colour, f"{kelvin:g} K", size=5, hover=hover))
        panels.append(Panel(Axis(f"{name}, measured", log=log), Axis(f"{name}, predicted", log=log), tuple(marks)))
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
    by_shapley = sorted(model.leading.importances, key=lambda one: -one.shapley.value)
    panels = (
        _ranked(model.leading.importances, [one.permutation for one in model.leading.importances], "rise of RMSE"),
        _ranked(by_shapley, [one.shapley for one in by_shapley], "mean |Shapley value|", hollow=True),
    )
    unit = f" Both in {written_unit(model)}." if model.data.target_unit else ""
    caption = (
        "Left: rise of the error on held-out compositions when the rows swap their values of one input. Right: size of "
        f"its Shapley values; filled where more of it raises the prediction, open where it lowers it.{unit}"
    )
    return Chart("importances", "What the model looks at", caption, panels)


def correlations(model: Model) -> Chart:
    """Pearson's r of every descriptor with the target against the published one."""
    known = [one for one in model.trends.correlations if one.published is not None]
    x = floats([one.published for one in known])
    y, error = _measured([one.pearson for one in known])
    hover = tuple(f"{one.feature}\nhere {quantity(one.pearson)}\npublished {one.published:.2f}" for one in known)
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
    panels = [_by_word([one.anion for one in trends], [one.target for one in trends], here, "series-0")]
    known = [(one.anion, one.activation_energy_ev) for one in trends if one.activation_energy_ev is not None]
    if known:
        words, values = zip(*known, strict=True)
        panels.append(_by_word(list(words), list(values), "activation energy (eV)", "series-1"))
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
    """The first inputs by name; hollow where more of one lowers the prediction."""
    shown = inputs[:MOST_INPUTS]
    y, error = _measured(values[:MOST_INPUTS])
    x = np.arange(len(shown), dtype=float)
    lowers = np.array([hollow and (one.direction or 0.0) < 0 for one in shown])
    marks: list[Mark] = []
    for chosen, open_symbol in ((~lowers, False), (lowers, True)):
        if chosen.any():
            marks.append(
                Points(
                    x[chosen],
                    y[chosen],
                    "series-0",
                    errors=np.stack([error[chosen]] * 2),
                    symbol="circle-open" if open_symbol else "circle",
                    hover=tuple(
                        f"{one.feature}\n{quantity(value)}"
                        for one, value, keep in zip(shown, values, chosen, strict=False)
                        if keep
                    ),
                )
            )
    ticks = tuple((float(place), one.feature) for place, one in zip(x, shown, strict=True))
    return Panel(Axis("", ticks=ticks, limits=(-0.7, len(shown) - 0.3)), Axis(label), tuple(marks))


def _by_word(words: list[str], values: list[Measured], label: str, colour: str) -> Panel:
    y, error = _measured(values)
    x = np.arange(len(words), dtype=float)
    ticks = tuple(zip(x.tolist(), words, strict=True))
    hover = tuple(f"{word}\n{quantity(value)}" for word, value in zip(words, values, strict=True))
    marks = (Points(x, y, colour, errors=np.stack([error, error]), hover=hover),)
    return Panel(Axis("", ticks=ticks, limits=(-0.7, len(words) - 0.3)), Axis(label), marks)


def _measured(values: list[Measured]) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors (n,); an error that is not known is no bar."""
    errors = floats([one.error for one in values])
    return floats([one.value for one in values]), np.where(np.isfinite(errors), errors, 0.0)


def _interval(low: float | None, high: float | None) -> Interval | None:
    return Interval(low=low, high=high) if low is not None and high is not None else None


def _target(model: Model) -> str:
    return _with_unit(model.data.target, model)


def _with_unit(label: str, model: Model) -> str:
    unit = written_unit(model)
    return f"{label} ({unit})" if unit else label


def written_unit(model: Model) -> str:
    """Unit of the target as it is printed."""
    return model.data.target_unit.replace("10^-3", "10⁻³").replace("^2", "²")
