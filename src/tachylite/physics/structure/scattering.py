"""Structure factors of neutrons and X-rays by the direct sum over the wave vectors of the periodic cell."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array, FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel
from tachylite.physics.frames import FEWEST_GROUPS, Frames, GroupSums, ratio_of_sums
from tachylite.physics.structure.waves import Waves, density_waves

_BARN_PER_FM2 = 0.01
_MOST_ATOM_WAVES = 3e9
_ALL_WAVES_UP_TO = 2.0


class StructureFactor(FrozenModel):
    """A function of Q with its standard error, both of shape (n_q,)."""

    values: FloatList
    errors: FloatList


class ScatteringAnalysis(FrozenModel):
    """Faber-Ziman partial structure factors, and F(Q) and S(Q) as neutron and X-ray diffractometers measure them."""

    q_per_a: FloatList
    """Mean length of the wave vectors in every bin that holds some, shape (n_q,)."""
    partials: dict[str, StructureFactor]
    """S(Q) by pair in alphabetical order, like `O-Si`; they go to 1."""
    neutron_f_barn_sr: StructureFactor | None
    """F(Q) per atom; it goes to 0. None, as is `neutron_s`, where an element has no known scattering length."""
    neutron_s: StructureFactor | None
    """1 + F(Q) over the squared mean scattering length; without meaning where that vanishes."""
    xray_f: StructureFactor
    """F(Q) over the squared mean form factor; it goes to 0."""
    xray_s: StructureFactor
    """1 + F(Q)."""


def analyse_scattering(
    frames: Frames,
    n_frames: int,
    q_max_per_a: float = 20.0,
    bin_width_per_a: float = 0.05,
    most_atom_waves: float = _MOST_ATOM_WAVES,
    seed: int = 0,
) -> ScatteringAnalysis:
    r"""Structure factors of a periodic trajectory, averaged over directions.

        rho_a(Q) = sum_j exp(i Q r_j),   A_ab = <Re rho_a rho_b*> / N
        S_ab = 1 + (A_ab - c_a d_ab) / (c_a c_b)
        F(Q) = sum_ab c_a c_b b_a b_b (S_ab - 1) = <|sum_a b_a rho_a|^2> / N - sum_a c_a b_a^2

    ======  ==============================================================================================
    symbol  meaning
    ======  ==============================================================================================
    Q       wave vectors that fit into the cell, averaged over those in a bin of `bin_width_per_a`
    a, b    elements; the sum of F is over both, so that each unlike pair counts twice
    c, N    fraction of the atoms, number of atoms; d_ab is 1 for a = b, else 0
    b       scattering length, in sqrt(barn): F in barn/sr per atom; form factor f0(Q) for X-rays,
            there F is divided by (sum_a c_a f_a)^2
    ======  ==============================================================================================

    S_ab and F follow Faber and Ziman as in Keen (DOI 10.1107/S0021889800019993), whose G(Q) and F(Q) our F(Q)
    and S_ab - 1 are; nothing is truncated or smoothed, and Q is known no finer than the cell allows. Where the
    `n_frames` frames ask for more than `most_atom_waves` phase factors, lines of wave vectors beyond 2 1/A are
    left out at random (`seed`), others in every frame. Errors are standard errors over frames by blocking; for
    fewer than four frames from the scatter of the wave vectors in a bin, taken as independent.

    Raises InputError for Q out of reach.
    """
    if not 0 < bin_width_per_a <= q_max_per_a:
        raise InputError(f"bins of {bin_width_per_a} 1/A up to {q_max_per_a} 1/A make no S(Q); both must be positive")
    sums = _Sums(frames, q_max_per_a, bin_width_per_a)
    generator = np.random.default_rng(seed)
    for frame, cell in frames:
        waves_per_frame = abs(float(np.linalg.det(cell))) * q_max_per_a**3 / (12 * np.pi**2)
        share = min(most_atom_waves / (waves_per_frame * len(frame) * n_frames), 1.0)
        group = sums.groups.next_frame()
        for waves in density_waves(frame, cell, sums.kinds, q_max_per_a, share, _ALL_WAVES_UP_TO, generator):
            sums.add(group, waves)
    return sums.analysis()


def neutron_lengths_fm(symbols: Sequence[str]) -> Array:
    """Bound coherent scattering lengths in fm of elements in natural abundance, shape (n,); nan where not known.

    From periodictable, which tabulates Rauch and Waschkowski (DOI 10.1007/10499706_6) with later measurements.
    """
    lengths = [_element(symbol).neutron.b_c for symbol in symbols]
    return np.array([np.nan if length is None else length for length in lengths], dtype=np.float64)


def xray_form_factors(symbols: Sequence[str], q_per_a: Array) -> Array:
    """Form factors f0(Q) in electrons of neutral atoms, shape (n_elements, n_q), Q in 1/A up to 75.

    The fit by five Gaussians of Waasmaier and Kirfel (DOI 10.1107/S0108767394013292), from periodictable;
    without anomalous scattering.
    """
    return np.array([_element(symbol).xray.f0(q_per_a) for symbol in symbols], dtype=np.float64)


@cache
def _element(symbol: str) -> Any:
    # its tables take a third of a second to read
    import periodictable

    return periodictable.elements.symbol(symbol)


class _Sums:
    """A_ab and F over bins of Q, summed over groups of frames, and their squares over wave vectors."""

    def __init__(self, frames: Frames, q_max: float, width: float) -> None:
        self.kinds, self.symbols = frames.kinds, frames.symbols
        self.n_atoms, self.width = len(frames.numbers), width
        self.n_bins = max(round(q_max / width), 1)
        self.fractions = np.bincount(self.kinds) / self.n_atoms
        self.pairs = list(combinations_with_replacement(range(len(self.symbols)), 2))
        self.lengths = neutron_lengths_fm(self.symbols) * _BARN_PER_FM2**0.5
        self.q_grid = np.linspace(0.0, q_max, 1000)
        self.form_factors = xray_form_factors(self.symbols, self.q_grid)
        self.lengths_of_q = np.zeros(self.n_bins)
        self.squared_weights = np.zeros(self.n_bins)
        self.squares = np.zeros((len(self.pairs) + 2, self.n_bins))
        # behind the curves stand the weights
        self.groups = GroupSums(len(self.pairs) + 3, self.n_bins)

    def add(self, group: Array, waves: Waves) -> None:
        bins = np.minimum((waves.q_per_a / self.width).astype(np.int64), self.n_bins - 1)
        group[-1] += np.bincount(bins, waves.weights, minlength=self.n_bins)
        self.squared_weights += np.bincount(bins, waves.weights**2, minlength=self.n_bins)
        self.lengths_of_q += np.bincount(bins, waves.weights * waves.q_per_a, minlength=self.n_bins)
        for i, curve in enumerate(self._curves(waves)):
            weighted = waves.weights * curve
            group[i] += np.bincount(bins, weighted, minlength=self.n_bins)
            self.squares[i] += np.bincount(bins, weighted * curve, minlength=self.n_bins)

    def _curves(self, waves: Waves) -> list[Array]:
        """Every S_ab, F of neutrons and F of X-rays at each wave vector."""
        rho, c = waves.amplitudes, self.fractions
        curves = []
        for a, b in self.pairs:
            product = (rho[a].real * rho[b].real + rho[a].imag * rho[b].imag) / self.n_atoms
            curves.append(1 + (product - (c[a] if a == b else 0)) / (c[a] * c[b]))
        # the form factors are smooth, so that a table serves for millions of wave vectors
        f = np.array([np.interp(waves.q_per_a, self.q_grid, factor) for factor in self.form_factors])
        neutron, xray = np.tensordot(self.lengths, rho, 1), (f * rho).sum(axis=0)
        curves.append((neutron.real**2 + neutron.imag**2) / self.n_atoms - c @ self.lengths**2)
        curves.append(((xray.real**2 + xray.imag**2) / self.n_atoms - c @ f**2) / (c @ f) ** 2)
        return curves

    def analysis(self) -> ScatteringAnalysis:
        groups = self.groups.sums
        bins = np.flatnonzero((groups[:, -1] > 0).all(axis=0))
        if not bins.size:
            raise InputError(f"no wave vector of this cell is shorter than {self.q_grid[-1]} 1/A; ask for a higher Q")
        curves = [self._curve(i, groups[:, :, bins], bins) for i in range(len(self.squares))]
        *partials, (neutron, neutron_error), (xray, xray_error) = curves
        squared_mean = float(self.fractions @ self.lengths) ** 2
        has_lengths = bool(np.isfinite(squared_mean))
        pairs = (f"{self.symbols[a]}-{self.symbols[b]}" for a, b in self.pairs)
        return ScatteringAnalysis(
            q_per_a=self.lengths_of_q[bins] / groups[:, -1].sum(axis=0)[bins],
            partials={
                pair: StructureFactor(values=values, errors=errors)
                for pair, (values, errors) in zip(pairs, partials, strict=True)
            },
            neutron_f_barn_sr=StructureFactor(values=neutron, errors=neutron_error) if has_lengths else None,
            neutron_s=StructureFactor(values=1 + neutron / squared_mean, errors=neutron_error / squared_mean)
            if has_lengths
            else None,
            xray_f=StructureFactor(values=xray, errors=xray_error),
            xray_s=StructureFactor(values=1 + xray, errors=xray_error),
        )

    def _curve(self, i: int, groups: Array, bins: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean over wave vectors of one of the curves, and its standard error, both of shape (n_bins,)."""
        values, weights = groups[:, i], groups[:, -1]
        if len(groups) < FEWEST_GROUPS or not np.isfinite(values).all():
            total = weights.sum(axis=0)
            mean = values.sum(axis=0) / total
            variance = np.maximum(self.squares[i][bins] / total - mean**2, 0.0)
            return mean, np.sqrt(variance * self.squared_weights[bins]) / total
        ratios = [ratio_of_sums(values[:, [k]], weights[:, k]) for k in range(len(bins))]
        return np.array([mean[0] for mean, _ in ratios]), np.array([error[0] for _, error in ratios])
