"""How well one method's partial g(r) reproduces another's: coefficients of determination with errors."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import FEWEST_GROUPS
from tachylite.physics.statistics import GAUSSIAN_95, estimate_mean
from tachylite.physics.structure.pair_distribution import pair_structure
from tachylite.physics.structure.pairs import PairCounts

_BLOCKS = 10

PUBLISHED_THRESHOLDS = (0.85, 0.90, 0.95)
"""Values of R^2 above which Zheng et al. count materials (DOI 10.1038/s41524-024-01469-2, Fig. 6)."""


@dataclass(frozen=True)
class Curves:
    """Curves over the same distances, by name: the partial g(r) of a material by pair of elements."""

    r_a: Array
    """Shape (n,), in A, ascending."""
    values: dict[str, Array]
    """Shape (n,) each; pairs have their symbols in alphabetical order, like Li-O."""
    samples: dict[str, Array] | None = None
    """The same from groups of consecutive frames, shape (n_groups, n) each; None where only means are known."""

    def smoothed(self, width_a: float) -> "Curves":
        """Convolve every curve with a Gaussian of a standard deviation in A, cut off at four standard deviations.

        Raises InputError for distances that are not equally spaced.
        """
        if width_a == 0:
            return self
        steps = np.diff(self.r_a)
        if not np.allclose(steps, steps[0], rtol=1e-3):
            raise InputError("g(r) at distances that are not equally spaced cannot be smoothed")
        bins = width_a / float(steps.mean())

        def smooth(curves: dict[str, Array]) -> dict[str, Array]:
            return {name: gaussian_filter1d(curve, bins, axis=-1) for name, curve in curves.items()}

        return replace(self, values=smooth(self.values), samples=None if self.samples is None else smooth(self.samples))

    def at(self, r_a: Array) -> "Curves":
        """Curves at other distances (m,) in A, by linear interpolation."""

        def interpolate(curve: Array) -> Array:
            return np.asarray(np.interp(r_a, self.r_a, curve))

        samples = self.samples
        return Curves(
            r_a,
            {name: interpolate(curve) for name, curve in self.values.items()},
            None if samples is None else {k: np.array([interpolate(curve) for curve in v]) for k, v in samples.items()},
        )


@dataclass(frozen=True)
class Parity:
    """Coefficients of determination of a curve set against a reference; 1 where they are equal."""

    r2: float
    """Of all values of all curves together."""
    r2_error: float
    """Standard error; infinite where neither side has samples."""
    r2_by_pair: dict[str, float]
    r2_error_by_pair: dict[str, float]
    noise: float
    """By how much the noise of finite trajectories lowers `r2` on average; part of its error."""
    n_values: int
    r_max_a: float
    """Largest distance at which both were compared, in A."""


def curves_of(counts: PairCounts) -> Curves:
    """Partial g(r) of a trajectory with its groups of frames as samples; fewer than four groups are none.

    In a cell whose volume fluctuates, samples fluctuate with the numbers of pairs alone.
    """
    structure = pair_structure(counts)
    values = {partial.pair: np.array(partial.g) for partial in structure.partials}
    samples = None
    if len(counts.pairs) >= FEWEST_GROUPS:
        samples = {}
        for index, (pair, g) in enumerate(values.items()):
            pairs = counts.pairs[:, index]
            mean = pairs.mean(axis=0)
            samples[pair] = pairs * np.divide(g, mean, out=np.zeros_like(mean), where=mean > 0)
    return Curves(np.array(structure.r_a), values, samples)


def common_distances(reference: Curves, other: Curves) -> tuple[Curves, Curves]:
    """Interpolate both sets of curves to the distances of the reference that the other one covers.

    Raises InputError where the pairs differ, or fewer than two distances are common.
    """
    if set(reference.values) != set(other.values):
        only = sorted(set(reference.values) ^ set(other.values))
        raise InputError(f"{', '.join(only)} is in one of the two only; parity needs the same elements in both")
    low, high = max(reference.r_a[0], other.r_a[0]), min(reference.r_a[-1], other.r_a[-1])
    r = reference.r_a[(reference.r_a >= low - 1e-9) & (reference.r_a <= high + 1e-9)]
    if r.size < 2:
        raise InputError(
            f"the distances {reference.r_a[0]:g}-{reference.r_a[-1]:g} A and "
            f"{other.r_a[0]:g}-{other.r_a[-1]:g} A have nothing in common"
        )
    return reference.at(r), other.at(r)


def compare_curves(reference: Curves, other: Curves) -> Parity:
    r"""Compare curves with a reference over the distances that both have.

    The other set is brought to the distances of the reference by linear interpolation.

        R^2 = 1 - sum (y - x)^2 / S,   S = sum (x - <x>)^2

    ======  ====================================================================
    symbol  meaning
    ======  ====================================================================
    x       values of the reference, all pairs at all common distances
    y       values of the other at the same places
    ======  ====================================================================

    It is no squared correlation: curves that are too high or shifted count as wrong.

    The error is that of the samples: R^2 is linear in them to first order, so that each group of frames has one
    number, sum (dR^2/dy) y, whose mean has an error by blocking, with all correlations between distances, pairs
    and frames in it. Where the curves nearly agree this vanishes and the second order is left, by which noise
    lowers R^2: sum sigma^2 / S, with the standard errors sigma of the values; it is added in quadrature.

    Raises InputError where the pairs differ, or fewer than two distances are common.
    """
    x, y = common_distances(reference, other)
    whole = _score(x, y, list(x.values))
    by_pair = {pair: _score(x, y, [pair]) for pair in x.values}
    return Parity(
        r2=whole[0],
        r2_error=whole[1],
        r2_by_pair={pair: score[0] for pair, score in by_pair.items()},
        r2_error_by_pair={pair: score[1] for pair, score in by_pair.items()},
        noise=whole[2],
        n_values=len(x.values) * len(x.r_a),
        r_max_a=float(x.r_a[-1]),
    )


def _score(reference: Curves, other: Curves, pairs: list[str]) -> tuple[float, float, float]:
    """R^2 of some pairs, its standard error, and what noise takes from R^2 on average."""
    x = np.concatenate([reference.values[pair] for pair in pairs])
    y = np.concatenate([other.values[pair] for pair in pairs])
    r2 = coefficient_of_determination(x, y)
    spread = float(((x - x.mean()) ** 2).sum())
    if spread == 0:
        return r2, float("inf"), 0.0
    slopes = {
        "reference": (reference, 2 * (y - x) / spread + 2 * (1 - r2) * (x - x.mean()) / spread),
        "other": (other, -2 * (y - x) / spread),
    }
    variance, noise, has_samples = 0.0, 0.0, False
    for curves, slope in slopes.values():
        if curves.samples is not None:
            samples = np.concatenate([curves.samples[pair] for pair in pairs], axis=1)
            variance += estimate_mean(samples @ slope).error ** 2
            noise += _variance_of_means(samples) / spread
            has_samples = True
    return r2, (variance + noise**2) ** 0.5 if has_samples else float("inf"), noise


def _variance_of_means(samples: Array) -> float:
    """Squared standard errors of the means of series (n_groups, n), summed over the n.

    From ten blocks and the covariance of each with the next, pooled over all series: few blocks know the variance
    of one series badly, but that of many well.
    """
    blocks = np.array([part.mean(axis=0) for part in np.array_split(samples, min(_BLOCKS, len(samples)))])
    m = len(blocks)
    centred = blocks - blocks.mean(axis=0)
    c0 = float((centred**2).sum()) / (m - 1)
    # subtracting the mean of the blocks lowers every covariance by about c0 / m
    c1 = float((centred[1:] * centred[:-1]).sum()) / (m - 1) + c0 / m
    return (c0 + 2 * max(c1, 0.0)) / m


def coefficient_of_determination(reference: ArrayLike, other: ArrayLike) -> float:
    """1 - sum (other - reference)^2 / sum (reference - mean)^2 of two arrays (n,); nan for a constant reference."""
    x, y = np.asarray(reference, dtype=np.float64), np.asarray(other, dtype=np.float64)
    spread = float(((x - x.mean()) ** 2).sum())
    return 1 - float(((y - x) ** 2).sum()) / spread if spread > 0 else float("nan")


def wilson_interval(count: int, of: int) -> tuple[float, float]:
    r"""95 % interval of a fraction of which `count` in `of` were seen (Wilson, DOI 10.1080/01621459.1927.10502953).

        (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    ======  ====================================
    symbol  meaning
    ======  ====================================
    p, n    count / of, of
    z       1.96
    ======  ====================================

    Raises InputError for no trials, or more successes than trials.
    """
    if not 0 <= count <= of or of == 0:
        raise InputError(f"{count} of {of} is no fraction of anything")
    p, z2 = count / of, GAUSSIAN_95**2 / of
    centre, half = (p + z2 / 2) / (1 + z2), (z2 * p * (1 - p) + z2**2 / 4) ** 0.5 / (1 + z2)
    return max(centre - half, 0.0), min(centre + half, 1.0)
