"""Parity of a campaign: the distribution of R^2, g(r) against that of the reference, and the curves."""

from collections.abc import Iterator, Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.physics.structure.parity import wilson_interval
from tachylite.report.drawing.chart import Axis, Band, Chart, Level, Line, Mark, Panel, Points, floats
from tachylite.report.drawing.style import series_token
from tachylite.report.text import pair_label, plain_formula, quantity
from tachylite.schemas.parity import ParityReport, ParityScore

_BIN = 0.02
_MOST_NAMED = 12
"""With more compositions than these their names do not fit along the axis."""
_PIXELS = 100
_DENSITIES = (1, 3, 10, 30, 100)
_EXTREMES = 3


def parity_charts(report: ParityReport) -> list[Chart]:
    """All charts of a report with at least one score."""
    return [parity_distribution(report), parity_plot(report), parity_curves(report)]


def parity_distribution(report: ParityReport) -> Chart:
    """R^2 of the compositions, one by one or as a histogram, and the fraction of all above any threshold."""
    scores = _ranked(report)
    values = floats([score.r2.value for score in scores if score.r2 is not None])
    few = len(scores) <= _MOST_NAMED
    first = _by_composition(scores, report) if few else _histogram(values, report)
    caption = f"{report.other} against {report.reference}: R² of all partial g(r) of a composition together. "
    caption += "Dotted: the published thresholds. Bands and bars of fractions: 95 % (Wilson)."
    if report.n_failed:
        caption += f" {report.n_failed} of {len(report.scores)} have no score and count as below every threshold."
    panels = (first, _cumulative(values, report))
    return Chart("parity_distribution", "Parity of the campaign", caption, panels, legend=False)


def parity_plot(report: ParityReport) -> Chart:
    """Every g(r) against that of the reference, coloured by how many points fall together."""
    scores = _ranked(report)
    x = np.concatenate([floats(score.reference_g[pair]) for score in scores for pair in score.g])
    y = np.concatenate([floats(score.g[pair]) for score in scores for pair in score.g])
    top = 1.03 * float(max(x.max(), y.max(), 1.0))
    marks: list[Mark] = [*density_points(x, y, (0, top))]
    marks.append(Line(floats([0, top]), floats([0, top]), "ink", dash="dash", width=1.0))
    panel = Panel(
        Axis("g(r), reference", limits=(0, top)), Axis("g(r)", limits=(0, top)), tuple(marks), "All pairs and distances"
    )
    caption = f"{x.size} values of {len(scores)} compositions; dashed: equality."
    return Chart("parity_plot", "g(r) against the reference", caption, (panel,))


def density_points(x: Array, y: Array, limits: tuple[float, float]) -> Iterator[Points]:
    """Points (n,) as small squares within limits of both axes, coloured by how many fall together."""
    counts, edges, _ = np.histogram2d(x, y, bins=_PIXELS, range=[limits, limits])
    middle = (edges[:-1] + edges[1:]) / 2
    for index, low in enumerate(_DENSITIES):
        high = _DENSITIES[index + 1] if index + 1 < len(_DENSITIES) else np.inf
        column, row = np.nonzero((counts >= low) & (counts < high))
        if column.size:
            name = f"{low} to {high - 1} points" if np.isfinite(high) else f"{low} points and more"
            token = f"heat-{round(100 * index / (len(_DENSITIES) - 1))}"
            yield Points(middle[column], middle[row], token, name, symbol="square", size=3.8)


def parity_curves(report: ParityReport) -> Chart:
    """Partial g(r) of the best and the worst compositions over those of the reference, pairs above each other."""
    scores = _ranked(report)
    shown = scores if len(scores) <= 2 * _EXTREMES else [*scores[:_EXTREMES], *scores[-_EXTREMES:]]
    which = "all compositions" if len(shown) == len(scores) else f"the {_EXTREMES} best and the {_EXTREMES} worst"
    caption = f"Partial g(r) of {which}, each pair lifted to the line with its name; dashed: reference."
    panels = tuple(_overlay(score, first=index == 0) for index, score in enumerate(shown))
    return Chart("parity_curves", "Partial g(r) of the extremes", caption, panels)


def _ranked(report: ParityReport) -> list[ParityScore]:
    """Compositions with a score, the best one first."""
    return sorted(
        (score for score in report.scores if score.r2 is not None),
        key=lambda score: -score.r2.value if score.r2 else 0,
    )


