"""Charts drawn by matplotlib, for files of publication quality."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tachylite.report.drawing.chart import Band, Chart, Level, Line, Mark, Panel, Points
from tachylite.report.drawing.style import PNG_DPI, RC, matplotlib_colour

_MARKERS = {
    "circle": "o",
    "circle-open": "o",
    "diamond": "D",
    "square": "s",
    "square-open": "s",
    "triangle-down": "v",
}
_DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2.5)), "dot": (0, (1.2, 2))}
_MOST_COLUMNS = 3


def draw(chart: Chart) -> Figure:
    """Draw a chart as a matplotlib figure in the style of the package."""
    with rc_context(RC):
        count = max(len(chart.panels), 1)
        columns = 1 if chart.stacked else min(count, 2 if count == 4 else _MOST_COLUMNS)
        rows = -(-count // columns)
        size = (5.6, 0.7 + 1.55 * rows) if chart.stacked else _grid_size(rows, columns)
        figure = Figure(figsize=size, layout="constrained", dpi=PNG_DPI)
        axes = figure.subplots(rows, columns, squeeze=False, sharex=chart.stacked).ravel()
        for ax, panel in zip(axes, chart.panels, strict=False):
            _draw_panel(ax, panel)
            ax.label_outer() if chart.stacked else None
        for ax in axes[len(chart.panels) :]:
            ax.set_axis_off()
        if chart.stacked:
            figure.align_ylabels()
        if chart.legend:
            _legend(figure, axes[0], chart)
        return figure


def _grid_size(rows: int, columns: int) -> tuple[float, float]:
    width, height = {1: (5.2, 3.7), 2: (3.9, 3.0)}.get(columns, (3.1, 2.5))
    return width * columns, height * rows + 0.25


def _draw_panel(ax: Axes, panel: Panel) -> None:
    if panel.x.log:
        ax.set_xscale("log")
    if panel.y.log:
        ax.set_yscale("log")
    for order, mark in enumerate(panel.marks):
        _draw_mark(ax, mark, 2 + order)
    for axis, set_label, set_limits in (
        (panel.x, ax.set_xlabel, ax.set_xlim),
        (panel.y, ax.set_ylabel, ax.set_ylim),
    ):
        set_label(_literal(axis.label))
        if axis.limits is not None:
            set_limits(*axis.limits)
    if panel.x.ticks:
        places, words = zip(*panel.x.ticks, strict=True)
        ax.set_xticks(places, [_literal(word) for word in words], rotation=90)
        ax.xaxis.minorticks_off()  # a logarithmic axis would label more
    if panel.title:
        ax.set_title(_literal(panel.title), pad=20 if panel.top else None)
    for value, text in panel.top:
        ax.annotate(
            _literal(text),
            (value, 1),
            (0, 4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=matplotlib_colour("muted"),
        )


def _draw_mark(ax: Axes, mark: Mark, order: int) -> None:
    rgba = matplotlib_colour(mark.colour)
    match mark:
        case Line():
            ax.plot(mark.x, mark.y, color=rgba, linestyle=_DASHES[mark.dash], linewidth=mark.width, zorder=order)
        case Band():
            ax.fill_between(mark.x, mark.low, mark.high, color=rgba, linewidth=0, zorder=order)
        case Points():
            _draw_points(ax, mark, order)
        case Level():
            _draw_level(ax, mark, order)


def _draw_points(ax: Axes, mark: Points, order: int) -> None:
    rgba = matplotlib_colour(mark.colour)
    hollow = mark.symbol.endswith("-open")
    # a missing error is no error bar, not a missing point
    errors = None if mark.errors is None else np.nan_to_num(mark.errors, nan=0.0, posinf=0.0)
    ax.errorbar(
        mark.x,
        mark.y,
        yerr=errors,
        fmt=_MARKERS[mark.symbol],
        color=rgba,
        markersize=mark.size * 0.8,
        markerfacecolor="white" if hollow else rgba,
        markeredgecolor=rgba if hollow else "white",
        markeredgewidth=1.3 if hollow else 0.7,
        elinewidth=1.2,
        capsize=2.5,
        capthick=1.2,
        zorder=order,
    )


def _draw_level(ax: Axes, mark: Level, order: int) -> None:
    rgba = matplotlib_colour(mark.colour)
    across, span = (ax.axvline, ax.axvspan) if mark.axis == "x" else (ax.axhline, ax.axhspan)
    across(mark.value, color=rgba, linestyle=_DASHES[mark.dash], linewidth=1.1, zorder=order)
    if mark.margin > 0:
        span(mark.value - mark.margin, mark.value + mark.margin, color=(*rgba[:3], 0.14), linewidth=0, zorder=1)
    if not mark.text:
        return
    end = 0.98 if mark.text_at_end else 0.02
    vertical = mark.axis == "x"
    ax.annotate(
        _literal(mark.text),
        (mark.value, end) if vertical else (end, mark.value),
        (-4 if mark.text_before else 4, 0) if vertical else (0, 3),
        xycoords=("data", "axes fraction") if vertical else ("axes fraction", "data"),
        textcoords="offset points",
        ha="right" if (mark.text_before if vertical else mark.text_at_end) else "left",
        va=("top" if mark.text_at_end else "bottom") if vertical else "bottom",
        fontsize=8.5,
        color=rgba,
        zorder=order + 20,
    )


def _legend(figure: Figure, first: Axes, chart: Chart) -> None:
    """One legend for all panels, outside of them, so that it never covers data."""
    named: dict[str, Mark] = {}
    for panel in chart.panels:
        for mark in panel.marks:
            name = getattr(mark, "name", None)
            if name:
                named.setdefault(name, mark)
    if not named:
        return
    handles = [_handle(mark, _literal(name)) for name, mark in named.items()]
    letters = sum(len(name) + 6 for name in named)
    rows = -(-letters // int(13 * figure.get_figwidth()))
    columns = -(-len(handles) // rows)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.4)


def _handle(mark: Mark, name: str) -> Line2D:
    rgba = matplotlib_colour(mark.colour)
    if isinstance(mark, Points):
        hollow = mark.symbol.endswith("-open")
        return Line2D(
            [],
            [],
            linestyle="none",
            marker=_MARKERS[mark.symbol],
            color=rgba,
            markerfacecolor="white" if hollow else rgba,
            markersize=5.5,
            label=name,
        )
    if isinstance(mark, Line):
        return Line2D([], [], color=rgba, linestyle=_DASHES[mark.dash], linewidth=mark.width, label=name)
    return Line2D([], [], color=rgba, linewidth=6, solid_capstyle="butt", label=name)


def _literal(text: str) -> str:
    """Escape dollar signs, which matplotlib reads as mathematics."""
    return text.replace("$", r"\$")
