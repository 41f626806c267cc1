"""One style for every figure: colours for light and dark surfaces, sizes, fonts.

Charts name colours by tokens, so that one chart serves both modes of the page and the PNG files:
`ink`, `muted`, `grid`, `surface`, `accent`, `warning`; `series-0`, `series-1`, ... for species;
`heat-0` (cold) to `heat-100` (hot) for temperatures. `blue/0.2` is a token with an opacity.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

_NAMED = {
    "ink": ("#1d2430", "#e8ebf0"),
    "muted": ("#77808f", "#98a2b3"),
    "grid": ("#e6e9ee", "#2b323d"),
    "surface": ("#ffffff", "#171b22"),
    "accent": ("#2563a8", "#6fa8e8"),
    "warning": ("#b4491f", "#f0926a"),
}
_SERIES = (
    ("#2563a8", "#6fa8e8"),
    ("#cf5c36", "#f2946f"),
    ("#2f8f6b", "#5cc39b"),
    ("#8458a6", "#b794db"),
    ("#c08a1e", "#e2b75a"),
    ("#2a9db0", "#63cbdc"),
    ("#b84a7d", "#e687b3"),
    ("#6d7f2c", "#aec163"),
    ("#8a6248", "#c59c80"),
    ("#5d6b7e", "#9fb0c6"),
)
_HEAT_LIGHT = ("#2b5c9e", "#6b4fa0", "#b8437f", "#dd5b45", "#e8952a")
_HEAT_DARK = ("#6aa5ea", "#a58be0", "#e07fb4", "#f38b73", "#f7bd6a")

PNG_DPI = 220
"""Dots per inch of figures in files: sharp in print."""

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.labelsize": 9,
    "axes.labelpad": 4,
    "axes.linewidth": 0.8,
    "axes.edgecolor": "#77808f",
    "axes.labelcolor": "#1d2430",
    "axes.titlecolor": "#1d2430",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": True,
    "axes.unicode_minus": True,
    "grid.color": "#e6e9ee",
    "grid.linewidth": 0.7,
    "xtick.color": "#77808f",
    "ytick.color": "#77808f",
    "xtick.labelcolor": "#1d2430",
    "ytick.labelcolor": "#1d2430",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": "white",
}
"""Matplotlib settings of every PNG figure."""


def series_token(index: int) -> str:
    """Colour token of the n-th species; they repeat after ten."""
    return f"series-{index % len(_SERIES)}"


def species_tokens(species: Sequence[str]) -> dict[str, str]:
    """Colour token of each species, in the order given."""
    return {symbol: series_token(index) for index, symbol in enumerate(dict.fromkeys(species))}


def heat_token(temperature_k: float, temperatures_k: Sequence[float]) -> str:
    """Colour token of a temperature among those shown, cold to hot by rank."""
    ordered = sorted(set(temperatures_k))
    if len(ordered) < 2:
        return "accent"
    return f"heat-{round(100 * ordered.index(temperature_k) / (len(ordered) - 1))}"


def colour(token: str, *, dark: bool = False) -> str:
    """Resolve a token to `#rrggbb` or, with an opacity, `rgba(r, g, b, a)`."""
    name, _, opacity = token.partition("/")
    kind, _, number = name.partition("-")
    if kind == "series":
        code = _SERIES[int(number)][dark]
    elif kind == "heat":
        code = _ramp(_HEAT_DARK if dark else _HEAT_LIGHT, int(number) / 100)
    else:
        code = _NAMED[name][dark]
    return f"rgba({', '.join(str(part) for part in _rgb(code))}, {opacity})" if opacity else code


def matplotlib_colour(token: str) -> tuple[float, float, float, float]:
    """Resolve a token to the light mode's RGBA, each from 0 to 1."""
    name, _, opacity = token.partition("/")
    red, green, blue = (part / 255 for part in _rgb(colour(name)))
    return (red, green, blue, float(opacity or 1))


def _rgb(code: str) -> tuple[int, int, int]:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _ramp(stops: Sequence[str], fraction: float) -> str:
    colours = np.array([_rgb(stop) for stop in stops])
    where = np.linspace(0, 1, len(stops))
    parts = [round(float(np.interp(fraction, where, colours[:, k]))) for k in range(3)]
    return f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"