def _by_composition(scores: Sequence[ParityScore], report: ParityReport) -> Panel:
    measured = [score.r2 for score in scores if score.r2 is not None]
    rank = np.arange(1.0, len(measured) + 1)
    errors = np.tile(floats([r2.error for r2 in measured]), (2, 1))
    hover = tuple(f"{plain_formula(score.formula)}\nR² {quantity(score.r2)}" for score in scores)
    points = Points(rank, floats([r2.value for r2 in measured]), "accent", errors=errors, hover=hover)
    thresholds = [
        Level("y", above.threshold, "muted", "dot", text=f"{above.threshold:g}") for above in report.fractions
    ]
    names = tuple((float(at), plain_formula(score.formula)) for at, score in zip(rank, scores, strict=True))
    x = Axis("rank", limits=(0.5, len(measured) + 0.5))
    return Panel(x, Axis("R²"), (*thresholds, points), "By composition", names)


def _histogram(values: Array, report: ParityReport) -> Panel:
    edges = np.arange(_lowest(values), 1 + _BIN / 2, _BIN)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    x, y = np.repeat(edges, 2), np.concatenate([[0], np.repeat(counts, 2), [0]]).astype(float)
    marks: tuple[Mark, ...] = (
        Band(x, np.zeros_like(y), y, "accent/0.25"),
        Line(x, y, "accent", width=1.2),
        # without their values as text, which would overlap
        *(Level("x", above.threshold, "muted", "dot") for above in report.fractions),
    )
    limits = (0, 1.12 * float(counts.max()))
    return Panel(Axis("R²", limits=(edges[0], 1)), Axis("compositions", limits=limits), marks, "Distribution")


def _cumulative(values: Array, report: ParityReport) -> Panel:
    n_all = len(report.scores)
    r2 = np.linspace(_lowest(values), 1, 101)
    counts = [int((values > threshold).sum()) for threshold in r2]
    intervals = floats([wilson_interval(count, n_all) for count in counts])
    thresholds = floats([above.threshold for above in report.fractions])
    fractions = floats([above.fraction for above in report.fractions])
    low = floats([above.interval.low for above in report.fractions])
    high = floats([above.interval.high for above in report.fractions])
    errors = np.stack([fractions - low, high - fractions])
    hover = tuple(f"above {above.threshold:g}: {above.count} of {above.of}" for above in report.fractions)
    marks = (
        Band(r2, intervals[:, 0], intervals[:, 1], "accent/0.2"),
        Line(r2, floats(counts) / n_all, "accent"),
        Points(thresholds, fractions, "warning", errors=errors, hover=hover),
    )
    y = Axis("fraction above", limits=(0, 1.03))
    return Panel(Axis("R²", limits=(float(r2[0]), 1)), y, marks, "Fraction of the compositions above")


def _lowest(values: Array) -> float:
    """Lower limit of an axis of R^2: below the lowest value, but not below 0."""
    return max(0.0, float(np.floor(min(values.min(), 0.8) / 0.1 - 1e-9)) * 0.1)


def _overlay(score: ParityScore, *, first: bool) -> Panel:
    r = floats(score.r_a)
    step = 1.1 * max(1.0, *(max(*score.g[pair], *score.reference_g[pair]) for pair in score.g))
    marks: list[Mark] = []
    for index, pair in enumerate(score.g):
        base = index * step
        marks += [
            Level("y", base, "muted", "dot", text=pair_label(pair), text_at_end=False),
            Line(r, base + floats(score.g[pair]), series_token(0), "g(r)" if first and not index else None),
            Line(
                r,
                base + floats(score.reference_g[pair]),
                series_token(1),
                "reference" if first and not index else None,
                "dash",
                1.3,
            ),
        ]
    title = f"{plain_formula(score.formula)}, R² {quantity(score.r2) if _known(score) else quantity(_value(score))}"
    y = Axis("g(r)", limits=(-0.05 * step, len(score.g) * step))
    return Panel(Axis("r (Å)"), y, tuple(marks), title)


def _known(score: ParityScore) -> bool:
    return score.r2 is not None and bool(np.isfinite(score.r2.error))


def _value(score: ParityScore) -> float | None:
    return None if score.r2 is None else score.r2.value
