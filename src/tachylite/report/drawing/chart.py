"""Charts as data, independent of the library that draws them.

A figure is described once and drawn twice, by matplotlib for the PNG file and by plotly for the page, so
that both always show the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array

Symbol = Literal["circle", "circle-open", "diamond", "square", "square-open", "triangle-down"]
Dash = Literal["solid", "dash", "dot"]


@dataclass(frozen=True)
class Axis:
    """Label with unit, scale, and limits; without limits the axis follows the data."""

    label: str
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] = ()
    """Words at positions along the axis instead of numbers; written vertically on an x axis."""


@dataclass(frozen=True)
class Line:
    """A curve through points (n,)."""

    x: Array
    y: Array
    colour: str
    name: str | None = None
    dash: Dash = "solid"
    width: float = 1.6


@dataclass(frozen=True)
class Points:
    """Markers (n,), with errors below and above (2, n) where known, and a text per point on hovering."""

    x: Array
    y: Array
    colour: str
    name: str | None = None
    errors: Array | None = None
    symbol: Symbol = "circle"
    size: float = 7
    hover: tuple[str, ...] = ()


@dataclass(frozen=True)
class Band:
    """The region between two curves over x (n,)."""

    x: Array
    low: Array
    high: Array
    colour: str
    name: str | None = None


@dataclass(frozen=True)
class Level:
    """A straight line across the panel at a value of one axis, with a margin on both sides and a text."""

    axis: Literal["x", "y"]
    value: float
    colour: str = "muted"
    dash: Dash = "solid"
    margin: float = 0.0
    text: str = ""
    text_at_end: bool = True
    """Whether the text stands at the upper or right end of the line, rather than the other."""
    text_before: bool = False
    """Whether the text of a vertical line stands to its left."""


type Mark = Line | Points | Band | Level


@dataclass(frozen=True)
class Panel:
    """Axes with marks, a title, and labels along the upper edge at values of x."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""
    top: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Chart:
    """Panels side by side, or stacked over one x axis, with a name for files and a caption for readers."""

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    stacked: bool = False
    legend: bool = True


def floats(values: ArrayLike | Sequence[float | None]) -> Array:
    """Take numbers as a float array; None becomes nan."""
    return np.asarray(values, dtype=float)


def thinned(length: int, most: int) -> slice:
    """Slice that takes every k-th of `length` samples, so that at most `most` remain."""
    return slice(None, None, max(1, -(-length // most)))


def padded(values: Sequence[ArrayLike], fraction: float = 0.06) -> tuple[float, float] | None:
    """Limits around all finite values with a margin; None where there is no finite value."""
    joined = np.concatenate([np.ravel(floats(part)) for part in values]) if values else np.empty(0)
    finite = joined[np.isfinite(joined)]
    if finite.size == 0:
        return None
    low, high = float(finite.min()), float(finite.max())
    margin = fraction * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin
