"""A cooling run: energy and volume against temperature, with both branches and where they meet."""

import numpy as np

from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, floats, padded
from tachylite.report.text import quantity
from tachylite.schemas.glass import GlassTransition, Transition

_LABELS = {"potential": "potential energy", "total": "total energy", "enthalpy": "enthalpy"}


def cooling_run(transition: GlassTransition) -> Chart:
    """Energy (eV/atom) and, where it changes, volume (A^3/atom) against temperature with branches and Tg."""
    panels = [_panel(transition.energy, f"{_LABELS[transition.energy_kind]} (eV/atom)", "series-2")]
    if transition.volume is not None:
        panels.append(_panel(transition.volume, "volume (Å³/atom)", "series-0"))
    caption = (
        f"A cooling run at constant {transition.constant}: means over windows with standard errors; dashed: the "
        "straight branches of glass and liquid; shaded: the 95 % interval of where they meet, Tg."
    )
    return Chart("glass_transition", "Glass transition", caption, tuple(panels), legend=False)


def _panel(transition: Transition, label: str, colour: str) -> Panel:
    temperature, value = floats(transition.window_temperatures_k), floats(transition.window_values)
    errors = np.nan_to_num(floats(transition.window_errors))
    hover = tuple(f"{t:.0f} K\n{quantity(v, e)}" for t, v, e in zip(temperature, value, errors, strict=True))
    marks: list[Mark] = [Points(temperature, value, colour, None, np.stack([errors, errors]), size=4.5, hover=hover)]
    title = "no glass transition seen"
    tg, value_at_tg = transition.temperature_k, transition.value
    if tg is not None and value_at_tg is not None:
        title = ""
        margin = GAUSSIAN_95 * tg.error
        text = f"Tg = {quantity(tg, unit='K')}"
        marks.insert(0, Level("x", tg.value, "accent", "dash", margin, text, text_at_end=False))
        ends = (temperature.min(), tg.value), (tg.value, temperature.max())
        reach = 0.15 * np.ptp(temperature)
        for slope, (low, high), grow in zip(
            (transition.glass_slope, transition.liquid_slope), ends, ((0.0, reach), (-reach, 0.0)), strict=True
        ):
            if slope is not None:
                x = floats([low + grow[0], high + grow[1]])
                marks.append(Line(x, value_at_tg + slope.value * (x - tg.value), "ink", None, "dash", 1.2))
    return Panel(
        Axis("temperature (K)", limits=padded([temperature], 0.04)),
        Axis(label, limits=padded([value - errors, value + errors], 0.08)),
        tuple(marks),
        title,
    )
