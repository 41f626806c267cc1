"""Figures of predictions of a property of crystals: effects of the composition, and values by anion and cations."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tachylite.report.drawing.chart import Axis, Chart, Level, Panel, Points, floats
from tachylite.schemas.crystal_property import CrystalPrediction, Effect

_ANIONS_AT_MOST = 12


def effects_chart(effects: Mapping[str, Sequence[Effect]], quantity: str) -> Chart:
    """Effects with their intervals, side by side for each set of values (`effects` by its name)."""
    names = [effect.name for effect in next(iter(effects.values()))]
    ticks = tuple((float(i), name) for i, name in enumerate(names))
    panels = []
    for title, pick in (("each alone", _alone), ("beside the others", _together)):
        marks = []
        for number, (name, own) in enumerate(effects.items()):
            values, low, high = 1000 * floats([pick(effect) for effect in own]).T
            x = np.arange(len(own), dtype=float) + 0.18 * (number - (len(effects) - 1) / 2)
            errors = np.stack([values - low, high - values])
            marks.append(Points(x, values, f"series-{number}", name, errors=errors, size=6))
        y = Axis("change (meV/atom)")
        panels.append(Panel(Axis("", ticks=ticks), y, (Level("y", 0.0), *marks), title))
    caption = (
        f"How much higher the {quantity} is for nitrides and sulfides than for other compounds, with more alkali metal "
        "or halogen, and with every cation more; bars: 95 % intervals over chemical systems."
    )
    return Chart("effects", "What goes with a high or a low value", caption, tuple(panels))


def _alone(effect: Effect) -> tuple[float, float, float]:
    return effect.alone, effect.alone_interval.low, effect.alone_interval.high


def _together(effect: Effect) -> tuple[float, float, float]:
    return effect.together, effect.together_interval.low, effect.together_interval.high


def distribution_chart(
    predictions: Sequence[CrystalPrediction], classes: Mapping[str, Callable[[CrystalPrediction], str]], quantity: str
) -> Chart:
    """Medians and middle two thirds of the predictions, one panel for each way to class them."""
    panels = []
    for title, class_of in classes.items():
        members: dict[str, list[float]] = {}
        for prediction in predictions:
            if prediction.value_ev_per_atom is not None:
                members.setdefault(class_of(prediction), []).append(1000 * prediction.value_ev_per_atom)
        chosen = sorted(sorted(members, key=lambda name: -len(members[name]))[:_ANIONS_AT_MOST])
        low, middle, high = np.array([np.percentile(members[name], (16, 50, 84)) for name in chosen]).T
        hover = tuple(
            f"{name}: {len(members[name]):,} crystals, median {m:.0f}" for name, m in zip(chosen, middle, strict=True)
        )
        ticks = tuple((float(i), name) for i, name in enumerate(chosen))
        errors = np.stack([middle - low, high - middle])
        points = Points(np.arange(len(chosen), dtype=float), middle, "series-0", errors=errors, hover=hover)
        panels.append(Panel(Axis(title, ticks=ticks), Axis(f"{quantity} (meV/atom)"), (points,)))
    caption = "Medians of the predictions; bars hold the middle two thirds."
    return Chart("distribution", "Predictions by kind of compound", caption, tuple(panels), legend=False)
