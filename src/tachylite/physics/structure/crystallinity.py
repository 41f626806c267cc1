"""Telling crystals from melts and glasses by whether surroundings and density repeat from place to place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import sph_harm_y

from tachylite.arrays import Array
from tachylite.measured import FrozenModel
from tachylite.physics.neighbors import find_neighbors
from tachylite.physics.structure.waves import density_waves

type Integers = NDArray[np.int64]

_RANKS = range(3, 9)
_REACH = 1.9
_SHELLS = np.array([0.7, 1.125, 1.55])
_WIDTH = 0.425
_MOST_CENTERS = 1000
_SHARE_OF_PARTNERS = 0.02
_COHERENT = 0.55
_LONGEST_WAVE_VECTOR = 12.0
_SHELL_WIDTH = 1.0
_MOST_ATOM_WAVES = 3e8

_FEWEST_ATOMS = 24
"""In a smaller cell a crystal need not repeat."""
_COHERENT_FRACTION = (0.15, 0.3)
"""Up to the first fraction of atoms with repeated surroundings is chance, from the second on a crystal."""
_CONTRAST = (2.7, 3.0)
"""Up to the first contrast of the diffraction is that of a disordered state, from the second on a crystal's."""


class Crystallinity(FrozenModel):
    """Whether a state is a crystal, from local order and diffraction."""

    crystalline: bool | None = None
    """True also where a good part of the cell is a crystal. None where it cannot be told: see the reason."""
    crystallinity: float | None = None
    """Fraction of the atoms whose surroundings come back, turned alike, around other atoms of their element."""
    diffraction_contrast: float | None = None
    """Mean square over squared mean of the intensity in shells of wave vectors: about 2 without repetition."""
    crystalline_reason: str | None = None
    """Why it cannot be told."""

    @property
    def as_failure(self) -> str:
        """What to say of a crystal where a melt or a glass was to be."""
        return (
            f"crystallised: {self.crystallinity:.0%} of the atoms have repeated surroundings, "
            f"the contrast of the diffraction is {self.diffraction_contrast:.1f} (about 2 in a glass)"
        )

    def with_motion(self, diffusing: Sequence[bool]) -> Self:
        """The same with a third witness: which elements diffuse, by their mean squared displacement.

        A crystal may have one that does, as a superionic conductor; where all do, the answer is None.
        """
        if self.crystalline is not True or not all(diffusing):
            return self
        reason = f"{self.crystallinity:.0%} of the atoms have repeated surroundings, and yet all elements diffuse"
        return self.model_copy(update={"crystalline": None, "crystalline_reason": reason})


def measure_crystallinity(positions: Array, cell: Array, numbers: Integers) -> Crystallinity:
    r"""Tell whether a periodic state is a crystal, from two independent witnesses.

    Takes positions (n_atoms, 3), wrapped or not, the cell (3, 3), lattice vectors as rows, in A, and atomic numbers.

        local order:  s_ij = <F_i, F_j> / (|F_i| |F_j|),   F_i = sum_v g_n(r_v) Y_lm(v) of each element
        diffraction:  sum_k I_a(k)^2 / sum_k I_a(|k|)^2,   I_a(k) = |sum_{j in a} exp(i k r_j)|^2, mean over elements

    Atom i has repeated surroundings where s_ij > 0.55 for the best 2 % (at least one) of the other atoms j of its
    element. s_ij is the bond-orientational correlation of ten Wolde et al. (DOI 10.1063/1.471721), for ranks 3 to 8,
    resolved by element and distance, and between all atoms of an element instead of neighbours only, so that a
    crystal may have many sites in its primitive cell. Rotated surroundings do not count as alike.

    Amplitudes of a disordered state are Gaussian, so that the contrast of its intensities is 2, whatever its S(Q). A
    crystal that repeats r times in the cell scatters into one of r wave vectors only, so that its contrast grows with r
    until there is one family of reflections in a shell; thermal motion takes some away.

    ======  ================================================================================
    symbol  meaning
    ======  ================================================================================
    v       vector to a neighbour nearer than 1.9 d, where d^3 is the volume per atom
    g_n     three Gaussians of the distance between 0.7 d and 1.55 d, which vanish at 1.9 d
    Y_lm    spherical harmonics of the ranks l = 3 to 8
    k       wave vectors that fit into the cell, up to 12 / d; I_a(|k|) is the mean over a shell 1 / d wide
    a       element
    ======  ================================================================================

    The thresholds are calibrated in docs/crystallinity.md. A crystal of which the cell holds a single primitive cell
    does not repeat, and is not seen. Where the witnesses disagree the answer is None.
    """
    state = _State(positions, cell, np.unique(numbers, return_inverse=True)[1])
    coherent = _coherences(state) > _COHERENT
    if not coherent.size:
        return Crystallinity(crystalline_reason="no element has two atoms in the cell; make a supercell")
    fraction, contrast = float(coherent.mean()), _diffraction_contrast(state)
    crystalline, reason = _judge(len(numbers), fraction, contrast)
    return Crystallinity(
        crystalline=crystalline,
        crystallinity=fraction,
        diffraction_contrast=contrast,
        crystalline_reason=reason,
    )


