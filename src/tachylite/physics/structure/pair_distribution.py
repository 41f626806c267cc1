"""Pair structure: partial g(r) with errors, first shells, coordination numbers."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import FEWEST_GROUPS, Frames, take_frames
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.pairs import PairCounts, count_pairs

_SMOOTHING_A = 0.08
_SIGNIFICANCE = 4.0
_LARGEST_NEEDED_RISE = 0.2


@dataclass(frozen=True)
class Coordination:
    """Mean number of neighbours and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class PartialRDF:
    """Partial g(r) of one pair of elements; arrays over bins have the shape (n_bins,)."""

    elements: tuple[str, str]
    """In alphabetical order."""
    edges_a: Array
    """Shape (n_bins + 1,)."""
    g: Array
    g_error: Array
    first_peak_a: float | None
    first_minimum_a: float | None
    n_atoms: tuple[int, int]
    pairs: Array
    """Pairs in every bin, mean over each group of frames, shape (n_groups, n_bins)."""
    frames: int

    @property
    def pair(self) -> str:
        """Both symbols, like Li-O."""
        return "-".join(self.elements)

    @cached_property
    def coordination(self) -> dict[str, Coordination]:
        """Neighbours up to the first minimum, both ways; empty where there is none."""
        return {} if self.first_minimum_a is None else self.coordination_within(self.first_minimum_a)

    def coordination_within(self, cutoff_a: float) -> dict[str, Coordination]:
        """Neighbours up to a distance: `Li-O` is oxygen around lithium, `O-Li` the other way.

        Raises InputError for a distance out of the range of g(r).
        """
        if not 0 < cutoff_a <= self.edges_a[-1]:
            raise InputError(f"cutoff {cutoff_a} A is not between 0 and {self.edges_a[-1]:.2f} A, the range of g(r)")
        inside = np.clip((cutoff_a - self.edges_a[:-1]) / np.diff(self.edges_a), 0.0, 1.0)
        mean, error = (float(x[0]) for x in _mean((self.pairs @ inside)[:, None], self.frames))
        (first, second), (n_first, n_second) = self.elements, self.n_atoms
        if first == second:
            return {self.pair: Coordination(2 * mean / n_first, 2 * error / n_first)}
        return {
            f"{first}-{second}": Coordination(mean / n_first, error / n_first),
            f"{second}-{first}": Coordination(mean / n_second, error / n_second),
        }


