"""Charts described for plotly.js, as plain data that goes into the page as JSON.

Colours stay tokens behind an `@`; the page resolves them for its light or dark mode.
"""

import html
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.report.drawing.chart import Axis, Band, Chart, Level, Line, Mark, Panel, Points
from tachylite.report.drawing.style import colour

_STACK_HEIGHT = 150
_STACK_GAP = 0.05
_PANEL_HEIGHT = {1: 400, 2: 340}
_SMALL_PANEL_HEIGHT = 265


@dataclass(frozen=True)
class LegendEntry:
    """Entry of a chart's legend: name, colour token and kind of symbol."""

    name: str
    colour: str
    kind: str


def plots(chart: Chart) -> list[dict[str, Any]]:
    """Describe a chart as plotly figures: one per panel, or one for stacked panels."""
    if chart.stacked:
        return [_stack(chart)]
    height = _PANEL_HEIGHT.get(len(chart.panels), _SMALL_PANEL_HEIGHT)
    # a chart of one panel has its title as a heading
    panels = chart.panels if len(chart.panels) > 1 else [replace(panel, title="") for panel in chart.panels]
    return [_figure([panel], height) for panel in panels]


def legend(chart: Chart) -> list[LegendEntry]:
    """List the names in a chart, each once, for a legend beside the plots."""
    entries: dict[str, LegendEntry] = {}
    for panel in chart.panels if chart.legend else ():
        for mark in panel.marks:
            name = getattr(mark, "name", None)
            if name:
                kind = _kind(mark)
                entries.setdefault(name, LegendEntry(name, mark.colour, kind))
    return list(entries.values())


def _kind(mark: Mark) -> str:
    match mark:
        case Points():
            return mark.symbol
        case Line():
            return "line" if mark.dash == "solid" else "dash"
        case _:
            return "band"


def theme(figures: list[dict[str, Any]], tokens: set[str]) -> dict[str, dict[str, str]]:
    """Resolve every colour token found in the figures, and those given, for both modes."""
    used = {token.removeprefix("@") for token in _strings(figures) if token.startswith("@")} | tokens
    return {mode: {token: colour(token, dark=mode == "dark") for token in sorted(used)} for mode in ("light", "dark")}


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    # thousands of numbers in a list are not looked at one by one
    if isinstance(value, list) and not (value and isinstance(value[0], float)):
        return [text for part in value for text in _strings(part)]
    return []


def _stack(chart: Chart) -> dict[str, Any]:
    return _figure(list(chart.panels), 80 + _STACK_HEIGHT * len(chart.panels))


def _figure(panels: list[Panel], height: int) -> dict[str, Any]:
    """Panels from top to bottom over one x axis."""
    traces: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    count = len(panels)
    share = (1 - _STACK_GAP * (count - 1)) / count
    for row, panel in enumerate(panels):
        suffix = "" if row == 0 else str(row + 1)
        top = 1 - row * (share + _STACK_GAP)
        domain = [max(0.0, top - share), top]
        axes[f"yaxis{suffix}"] = _axis(panel.y) | {"domain": domain, "anchor": "x"}
        for mark in panel.marks:
            if isinstance(mark, Level):
                shapes += _level_shapes(mark, suffix)
                notes += _level_note(mark, panel, suffix, domain)
            else:
                traces.append(_trace(mark) | {"yaxis": f"y{suffix}"})
        notes += [_top_note(value, text) for value, text in panel.top]
    axes["xaxis"] = _axis(panels[-1].x) | {"anchor": f"y{count if count > 1 else ''}"}
    title = panels[0].title if count == 1 else ""
    margin = {"l": 62, "r": 16, "t": 14 + (20 if title else 0) + (18 if panels[0].top else 0), "b": 46}
    layout: dict[str, Any] = axes | {
        "height": height,
        "margin": margin,
        "shapes": shapes,
        "annotations": notes,
    }
    if title:
        layout["title"] = {
            "text": html.escape(title),
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6},
            "font": {"size": 13},
        }
    return {"data": traces, "layout": layout}


def _axis(axis: Axis) -> dict[str, Any]:
    described: dict[str, Any] = {"title": {"text": html.escape(axis.label), "standoff": 8}}
    if axis.log:
        described |= {"type": "log", "exponentformat": "power", "dtick": 1}
    if axis.ticks:
        places, words = zip(*axis.ticks, strict=True)
        described |= {"tickmode": "array", "tickvals": list(places), "ticktext": [html.escape(word) for word in words]}
        described["tickangle"] = -90
    if axis.limits is not None:
        described["range"] = [math.log10(limit) if axis.log else limit for limit in axis.limits]
    return described


