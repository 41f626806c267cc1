"""Diffusivities of ions in the layers of a cell, in the plane and along the normal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.physics.layers import Integers, Layering
from tachylite.physics.transport.diffusivity import DiffusivityEstimate, diffusivity_of_curve, left_site_a2
from tachylite.physics.transport.displacement import MeanSquaredDisplacement, collective_ratio, origins_of

_N_LAGS = 40
_MOST_ORIGINS = 2000
_FEWEST_IONS = 2.0
"""Mean number of ions in a layer below which nothing is said of it."""

_FEWEST_DISPLACEMENTS = 10.0
"""Independent displacements at a lag below which the lag is left out."""

_FEWEST_LAGS = 6

_MIDDLE = 0.5
"""Part of a layer, in its middle, in which the ions begin whose displacements along the normal count."""

_MAY_HAVE_LEFT = 0.05
"""Share of these ions that may have left the layer at the end of the longest lag."""


@dataclass(frozen=True)
class LayerDiffusivity:
    """Diffusivities of the ions of one layer, each with its interval or the reason why there is none."""

    in_plane: DiffusivityEstimate
    """Of ions while they stay in the layer (DOI 10.1021/jp0375057)."""
    normal: DiffusivityEstimate
    """Of ions that begin in the middle half of the layer, for lags at which at most a twentieth has left it."""


def layer_diffusivities(
    tracks: NDArray[np.floating], places: Array, layering: Layering, spacing_fs: float
) -> list[LayerDiffusivity]:
    """Diffusivity in the plane and along the normal of the ions in every layer.

    Takes unwrapped positions relative to the centre of mass, (F, n, 3), in A, the last coordinate along the normal, and
    the same ions' places (F, n), in layers. In the plane, displacements are those of ions that are in one layer all
    the time: what they meet elsewhere does not count. Along the normal that would leave those that move least; there
    all ions count that begin in the middle of a layer, wherever they end, as long as few reach its boundaries. Fit and
    interval are those of `diffusivity_of_curve`, with as many independent displacements as a layer has.
    """
    layers = np.floor(places).astype(np.int64)
    until = _stays_until(layers)
    half = len(tracks) // 2
    lags = np.unique(np.geomspace(1, max(half, 1), _N_LAGS).round().astype(np.int64))
    sums = [_Sums.at_lag(tracks, places, layers, until, int(lag), layering.n_layers) for lag in lags if lag <= half]
    occupation = np.bincount(layering.indices(places).ravel(), minlength=layering.n_layers) / len(places)
    return [
        LayerDiffusivity(
            _estimate(sums, layer, "plane", len(tracks), float(occupation[layer]), spacing_fs),
            _estimate(sums, layer, "normal", len(tracks), float(occupation[layer]), spacing_fs),
        )
        for layer in range(layering.n_layers)
    ]


def _stays_until(layers: Integers) -> Integers:
    """Last frame up to which each ion stays in the layer that it is in, for every frame, (F, n)."""
    until = np.empty_like(layers)
    until[-1] = len(layers) - 1
    for frame in range(len(layers) - 2, -1, -1):
        until[frame] = np.where(layers[frame] == layers[frame + 1], until[frame + 1], frame)
    return until


@dataclass(frozen=True)
class _Moments:
    """Number, sum and sum of squares of squared displacements at one lag, all (n_origins, n_layers)."""

    number: Array
    total: Array
    squares: Array

    @classmethod
    def of(cls, squared: Array, layer: Integers, chosen: NDArray[np.bool_], n_layers: int) -> "_Moments":
        """Add up by the layer at the origin, all (n_origins, n)."""
        n_origins = len(squared)
        place = (layer + n_layers * np.arange(n_origins)[:, None])[chosen]
        values = squared[chosen]
        number, total, squares = (
            np.bincount(place, weights, minlength=n_origins * n_layers).reshape(n_origins, n_layers)
            for weights in (np.ones_like(values), values, values**2)
        )
        return cls(number, total, squares)


@dataclass(frozen=True)
class _Sums:
    """What displacements at one lag add up to, in the plane and along the normal."""

    lag: int
    plane: _Moments
    normal: _Moments
    left: Array
    """Share of the ions of each layer that are in another one at the end, (n_layers,)."""

    @classmethod
    def at_lag(
        cls, tracks: NDArray[np.floating], places: Array, layers: Integers, until: Integers, lag: int, n_layers: int
    ) -> "_Sums":
        origins = origins_of(len(tracks), lag)
        origins = origins[:: max(1, len(origins) // _MOST_ORIGINS)]
        squared = np.subtract(tracks[origins + lag], tracks[origins], dtype=np.float64) ** 2
        start = layers[origins] % n_layers
        stayed = until[origins] >= origins[:, None] + lag
        middle = np.abs(places[origins] - layers[origins] - 0.5) < _MIDDLE / 2
        moved = middle & (layers[origins + lag] != layers[origins])
        normal = _Moments.of(squared[..., 2], start, middle, n_layers)
        gone = np.bincount(start[moved], minlength=n_layers)
        return cls(
            lag,
            _Moments.of(squared[..., 0] + squared[..., 1], start, stayed, n_layers),
            normal,
            gone / np.maximum(normal.number.sum(axis=0), 1),
        )


def _estimate(
    sums: list[_Sums], layer: int, direction: str, n_frames: int, occupation: float, spacing_fs: float
) -> DiffusivityEstimate:
    if occupation < _FEWEST_IONS:
        reason = f"{occupation:.2g} ions in this layer on average; {_FEWEST_IONS:g} are needed"
        return DiffusivityEstimate(diffusive=False, reason=reason, n_independent=0.0)
    curve = _curve(sums, layer, direction, n_frames)
    if len(curve.lags) < _FEWEST_LAGS:
        reason = "too few ions stay in this layer, or not for long enough; take thicker layers or a longer run"
        return DiffusivityEstimate(diffusive=False, reason=reason, n_independent=0.0)
    dimensions = 2 if direction == "plane" else 1
    whole = diffusivity_of_curve(curve, spacing_fs, dimensions=dimensions)
    estimate = DiffusivityEstimate(**whole.model_dump(include=set(DiffusivityEstimate.model_fields)))
    reached, interval = float(curve.msd_a2.max()), estimate.diffusivity_interval_cm2_s
    if interval is None or reached >= left_site_a2(dimensions):
        return estimate
    reason = f"too short: the ions of this layer have moved by {reached:.2g} A^2, which vibrations and sliding may do"
    return DiffusivityEstimate(
        diffusive=False, reason=reason, upper_bound_cm2_s=interval.high, n_independent=estimate.n_independent
    )


def _curve(sums: list[_Sums], layer: int, direction: str, n_frames: int) -> MeanSquaredDisplacement:
    """Mean squared displacement of one layer, at the lags at which it can be told.

    Lags end where longer ones would tell less, since too few ions have stayed: where ions times lag begin to fall.
    """
    rows: list[tuple[float, ...]] = []
    kept, occupation = 1.0, 0.0
    for entry in sums:
        moments: _Moments = getattr(entry, direction)
        number, total = moments.number[:, layer], moments.total[:, layer]
        ions = number.sum()
        windows = (n_frames - 1) / entry.lag
        if not rows or direction == "normal":  # where nobody drops out but by chance
            occupation = ions / len(number)
        before, kept = kept, min(kept, ions / len(number) / max(occupation, 1e-9))
        if occupation * kept * windows < _FEWEST_DISPLACEMENTS:
            break
        if rows and entry.lag * kept < rows[-1][0] * before:
            break
        if direction == "normal" and entry.left[layer] > _MAY_HAVE_LEFT:
            break
        mean = total.sum() / ions
        variance = max(moments.squares[:, layer].sum() / ions - mean**2, 0.0)
        # by how much the averages over the ions of a layer scatter, for one ion: the variance, where they move apart
        occupied = number > 0
        scatter = ((total - number * mean)[occupied] ** 2 / number[occupied]).mean()
        rows.append((entry.lag, mean, variance, kept, windows, scatter))
    lags, means, variances, shares, windows_of, scatters = np.array(rows).reshape(-1, 6).T
    ratio = collective_ratio(windows_of, variances, scatters)
    n_independent = np.maximum(occupation * shares * windows_of / ratio, 1.0)
    return MeanSquaredDisplacement(lags.astype(np.int64), means, variances, n_independent, n_frames, shares)