@dataclass(frozen=True)
class PairStructure:
    """Partial g(r) of every pair of elements, and the total; arrays over bins have the shape (n_bins,)."""

    r_a: Array
    """Centres of the bins."""
    partials: tuple[PartialRDF, ...]
    total: Array
    """g(r) of all atoms alike."""
    total_error: Array

    def partial(self, first: str, second: str) -> PartialRDF:
        """Look up one pair; the order of the symbols does not matter.

        Raises InputError for a pair that is not there.
        """
        pair = "-".join(sorted((first, second)))
        for partial in self.partials:
            if partial.pair == pair:
                return partial
        raise InputError(f"there is no pair {pair}; there are {', '.join(p.pair for p in self.partials)}")

    def as_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, as documents hold them."""
        return {
            "r_a": self.r_a.tolist(),
            "total_g": self.total.tolist(),
            "total_g_error": self.total_error.tolist(),
            "partials": [
                {
                    "pair": p.pair,
                    "g": p.g.tolist(),
                    "g_error": p.g_error.tolist(),
                    "first_peak_a": p.first_peak_a,
                    "first_minimum_a": p.first_minimum_a,
                    "coordination": {k: {"value": c.value, "error": c.error} for k, c in p.coordination.items()},
                }
                for p in self.partials
            ],
        }


def analyse_structure(
    positions: ArrayLike, cells: ArrayLike, numbers: ArrayLike, r_max_a: float = 8.0, bin_width_a: float = 0.05
) -> PairStructure:
    """Partial g(r) of arrays that `frames.take_frames` takes; see `pair_structure`."""
    return pair_structure(take_frames(positions, cells, numbers), r_max_a, bin_width_a)


def pair_structure(frames: Frames, r_max_a: float = 8.0, bin_width_a: float = 0.05) -> PairStructure:
    r"""Partial g(r), first shell and coordination of every pair of elements in a periodic trajectory.

    Every periodic image within `r_max_a` counts, also where that exceeds half the cell.

        g_ab(r) = V n_ab(r) / (N_ab 4/3 pi (r_2^3 - r_1^3))

    ========  ========================================================================================
    symbol    meaning
    ========  ========================================================================================
    n_ab      pairs of an atom a and an atom b (or image of one) at distances from r_1 to r_2
    N_ab      number of such pairs without regard to distance: N_a N_b; for a = b N (N - 1) / 2, from
              the shortest lattice vector on, where an atom's own images are neighbours too, N^2 / 2
    V         volume of the cell
    ========  ========================================================================================

    Errors are standard errors over frames by blocking; for fewer than four frames those of counting.

    Raises InputError for bins that make no g(r) and for frames that are not finite.
    """
    if not 0 < bin_width_a <= r_max_a:
        raise InputError(f"bins of {bin_width_a} A up to {r_max_a} A make no g(r); both must be positive")
    n_bins = max(round(r_max_a / bin_width_a), 1)
    edges = np.linspace(0.0, r_max_a, n_bins + 1)
    symbols, kinds = frames.symbols, frames.kinds
    counts = count_pairs(frames, edges)
    n_of_kind = np.bincount(kinds)
    partials = tuple(
        _partial((symbols[a], symbols[b]), (int(n_of_kind[a]), int(n_of_kind[b])), counts.pairs[:, i], counts, edges)
        for i, (a, b) in enumerate(combinations_with_replacement(range(len(symbols)), 2))
    )
    n_atoms = kinds.size
    total = _normalised(counts.pairs.sum(axis=1), _possible(n_atoms, n_atoms, counts, edges, same=True), counts, edges)
    return PairStructure((edges[:-1] + edges[1:]) / 2, partials, *total)


def _partial(
    elements: tuple[str, str], n_atoms: tuple[int, int], pairs: Array, counts: PairCounts, edges: Array
) -> PartialRDF:
    possible = _possible(*n_atoms, counts, edges, same=elements[0] == elements[1])
    g, g_error = _normalised(pairs, possible, counts, edges)
    peak, minimum = _first_shell(edges, g, g_error)
    return PartialRDF(elements, edges, g, g_error, peak, minimum, n_atoms, pairs, counts.frames)


def _possible(n_first: int, n_second: int, counts: PairCounts, edges: Array, *, same: bool) -> Array:
    """Pairs without regard to distance, for every bin."""
    if not same:
        return np.full(edges.size - 1, float(n_first * n_second))
    own_images = edges[1:] > counts.shortest_lattice_vector_a
    return np.where(own_images, n_first * n_first, n_first * (n_first - 1)) / 2


def _normalised(pairs: Array, possible: Array, counts: PairCounts, edges: Array) -> tuple[Array, Array]:
    """g(r) and its error from the pairs in every bin, shape (n_groups, n_bins)."""
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    # a lone atom has no neighbour of its kind nearer than its image
    per_pair = np.divide(1.0, possible * shells, out=np.zeros_like(shells), where=possible > 0)
    mean, error = _mean(pairs * counts.volumes_a3[:, None], counts.frames, float(counts.volumes_a3.mean()))
    return mean * per_pair, error * per_pair


def _mean(groups: Array, frames: int, unit: float = 1.0) -> tuple[Array, Array]:
    """Mean over groups of frames, shape (n_groups, n), and its error, shape (n,); one count is worth `unit`."""
    mean: Array = groups.mean(axis=0)
    if len(groups) < FEWEST_GROUPS:
        return mean, np.sqrt(mean * unit / frames)
    return mean, np.array([estimate_mean(series).error for series in groups.T])


def _first_shell(edges: Array, g: Array, error: Array) -> tuple[float | None, float | None]:
    """Positions of the first peak of g(r) and of the minimum behind it, where noise cannot make them.

    The fall behind a peak and the rise behind a minimum must exceed four standard errors of the smoothed
    g(r), and 0.2 (a tenth of a low peak). A minimum at zero is the middle of the gap.
    """
    width = float(edges[1])
    smooth = gaussian_filter1d(g, _SMOOTHING_A / width, mode="constant")
    # neighbouring bins are nearly independent, a Gaussian of width s averages over 2 sqrt(pi) s of them
    averaged = max(2 * np.pi**0.5 * _SMOOTHING_A / width, 1.0)
    noise = np.sqrt(gaussian_filter1d(error**2, _SMOOTHING_A / width, mode="constant") / averaged)
    centres = (edges[:-1] + edges[1:]) / 2
    peak = _first_maximum(smooth, noise)
    if peak is None:
        return None, None
    lowest = peak
    for i in range(peak, smooth.size):
        if smooth[i] < smooth[lowest]:
            lowest = i
        rise = smooth[i] - smooth[lowest]
        if lowest > peak and rise > max(_SIGNIFICANCE * np.hypot(noise[i], noise[lowest]), _rise(smooth[peak])):
            gap = np.flatnonzero(smooth[peak:i] <= smooth[lowest] + 0.1 * _rise(smooth[peak])) + peak
            return float(centres[peak]), float(centres[gap].mean())
    return float(centres[peak]), None


def _rise(height: float) -> float:
    """Return how much g(r) must change for a feature, next to a maximum of some height."""
    return min(0.1 * height, _LARGEST_NEEDED_RISE)


def _first_maximum(smooth: Array, noise: Array) -> int | None:
    highest = 0
    for i in range(smooth.size):
        if smooth[i] > smooth[highest]:
            highest = i
        fall = smooth[highest] - smooth[i]
        needed = max(_SIGNIFICANCE * np.hypot(noise[i], noise[highest]), _rise(smooth[highest]))
        if smooth[highest] > 1 + _SIGNIFICANCE * noise[highest] and fall > needed:
            return highest
    return None
