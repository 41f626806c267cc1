"""Partial radial distribution functions."""

from collections.abc import Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.report.drawing.chart import Axis, Chart, Dash, Level, Line, Mark, Panel, Points, floats
from tachylite.report.text import pair_label, quantity
from tachylite.schemas import StructureAnalysis
from tachylite.schemas.structure import PartialRDF

_MOST_PAIRS = 28
_DASHES: tuple[Dash, ...] = ("solid", "dash", "dot")


def partial_rdfs(analyses: Sequence[tuple[str, str, StructureAnalysis]]) -> Chart:
    """Partial g(r), one panel per pair, with the first minimum of every curve marked.

    `analyses` are the states to show: a name, a colour token and the analysis; r is in A. States of one colour differ
    in their dashes. Of more than 28 pairs those with the highest peaks are shown.
    """
    pairs = sorted({partial.pair for *_, analysis in analyses for partial in analysis.partials})
    shown = pairs
    if len(pairs) > _MOST_PAIRS:
        highest = sorted(pairs, key=lambda pair: -_highest(analyses, pair))[:_MOST_PAIRS]
        shown = sorted(highest)
    colours = [colour for _, colour, _ in analyses]
    dashes = [_DASHES[colours[:place].count(colour) % len(_DASHES)] for place, colour in enumerate(colours)]
    panels = []
    for pair in shown:
        marks: list[Mark] = [Level("y", 1.0, "muted", "dot")]
        for (name, colour, analysis), dash in zip(analyses, dashes, strict=True):
            for partial in analysis.partials:
                if partial.pair == pair:
                    marks += _curve(floats(analysis.r_a), partial, name, colour, dash)
        top = 1.08 * max(1.0, _highest(analyses, pair))
        panels.append(Panel(Axis("r (Å)"), Axis("g(r)", limits=(0.0, top)), tuple(marks), pair_label(pair)))
    caption = "Partial g(r); open circles mark the first minimum, up to which neighbours are counted."
    if len(pairs) > len(shown):
        caption += f" Shown: the {len(shown)} of {len(pairs)} pairs with the highest peaks."
    return Chart("partial_rdf", "Partial radial distribution functions", caption, tuple(panels))


def _highest(analyses: Sequence[tuple[str, str, StructureAnalysis]], pair: str) -> float:
    curves = [floats(partial.g) for *_, analysis in analyses for partial in analysis.partials if partial.pair == pair]
    return max((float(np.nan_to_num(curve).max(initial=0.0)) for curve in curves), default=0.0)


def _curve(r: Array, partial: PartialRDF, name: str, colour: str, dash: Dash) -> list[Mark]:
    g = floats(partial.g)
    marks: list[Mark] = [Line(r, g, colour, name, dash, 1.4)]
    if partial.first_minimum_a is not None and len(r) > 0:
        lines = [f"{name}, {partial.pair}", f"first minimum {quantity(partial.first_minimum_a, unit='Å')}"]
        lines += [f"CN({key}) = {quantity(value)}" for key, value in partial.coordination.items()]
        at = floats([partial.first_minimum_a])
        marks.append(Points(at, np.interp(at, r, g), colour, symbol="circle-open", size=6, hover=("\n".join(lines),)))
    return marks
