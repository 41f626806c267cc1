"""Layers of a cell, parallel to two of its vectors: which atoms are in which, how dense they are, who crosses."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.statistics import estimate_mean
from tachylite.units import FS_PER_PS

type Integers = NDArray[np.int64]

type Normal = Literal["a", "b", "c"]
"""The lattice vector that leads from layer to layer."""

NORMALS: tuple[Normal, ...] = ("a", "b", "c")

THINNEST_A = 3.0
"""Thickness below which a layer holds no more than one plane of atoms, which vibrate in and out."""

_MARGIN_A = 1.0
"""Distance from a plane at which an ion counts as having crossed it: beyond its vibration, within the next site."""


@dataclass(frozen=True)
class Layering:
    """Equally thick layers of a periodic cell, the first of which begins at its origin."""

    cell: Array
    """Lattice vectors as rows, in A, (3, 3)."""
    normal: Normal
    n_layers: int

    def __post_init__(self) -> None:
        if self.n_layers < 1:
            raise InputError(f"{self.n_layers} layers; there must be one at least")
        if self.thickness_a < THINNEST_A:
            most = int(self.thickness_a * self.n_layers / THINNEST_A)
            raise InputError(
                f"{self.n_layers} layers along {self.normal} are {self.thickness_a:.2f} A thick each, thinner than a "
                f"layer of atoms with its vibration, {THINNEST_A:g} A; {most} fit"
            )

    @property
    def axes(self) -> Array:
        """Two directions in the plane and the normal, as rows, (3, 3)."""
        first, second, third = np.roll(self.cell, -"abc".index(self.normal) - 1, axis=0)
        normal = np.cross(first, second)
        normal *= np.sign(normal @ third) / np.linalg.norm(normal)
        along = first / np.linalg.norm(first)
        axes: Array = np.asarray([along, np.cross(normal, along), normal], dtype=np.float64)
        return axes

    @property
    def height_a(self) -> float:
        """Of the cell, along the normal."""
        return float(self.axes[2] @ self.cell["abc".index(self.normal)])

    @property
    def thickness_a(self) -> float:
        """Of a layer."""
        return self.height_a / self.n_layers

    @property
    def area_a2(self) -> float:
        """Of the plane."""
        return float(abs(np.linalg.det(self.cell))) / self.height_a

    @property
    def centres_a(self) -> Array:
        """Heights of the middles of the layers, (n_layers,)."""
        centres: Array = (np.arange(self.n_layers, dtype=np.float64) + 0.5) * self.thickness_a
        return centres

    def places(self, heights_a: Array) -> Array:
        """Heights in layers from the origin, of any shape; whole numbers are the planes between layers."""
        return heights_a / self.thickness_a

    def indices(self, places: Array) -> Integers:
        """Layer of every place, from 0 to n_layers - 1, through the faces of the cell."""
        return np.floor(places).astype(np.int64) % self.n_layers


class Exchange(FrozenModel):
    """Ions of one element that cross the plane between two layers, in either direction."""

    height_a: float
    """Of the plane."""
    number: int
    rate_per_ps: Measured
    """Through the whole plane, with the error of counting."""
    interval_per_ps: Interval
    """95 %, exact for independent crossings, few or none (Garwood, DOI 10.1093/biomet/28.3-4.437)."""


def layer_densities(indices: Integers, layering: Layering) -> list[Measured]:
    """Number density in 1/A^3 of some atoms in every layer, from their layers in every frame, (F, n).

    Errors are standard errors over the frames by blocking, or of counting where that is all there is.
    """
    n_frames = len(indices)
    counts = np.stack([np.bincount(row, minlength=layering.n_layers) for row in indices])
    volume = layering.area_a2 * layering.thickness_a
    densities = []
    for series in counts.T:
        estimate = estimate_mean(series)
        error = estimate.error if n_frames > 1 else float(max(series[0], 1)) ** 0.5
        densities.append(Measured(value=estimate.mean / volume, error=error / volume))
    return densities


def exchanges(places: Array, layering: Layering, spacing_fs: float) -> list[Exchange]:
    """Count ions that cross the planes at the bottom of every layer, from their places in every frame, (F, n).

    An ion has crossed when it is 1 A beyond a plane after it was 1 A on the other side: vibrations through the plane do
    not count, and the number depends little on the time between frames. For Brownian ions of density n the rate is
    n D A / (2 margin) in each direction.
    """
    settled = _last_settled(places, _MARGIN_A / layering.thickness_a)
    before, after = settled[:-1], settled[1:]
    counts = np.zeros(layering.n_layers, dtype=np.int64)
    for frame, ion in np.argwhere(before != after):
        low, high = sorted((before[frame, ion], after[frame, ion]))
        np.add.at(counts, np.arange(low + 1, high + 1) % layering.n_layers, 1)
    length_ps = (len(places) - 1) * spacing_fs / FS_PER_PS
    return [_exchange(number, k * layering.thickness_a, length_ps) for k, number in enumerate(counts.tolist())]


def _last_settled(places: Array, margin: float) -> Integers:
    """Layer, counted on through the faces of the cell, in which each ion last was clear of the planes, (F, n)."""
    inside = np.abs(places - np.round(places)) >= margin
    inside[0] = True  # where it begins is not known better
    frame = np.where(inside, np.arange(len(places))[:, None], 0)
    latest = np.maximum.accumulate(frame, axis=0)
    layers: Integers = np.floor(np.take_along_axis(places, latest, axis=0)).astype(np.int64)
    return layers


def _exchange(number: int, height_a: float, length_ps: float) -> Exchange:
    low = float(chi2.ppf(0.025, 2 * number)) / 2 if number else 0.0
    high = float(chi2.ppf(0.975, 2 * number + 2)) / 2
    return Exchange(
        height_a=height_a,
        number=number,
        rate_per_ps=Measured(value=number / length_ps, error=max(number, 1) ** 0.5 / length_ps),
        interval_per_ps=Interval(low=low / length_ps, high=high / length_ps),
    )