def _trace(mark: Line | Points | Band) -> dict[str, Any]:
    trace: dict[str, Any] = {"type": "scatter", "meta": mark.name or "", "name": html.escape(mark.name or "")}
    match mark:
        case Line():
            trace |= {"mode": "lines", "x": rounded(mark.x), "y": rounded(mark.y)}
            trace["line"] = {"color": f"@{mark.colour}", "width": 1.3 * mark.width, "dash": mark.dash}
        case Band():
            finite = np.isfinite(mark.low) & np.isfinite(mark.high)
            x, low, high = mark.x[finite], mark.low[finite], mark.high[finite]
            trace |= {
                "mode": "lines",
                "x": rounded(np.concatenate([x, x[::-1]])),
                "y": rounded(np.concatenate([high, low[::-1]])),
                "fill": "toself",
                "fillcolor": f"@{mark.colour}",
                "line": {"width": 0},
                "hoverinfo": "skip",
            }
        case Points():
            trace |= {"mode": "markers", "x": rounded(mark.x), "y": rounded(mark.y)}
            edge = "@surface" if not mark.symbol.endswith("-open") else f"@{mark.colour}"
            trace["marker"] = {
                "color": f"@{mark.colour}",
                "symbol": mark.symbol,
                "size": 1.35 * mark.size,
                "line": {"color": edge, "width": 1 if edge == "@surface" else 2},
            }
            if mark.errors is not None:
                trace["error_y"] = {
                    "type": "data",
                    "symmetric": False,
                    "array": rounded(mark.errors[1]),
                    "arrayminus": rounded(mark.errors[0]),
                    "color": f"@{mark.colour}",
                    "thickness": 1.5,
                    "width": 4,
                }
            if mark.hover:
                trace["text"] = [html.escape(text).replace("\n", "<br>") for text in mark.hover]
                trace["hovertemplate"] = "%{text}<extra></extra>"
    return trace


def _level_shapes(mark: Level, suffix: str) -> list[dict[str, Any]]:
    value, margin = mark.value, mark.margin
    vertical = mark.axis == "x"
    refs = {"xref": "x" if vertical else "x domain", "yref": f"y{suffix} domain" if vertical else f"y{suffix}"}

    def spanning(low: float, high: float) -> dict[str, Any]:
        if vertical:
            return refs | {"x0": low, "x1": high, "y0": 0, "y1": 1, "layer": "below"}
        return refs | {"x0": 0, "x1": 1, "y0": low, "y1": high, "layer": "below"}

    line = {"color": f"@{mark.colour}", "width": 1.4, "dash": mark.dash}
    shapes = [spanning(value, value) | {"type": "line", "line": line}]
    if margin > 0:
        fill = {"type": "rect", "fillcolor": f"@{mark.colour}/0.14", "line": {"width": 0}}
        shapes.append(spanning(value - margin, value + margin) | fill)
    return shapes


def _level_note(mark: Level, panel: Panel, suffix: str, domain: list[float]) -> list[dict[str, Any]]:
    if not mark.text:
        return []
    vertical = mark.axis == "x"
    log = panel.x.log if vertical else panel.y.log
    at = math.log10(mark.value) if log and mark.value > 0 else mark.value
    end = 1.0 if mark.text_at_end else 0.0
    place: dict[str, Any] = (
        {
            "x": at,
            "xref": "x",
            "y": domain[0] + end * (domain[1] - domain[0]),
            "yref": "paper",
            "xanchor": "right" if mark.text_before else "left",
            "yanchor": "top" if mark.text_at_end else "bottom",
            "xshift": -3 if mark.text_before else 3,
        }
        if vertical
        else {
            "x": end,
            "xref": "paper",
            "y": at,
            "yref": f"y{suffix}",
            "xanchor": "right" if mark.text_at_end else "left",
            "yanchor": "bottom",
        }
    )
    return [_note(mark.text, mark.colour) | place]


def _top_note(value: float, text: str) -> dict[str, Any]:
    place = {"x": value, "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "center"}
    return _note(text, "muted") | place


def _note(text: str, token: str) -> dict[str, Any]:
    return {
        "text": html.escape(text),
        "showarrow": False,
        "font": {"color": f"@{token}", "size": 11.5},
    }


def rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Round to six significant digits, enough for a screen; what is not finite becomes None."""
    texts = ("%.6g " * values.size % tuple(values.tolist())).split()
    return [number if math.isfinite(number := float(text)) else None for text in texts]
