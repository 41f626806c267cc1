"""Tables of what was measured in layers, for the page and the command line."""

from collections.abc import Iterator

import numpy as np

from tachylite.physics.transport.diffusivity import DiffusivityEstimate
from tachylite.report.parts import Table
from tachylite.report.text import ABSENT, plain_formula, quantity
from tachylite.schemas.layers import LayerAnalysis, LayeredElement


def layer_tables(analysis: LayerAnalysis) -> Iterator[Table]:
    """Densities and motion of every element, neighbours, groups and new bonds, a row for each layer."""
    heights = [f"{height:.1f}" for height in analysis.centres_a]
    for element in analysis.elements:
        yield _element_table(element, heights, analysis.thickness_a)
    if analysis.coordinations:
        names = [f"{entry.neighbor} around {entry.center}" for entry in analysis.coordinations]
        cells = [
            [ABSENT if mean is None else quantity(mean) for mean in entry.mean] for entry in analysis.coordinations
        ]
        yield Table("Neighbours by layer", ("height (Å)", *names), tuple(zip(heights, *cells, strict=True)))
    for title, entries in (
        ("Groups of connected atoms by layer, last fifth", [(g.formula, g.number) for g in analysis.groups]),
        ("New bonds by layer, last fifth", [(bond.pair, bond.new) for bond in analysis.bonds]),
    ):
        shown = [(plain_formula(name), np.asarray(number)[:, -1]) for name, number in entries]
        shown = [(name, last) for name, last in shown if last.any()]
        if shown:
            columns = [[f"{value:.2f}" for value in last] for _, last in shown]
            yield Table(title, ("height (Å)", *(name for name, _ in shown)), tuple(zip(heights, *columns, strict=True)))


def _element_table(element: LayeredElement, heights: list[str], thickness_a: float) -> Table:
    columns = {
        "height (Å)": heights,
        "density (1/nm³)": [quantity(value * 1000.0) for value in element.density_per_a3],
    }
    if element.in_plane:
        columns["D in the plane (cm²/s)"] = [_estimate(value) for value in element.in_plane]
        columns["D along the normal (cm²/s)"] = [_estimate(value) for value in element.normal]
        columns["crossings below (1/ps)"] = [
            quantity(plane.rate_per_ps.value, interval=plane.interval_per_ps) for plane in element.exchanges
        ]
    caption = f"{element.species} in layers of {thickness_a:.1f} Å"
    return Table(caption, tuple(columns), tuple(zip(*columns.values(), strict=True)))


def _estimate(estimate: DiffusivityEstimate) -> str:
    """The diffusivity with its interval, an upper bound, or a dash where nothing is known."""
    if estimate.diffusivity_cm2_s is not None:
        return quantity(estimate.diffusivity_cm2_s, interval=estimate.diffusivity_interval_cm2_s)
    if estimate.upper_bound_cm2_s is not None:
        return f"< {quantity(estimate.upper_bound_cm2_s, digits=2)}"
    return ABSENT
