"""A property over composition: a curve for two elements, a triangle for three."""

import numpy as np

from tachylite.report.drawing.chart import Axis, Chart, Line, Mark, Panel, Points, floats
from tachylite.report.text import quantity
from tachylite.schemas.composition_map import CompositionMap, CompositionValue


def composition_chart(property_map: CompositionMap) -> Chart:
    """The property of a map of two or three elements against composition."""
    return (_curve if len(property_map.elements) == 2 else _triangle)(property_map)


def _curve(property_map: CompositionMap) -> Chart:
    first, second = property_map.elements
    values = property_map.values
    x, y = floats([value.fractions[second] for value in values]), floats([value.value for value in values])
    error = floats([value.error or 0.0 for value in values])
    hover = tuple(_text(value) for value in values)
    points = Points(x, y, "series-0", errors=np.stack([error, error]), hover=hover)
    axis = Axis(f"fraction of {second} in {first}-{second}", limits=(-0.03, 1.03))
    caption = "Bars: standard error over the samples of a composition, or that of a single one."
    panel = Panel(axis, Axis(property_map.column), (Line(x, y, "series-0"), points))
    return Chart("composition", property_map.column, caption, (panel,))


def _triangle(property_map: CompositionMap) -> Chart:
    """Compositions of three elements in a triangle, coloured from the lowest value (cold) to the highest (hot)."""
    first, second, third = property_map.elements
    values = property_map.values
    low, high = min(value.value for value in values), max(value.value for value in values)
    marks: list[Mark] = [Line(floats([0, 1, 0.5, 0]), floats([0, 0, 1, 0]), "muted")]
    named = {value.formula for value in values if value.value in {low, high}}
    for value in sorted(values, key=lambda value: value.value):
        heat = 50.0 if low == high else 100 * (value.value - low) / (high - low)
        place = value.fractions[second] + value.fractions[third] / 2
        name = _text(value) if value.formula in named else None
        named.discard(value.formula)
        y = floats([value.fractions[third]])
        marks.append(Points(floats([place]), y, f"heat-{round(heat)}", name, None, "circle", 11, (_text(value),)))
    x = Axis(f"{first} left, {second} right, {third} at the top", limits=(-0.05, 1.05), ticks=((0, first), (1, second)))
    panel = Panel(x, Axis(f"fraction of {third}", limits=(-0.05, 1.05)), tuple(marks))
    caption = f"From {quantity(low)} (cold) to {quantity(high)} (hot); every point is a composition that was simulated."
    return Chart("composition", property_map.column, caption, (panel,))


def _text(value: CompositionValue) -> str:
    return f"{value.formula} {quantity(value.value, value.error)}"