def _judge(n_atoms: int, fraction: float, contrast: float) -> tuple[bool | None, str | None]:
    """The verdict of the two witnesses, and the reason where there is none."""
    if fraction >= _COHERENT_FRACTION[1] and contrast >= _CONTRAST[1]:
        return True, None
    if n_atoms < _FEWEST_ATOMS:
        return None, f"{n_atoms} atoms are too few to tell; make a supercell of at least {_FEWEST_ATOMS}"
    if fraction <= _COHERENT_FRACTION[0] and contrast <= _CONTRAST[0]:
        return False, None
    return None, (
        f"the witnesses disagree: {fraction:.0%} of the atoms have repeated surroundings (glass up to "
        f"{_COHERENT_FRACTION[0]:.0%}, crystal from {_COHERENT_FRACTION[1]:.0%}), the contrast of the diffraction is "
        f"{contrast:.1f} (glass up to {_CONTRAST[0]:g}, crystal from {_CONTRAST[1]:g})"
    )


@dataclass(frozen=True)
class _State:
    positions: Array
    cell: Array
    kinds: Integers

    @property
    def spacing_a(self) -> float:
        """Edge of a cube of the volume per atom."""
        return float((abs(np.linalg.det(self.cell)) / len(self.kinds)) ** (1 / 3))


def _coherences(state: _State) -> Array:
    """Similarity of the surroundings of atoms to the best 2 % of those of the same element, at most 1000 of each."""
    order = [np.flatnonzero(state.kinds == kind) for kind in range(int(state.kinds.max()) + 1)]
    chosen = [atoms[:: -(-len(atoms) // _MOST_CENTERS)] for atoms in order]
    fingerprints = _fingerprints(state, np.concatenate(chosen))
    coherences = []
    for of_kind in np.split(fingerprints, np.cumsum([len(atoms) for atoms in chosen])[:-1]):
        n_partners = len(of_kind) - 1
        if n_partners > 0:
            similar = of_kind @ of_kind.T
            np.fill_diagonal(similar, -1.0)
            place = n_partners + 1 - int(np.ceil(_SHARE_OF_PARTNERS * n_partners))
            coherences.append(np.partition(similar, place, axis=1)[:, place])
    return np.concatenate(coherences) if coherences else np.zeros(0)


def _fingerprints(state: _State, atoms: Integers) -> Array:
    """Unit vectors of the directions and distances to neighbours of each element, shape (n_atoms, n)."""
    place = np.full(len(state.kinds), -1)
    place[atoms] = np.arange(len(atoms))
    neighbors = find_neighbors(state.positions, state.cell, _REACH * state.spacing_a)
    neighbors = neighbors[(place[neighbors.first] >= 0) & (neighbors.distances_a > 0)]
    distances = neighbors.distances_a[:, None] / state.spacing_a
    radial = np.exp(-(((distances - _SHELLS) / _WIDTH) ** 2)) * np.cos(np.pi * distances / (2 * _REACH)) ** 2
    angular = _harmonics(neighbors.vectors_a / neighbors.distances_a[:, None])
    n_kinds = int(state.kinds.max()) + 1
    sums = np.zeros((len(atoms) * n_kinds, len(_SHELLS), angular.shape[1]))
    rows = place[neighbors.first] * n_kinds + state.kinds[neighbors.second]
    for shell in range(len(_SHELLS)):
        np.add.at(sums[:, shell], rows, radial[:, [shell]] * angular)
    flat = sums.reshape(len(atoms), -1)
    norms = np.linalg.norm(flat, axis=1)[:, None]
    unit: Array = np.divide(flat, norms, out=np.zeros_like(flat), where=norms > 0)
    return unit


def _harmonics(directions: Array) -> Array:
    """Spherical harmonics of unit vectors as real numbers, whose dot product is that of the complex ones."""
    polar, azimuth = np.arccos(np.clip(directions[:, 2], -1, 1)), np.arctan2(directions[:, 1], directions[:, 0])
    parts = []
    for rank in _RANKS:
        # those of negative order are the conjugates, and count by the factor
        complex_parts = sph_harm_y(rank, np.arange(rank + 1), polar[:, None], azimuth[:, None])
        complex_parts[:, 1:] *= 2**0.5
        parts += [complex_parts.real, complex_parts[:, 1:].imag]
    return np.concatenate(parts, axis=1)


def _diffraction_contrast(state: _State) -> float:
    """Mean over elements, by number of atoms, of the contrast of their intensities at the wave vectors of the cell."""
    n_atoms, q_max = len(state.kinds), _LONGEST_WAVE_VECTOR / state.spacing_a
    n_waves = n_atoms * _LONGEST_WAVE_VECTOR**3 / (12 * np.pi**2)
    share = min(_MOST_ATOM_WAVES / (n_waves * n_atoms), 1.0)
    generator = np.random.default_rng(0)
    blocks = list(density_waves(state.positions, state.cell, state.kinds, q_max, share, 0.0, generator))
    shells = np.concatenate([waves.q_per_a for waves in blocks]) * state.spacing_a // _SHELL_WIDTH
    intensities = np.concatenate([np.abs(waves.amplitudes) ** 2 for waves in blocks], axis=1)
    inverse = np.unique(shells, return_inverse=True)[1]
    n_in_shell = np.bincount(inverse)
    contrasts = [
        (of_kind**2).sum() / (np.bincount(inverse, of_kind) ** 2 / n_in_shell).sum() for of_kind in intensities
    ]
    return float(np.average(contrasts, weights=np.bincount(state.kinds)))
