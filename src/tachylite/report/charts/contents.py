"""Voltage and volume of a host against its content of ions."""

import numpy as np

from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, floats, padded
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas.steps.ions import IonResult


def contents(result: IonResult) -> Chart:
    """Stepwise voltages with those along the convex hull, and volumes, of at least two stages."""
    formula = f"{result.element}ₓ{plain_formula(result.host)}"
    caption = (
        f"{formula}: mean voltage between neighbouring contents, the voltages along the convex hull of energy, and the "
        "volume of the cell over that of the first stage."
    )
    title = f"Voltage and volume of {formula}"
    return Chart(
        "contents",
        title,
        caption,
        tuple(panel for panel in (_voltages(result, formula), _volumes(result, formula)) if panel),
    )


def _voltages(result: IonResult, formula: str) -> Panel | None:
    stages = sorted(result.stages, key=lambda stage: stage.content)
    known = [stage.voltage_v for stage in result.stages[1:]]
    if any(voltage is None for voltage in known):
        return None
    # a series of removal has its contents, and so its voltages, from the largest on
    voltages = floats(known if result.stages[0] is stages[0] else known[::-1])
    edges = floats([stage.content for stage in stages])
    marks: list[Mark] = [Level("y", 0.0, "muted")]
    marks.append(Line(np.repeat(edges, 2)[1:-1], np.repeat(voltages, 2), "series-0", "between stages"))
    hull_x = floats([x for step in result.plateaus for x in (step.content_low, step.content_high)])
    hull_y = floats([step.voltage_v for step in result.plateaus for _ in range(2)])
    marks.append(Line(hull_x, hull_y, "series-1", "along the convex hull", dash="dash"))
    if result.average_voltage_v is not None:
        text = quantity(result.average_voltage_v, unit="V")
        marks.append(Level("y", result.average_voltage_v, "ink/0.65", "dot", 0.0, f"mean {text}"))
    limits = padded([voltages, [0.0]], 0.08)
    return Panel(Axis(f"x in {formula}"), Axis(f"voltage against {result.element} (V)", limits=limits), tuple(marks))


def _volumes(result: IonResult, formula: str) -> Panel:
    x = floats([stage.content for stage in result.stages])
    volumes = floats([stage.volume_a3 for stage in result.stages]) / result.stages[0].volume_a3
    marks: tuple[Mark, ...] = (Line(x, volumes, "series-0/0.65"), Points(x, volumes, "series-0", "relaxed stages"))
    return Panel(
        Axis(f"x in {formula}"), Axis("volume over that of the first stage", limits=padded([volumes], 0.08)), marks
    )
