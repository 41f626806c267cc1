"""Structures drawn as shaded balls and sticks, by casting a parallel ray through every pixel.

A pixel shows what lies nearest to the eye: of a sphere of radius R around c the ray meets
z = c_z + sqrt(R^2 - d^2) at the distance d from the centre, of a stick the nearer root of a quadratic.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.report.drawing.scene import Scene, scene
from tachylite.report.drawing.style import RC
from tachylite.schemas import State

_BALL = 0.5
"""Radius of a ball over the covalent radius."""
_STICK_A = 0.11
EDGE_A = 0.035
_EDGE_COLOUR = np.array([0.47, 0.5, 0.56])
_AZIMUTH, _ELEVATION = np.radians(-26.0), np.radians(17.0)
_LIGHT = np.array([-0.45, 0.62, 0.65]) / np.linalg.norm([-0.45, 0.62, 0.65])
_FOG = 0.42
_PIXELS = 900
_OVERSAMPLING = 2


def draw_structure(state: State) -> Figure:
    """Draw a state as a matplotlib figure: balls and sticks, cell edges, a legend of elements."""
    view = scene(state)
    image = render(view)
    height, width = image.shape[:2]
    with rc_context(RC):
        figure = Figure(figsize=(4.6, 4.6 * height / width + 0.35), layout="constrained")
        ax = figure.subplots()
        ax.imshow(image, interpolation="lanczos")
        ax.set_axis_off()
        handles = [
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=8,
                color=colour,
                label=f"{symbol} ({count})",
                markeredgecolor="#555c66",
                markeredgewidth=0.6,
            )
            for symbol, colour, count in zip(view.symbols, view.colours, view.counts, strict=True)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 7), handletextpad=0.1)
        return figure


def render(view: Scene, pixels: int = _PIXELS) -> Array:
    """Render a scene on white; returns RGB (height, width, 3) from 0 to 1, `pixels` along the longer side."""
    turn = _rotation()
    positions, edges = view.positions @ turn.T, view.edges @ turn.T
    half_bonds = view.half_bonds @ turn.T
    radii = _BALL * view.radii
    corners = np.concatenate([positions, positions[view.bonded] + half_bonds, edges.reshape(-1, 3)])
    margin = float(radii.max()) + 0.2
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    scale = pixels * _OVERSAMPLING / float((high - low)[:2].max())
    canvas = _Canvas.blank(low, high, scale)
    colours = np.array([_rgb(colour) for colour in view.colours])[view.kinds]
    for start, end in edges:
        canvas.stick(start, end, EDGE_A, _EDGE_COLOUR)
    for atom, half in zip(view.bonded.tolist(), half_bonds, strict=True):
        canvas.stick(positions[atom], positions[atom] + half, _STICK_A, colours[atom])
    for position, radius, rgb in zip(positions, radii.tolist(), colours, strict=True):
        canvas.ball(position, radius, rgb)
    return canvas.finished()


def _rotation() -> Array:
    """Rotation matrix (3, 3): about the vertical axis, then towards the eye; x right, y up, z to the eye."""
    ca, sa, ce, se = np.cos(_AZIMUTH), np.sin(_AZIMUTH), np.cos(_ELEVATION), np.sin(_ELEVATION)
    about_y = np.array([[ca, 0, sa], [0, 1, 0], [-sa, 0, ca]])
    about_x = np.array([[1, 0, 0], [0, ce, -se], [0, se, ce]])
    return np.asarray(about_x @ about_y)


@dataclass(frozen=True)
class _Canvas:
    """Image under construction: colour (h, w, 3) and depth (h, w) of every pixel; rows from the top."""

    rgb: Array
    depth: Array
    low: Array
    high: Array
    scale: float

    @classmethod
    def blank(cls, low: Array, high: Array, scale: float) -> "_Canvas":
        # whole output pixels, so that the oversampled ones can be averaged
        width, height = (_OVERSAMPLING * int(np.ceil((high - low)[k] * scale / _OVERSAMPLING)) for k in (0, 1))
        return cls(np.ones((height, width, 3)), np.full((height, width), -np.inf), low, high, scale)

    def finished(self) -> Array:
        height, width = self.depth.shape
        k = _OVERSAMPLING
        blocks = self.rgb.reshape(height // k, k, width // k, k, 3)
        return np.asarray(blocks.mean(axis=(1, 3)))

    def ball(self, centre: Array, radius: float, rgb: Array) -> None:
        window, x, y = self._window(centre - radius, centre + radius)
        dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
        squared = dx**2 + dy**2
        dz = np.sqrt(np.clip(1 - squared, 0, None))
        self._paint(window, squared < 1, centre[2] + radius * dz, np.stack(np.broadcast_arrays(dx, dy, dz), -1), rgb)

    def stick(self, start: Array, end: Array, radius: float, rgb: Array) -> None:
        length = float(np.linalg.norm(end - start))
        axis = (end - start) / max(length, 1e-9)
        across = 1 - axis[2] ** 2
        if across < 1e-6:
            return
        window, x, y = self._window(np.minimum(start, end) - radius, np.maximum(start, end) + radius)
        qx, qy = np.broadcast_arrays(x - start[0], y - start[1])
        along = qx * axis[0] + qy * axis[1]
        b = -along * axis[2]
        discriminant = b**2 - across * (qx**2 + qy**2 - along**2 - radius**2)
        t = (-b + np.sqrt(np.clip(discriminant, 0, None))) / across
        along = along + t * axis[2]
        inside = (discriminant > 0) & (along >= 0) & (along <= length)
        normal = (np.stack([qx, qy, t], -1) - along[..., None] * axis) / radius
        self._paint(window, inside, start[2] + t, normal, rgb)

    def _window(self, low: Array, high: Array) -> tuple[tuple[slice, slice], Array, Array]:
        """Pixels within a box, with the x (1, w) and y (h, 1) of their centres."""
        height, width = self.depth.shape
        left, right = ((np.array([low[0], high[0]]) - self.low[0]) * self.scale).astype(int)
        top, bottom = ((self.high[1] - np.array([high[1], low[1]])) * self.scale).astype(int)
        columns = slice(max(left, 0), min(right + 1, width))
        rows = slice(max(top, 0), min(bottom + 1, height))
        x = self.low[0] + (np.arange(columns.start, columns.stop) + 0.5) / self.scale
        y = self.high[1] - (np.arange(rows.start, rows.stop) + 0.5) / self.scale
        return (rows, columns), x[None, :], y[:, None]

    def _paint(
        self,
        window: tuple[slice, slice],
        inside: NDArray[np.bool_],
        depth: Array,
        normal: Array,
        rgb: Array,
    ) -> None:
        """Shade by Lambert's law with a highlight and a dark rim, fade to white with depth."""
        nearer = inside & (depth > self.depth[window])
        if not nearer.any():
            return
        n, z = normal[nearer], depth[nearer]
        light = np.clip(n @ _LIGHT, 0, None)
        mirrored = np.clip(2 * light * n[:, 2] - _LIGHT[2], 0, None)
        rim = 0.72 + 0.28 * np.clip(n[:, 2] / 0.45, 0, 1)
        shaded = rgb * ((0.5 + 0.56 * light) * rim)[:, None] + 0.38 * mirrored[:, None] ** 24
        fog = _FOG * np.clip((self.high[2] - z) / (self.high[2] - self.low[2]), 0, 1)[:, None]
        self.rgb[window][nearer] = np.clip(shaded, 0, 1) * (1 - fog) + fog
        self.depth[window][nearer] = z


def _rgb(code: str) -> tuple[float, float, float]:
    return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255
