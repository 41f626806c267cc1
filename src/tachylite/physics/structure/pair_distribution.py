"""Pair structure: partial g(r) with errors, first shells, coordination numbers."""

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from tachylite.arrays import Array, FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.frames import FEWEST_GROUPS, take_frames
from tachylite.physics.statistics import estimate_mean
from tachylite.physics.structure.pairs import PairCounts, count_pairs

_SMOOTHING_A = 0.08
_SIGNIFICANCE = 4.0
_LARGEST_NEEDED_RISE = 0.2


class PartialRDF(FrozenModel):
    """Partial g(r) of one pair of elements and the coordination numbers it gives; lists have the shape (n_bins,)."""

    pair: str
    """Element symbols in alphabetical order, like Li-O."""
    g: FloatList
    g_error: FloatList
    first_peak_a: float | None
    first_minimum_a: float | None
    coordination: dict[str, Measured]
    """`Li-O`: oxygen neighbours of a lithium up to the first minimum; `O-Li`: the other way. Empty without minimum."""


class PairStructure(FrozenModel):
    """Partial g(r) of every pair of elements, and the total; lists over bins have the shape (n_bins,)."""

    r_a: FloatList
    """Bin centres."""
    partials: list[PartialRDF]
    total_g: FloatList = []
    """g(r) of all atoms, whatever their elements."""
    total_g_error: FloatList = []

    def partial(self, first: str, second: str) -> PartialRDF:
        """Look up one pair; the order of the symbols does not matter.

        Raises InputError for a pair that is not there.
        """
        pair = "-".join(sorted((first, second)))
        for partial in self.partials:
            if partial.pair == pair:
                return partial
        raise InputError(f"there is no pair {pair}; there are {', '.join(p.pair for p in self.partials)}")


def analyse_structure(
    positions: ArrayLike, cells: ArrayLike, numbers: ArrayLike, r_max_a: float = 8.0, bin_width_a: float = 0.05
) -> PairStructure:
    """Partial g(r) of a trajectory given as arrays.

    Takes the arrays of `frames.take_frames` and the range and bins of `count_pairs`; raises InputError as these do.
    """
    return pair_structure(count_pairs(take_frames(positions, cells, numbers), r_max_a, bin_width_a))


def pair_structure(counts: PairCounts) -> PairStructure:
    r"""Partial g(r), first shell and coordination of every pair of elements.

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
    """
    edges, kinds = counts.edges_a, range(len(counts.symbols))
    n_atoms = int(counts.n_of_kind.sum())
    possible = _possible(n_atoms, n_atoms, counts, same=True)
    total_g, total_g_error = _normalised(counts.pairs.sum(axis=1), possible, counts)
    return PairStructure(
        r_a=(edges[:-1] + edges[1:]) / 2,
        partials=[_partial(counts, i, a, b) for i, (a, b) in enumerate(combinations_with_replacement(kinds, 2))],
        total_g=total_g,
        total_g_error=total_g_error,
    )


def coordination_within(counts: PairCounts, first: str, second: str, cutoff_a: float) -> dict[str, Measured]:
    """Mean numbers of neighbours up to a distance: `Li-O` is oxygen around lithium, `O-Li` the other way.

    Raises InputError for elements that are not there and for a distance out of the range of g(r).
    """
    edges = counts.edges_a
    if not 0 < cutoff_a <= edges[-1]:
        raise InputError(f"cutoff {cutoff_a} A is not between 0 and {edges[-1]:.2f} A, the range of g(r)")
    if not {first, second} <= set(counts.symbols):
        raise InputError(f"there is no pair {first}-{second}; the elements are {', '.join(counts.symbols)}")
    a, b = sorted(counts.symbols.index(symbol) for symbol in (first, second))
    index = list(combinations_with_replacement(range(len(counts.symbols)), 2)).index((a, b))
    return _coordination(counts, index, a, b, cutoff_a)


def _coordination(counts: PairCounts, index: int, a: int, b: int, cutoff_a: float) -> dict[str, Measured]:
    edges = counts.edges_a
    inside = np.clip((cutoff_a - edges[:-1]) / np.diff(edges), 0.0, 1.0)
    mean, error = (float(x[0]) for x in _mean((counts.pairs[:, index] @ inside)[:, None], counts.n_frames))
    pairs = Measured(value=mean, error=error)
    first, second = counts.symbols[a], counts.symbols[b]
    n_first, n_second = int(counts.n_of_kind[a]), int(counts.n_of_kind[b])
    if a == b:
        return {f"{first}-{first}": pairs * 2 / n_first}
    return {f"{first}-{second}": pairs / n_first, f"{second}-{first}": pairs / n_second}


def _partial(counts: PairCounts, index: int, a: int, b: int) -> PartialRDF:
    possible = _possible(int(counts.n_of_kind[a]), int(counts.n_of_kind[b]), counts, same=a == b)
    g, g_error = _normalised(counts.pairs[:, index], possible, counts)
    peak, minimum = _first_shell(counts.edges_a, g, g_error)
    return PartialRDF(
        pair=f"{counts.symbols[a]}-{counts.symbols[b]}",
        g=g,
        g_error=g_error,
        first_peak_a=peak,
        first_minimum_a=minimum,
        coordination={} if minimum is None else _coordination(counts, index, a, b, minimum),
    )


def _possible(n_first: int, n_second: int, counts: PairCounts, *, same: bool) -> Array:
    """Number of pairs without regard to distance, for every bin, shape (n_bins,)."""
    edges = counts.edges_a
    if not same:
        return np.full(edges.size - 1, float(n_first * n_second))
    own_images = edges[1:] > counts.shortest_lattice_vector_a
    return np.where(own_images, n_first * n_first, n_first * (n_first - 1)) / 2


def _normalised(pairs: Array, possible: Array, counts: PairCounts) -> tuple[Array, Array]:
    """g(r) and its error from the pairs in every bin, shape (n_groups, n_bins)."""
    shells = 4 / 3 * np.pi * np.diff(counts.edges_a**3)
    # a lone atom has no neighbour of its kind nearer than its image
    per_pair = np.divide(1.0, possible * shells, out=np.zeros_like(shells), where=possible > 0)
    mean, error = _mean(pairs * counts.volumes_a3[:, None], counts.n_frames, float(counts.volumes_a3.mean()))
    return mean * per_pair, error * per_pair


def _mean(groups: Array, n_frames: int, unit: float = 1.0) -> tuple[Array, Array]:
    """Mean over groups of frames, shape (n_groups, n), and its error, shape (n,); one count is worth `unit`."""
    mean: Array = groups.mean(axis=0)
    if len(groups) < FEWEST_GROUPS:
        return mean, np.sqrt(mean * unit / n_frames)
    return mean, np.array([estimate_mean(series).error for series in groups.T])


def _first_shell(edges: Array, g: Array, error: Array) -> tuple[float | None, float | None]:
    """Positions in A of the first peak of g(r) and of the minimum behind it; None where noise may have made them.

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
    """How much g(r) must change beside a maximum of some height to count as a feature."""
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
