"""Densities, diffusivities, exchange and groups of atoms by layer."""

from collections.abc import Iterator, Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.measured import Interval
from tachylite.physics.transport.diffusivity import DiffusivityEstimate
from tachylite.report.drawing.chart import Axis, Chart, Line, Mark, Panel, Points, floats
from tachylite.report.drawing.style import series_token, species_tokens
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas.layers import LayerAnalysis, LayeredElement

_PER_NM3 = 1000.0
_MOST_GROUPS = 6


def layer_charts(analysis: LayerAnalysis) -> Iterator[Chart]:
    """Profiles along the normal, and groups and new bonds over time where there are any."""
    yield _profiles(analysis)
    if analysis.groups or analysis.bonds:
        yield _bonding(analysis)


def _profiles(analysis: LayerAnalysis) -> Chart:
    colours = species_tokens([element.species for element in analysis.elements])
    heights = floats(analysis.centres_a)
    density: list[Mark] = []
    for element in analysis.elements:
        values = floats([value.value for value in element.density_per_a3]) * _PER_NM3
        errors = floats([value.error for value in element.density_per_a3]) * _PER_NM3
        colour, name = colours[element.species], element.species
        density += [Line(heights, values, f"{colour}/0.5"), Points(heights, values, colour, name, _both(errors))]
    x = Axis("height (Å)", limits=(0.0, analysis.thickness_a * analysis.n_layers))
    panels = [Panel(x, Axis("density (1/nm³)"), tuple(density))]
    if any(element.in_plane for element in analysis.elements):
        for direction, label in (("in_plane", "D in the plane (cm²/s)"), ("normal", "D along the normal (cm²/s)")):
            marks = [m for e in analysis.elements for m in _motion(e, direction, heights, colours[e.species])]
            if marks:
                panels.append(Panel(x, Axis(label, log=True), tuple(marks)))
        crossing = [m for e in analysis.elements for m in _crossings(e, colours[e.species])]
        panels.append(Panel(x, Axis("crossings (1/ps)"), tuple(crossing)))
    caption = (
        "By layers along the normal. Bars: one standard error of densities, 95 % of diffusivities and of crossings of "
        "the planes between layers. Triangles: upper bounds where the motion in a layer is not diffusive."
    )
    return Chart("layers", "Layers", caption, tuple(panels))


def _both(errors: Array) -> Array:
    finite: Array = np.tile(np.where(np.isfinite(errors), errors, 0.0), (2, 1))
    return finite


def _motion(element: LayeredElement, direction: str, heights: Array, colour: str) -> Iterator[Mark]:
    estimates: list[DiffusivityEstimate] = getattr(element, direction)
    known = [i for i, estimate in enumerate(estimates) if estimate.diffusivity_cm2_s is not None]
    if known:
        values = floats([estimates[i].diffusivity_cm2_s for i in known])
        errors = _bars(values, [estimates[i].diffusivity_interval_cm2_s for i in known])
        hover = tuple(f"{element.species}: {quantity(value, unit='cm²/s')}" for value in values)
        yield Points(heights[known], values, colour, element.species, errors, hover=hover)
    bounded = [i for i, estimate in enumerate(estimates) if estimate.upper_bound_cm2_s]
    if bounded:
        bounds = floats([estimates[i].upper_bound_cm2_s for i in bounded])
        hover = tuple(f"{element.species}: {estimates[i].reason}" for i in bounded)
        name = f"{element.species}, upper bound"
        yield Points(heights[bounded], bounds, colour, name, symbol="triangle-down", size=9, hover=hover)


def _bars(values: Array, intervals: Sequence[Interval | None]) -> Array:
    low = floats([interval.low if interval else np.nan for interval in intervals])
    high = floats([interval.high if interval else np.nan for interval in intervals])
    bars: Array = np.clip(np.stack([values - low, high - values]), 0, None)
    return bars


def _crossings(element: LayeredElement, colour: str) -> Iterator[Mark]:
    heights = floats([plane.height_a for plane in element.exchanges])
    rates = floats([plane.rate_per_ps.value for plane in element.exchanges])
    errors = _bars(rates, [plane.interval_per_ps for plane in element.exchanges])
    hover = tuple(f"{element.species}: {plane.number} crossings" for plane in element.exchanges)
    yield Points(heights, rates, colour, element.species, errors, "square", hover=hover)


def _bonding(analysis: LayerAnalysis) -> Chart:
    """Groups in the whole cell over time, and new bonds by layer in the last stretch of it."""
    unit = "ps" if analysis.length_ps is not None else "frames"
    times = floats(analysis.stretches)
    panels = []
    groups: list[Mark] = []
    for index, group in enumerate(analysis.groups[:_MOST_GROUPS]):
        number, colour = floats(group.number).sum(axis=0), series_token(index)
        groups += [Line(times, number, colour, plain_formula(group.formula)), Points(times, number, colour)]
    if groups:
        panels.append(Panel(Axis(f"time ({unit})"), Axis("groups of connected atoms"), tuple(groups)))
    heights = floats(analysis.centres_a)
    bonds: list[Mark] = []
    for index, change in enumerate(sorted(analysis.bonds, key=lambda bond: -floats(bond.new)[:, -1].sum())):
        new = floats(change.new)[:, -1]
        if new.any() and index < _MOST_GROUPS:
            colour = series_token(index)
            bonds += [Line(heights, new, f"{colour}/0.5"), Points(heights, new, colour, change.pair)]
    if bonds:
        x = Axis("height (Å)", limits=(0.0, analysis.thickness_a * analysis.n_layers))
        panels.append(Panel(x, Axis("new bonds"), tuple(bonds)))
    caption = (
        "Groups: atoms held together by bonds other than those between metals and of alkali and alkaline earth metals. "
        "New bonds: in the last fifth of the time, between atoms that were not bonded in the first frame."
    )
    return Chart("layer_bonds", "Bonds by layer", caption, tuple(panels))
