"""Reading a `nep.txt` file, and energies of pairs of atoms computed directly from its parameters."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from tachylite.arrays import Array
from tachylite.errors import InputError

KINDS = ("nep4", "nep4_zbl")
"""First words of supported files: potentials of the fourth version, with or without repulsion."""


@dataclass(frozen=True)
class NepFile:
    """Parameters of a NEP4 potential as in its file, cutoffs in A."""

    path: Path
    sha256: str
    elements: tuple[str, ...]
    cutoff: float
    """Radial cutoff."""
    angular_cutoff: float
    input_weights: Array
    """(n_elements, n_neurons, n_descriptors)"""
    input_biases: Array
    """(n_elements, n_neurons)"""
    output_weights: Array
    """(n_elements, n_neurons), eV"""
    bias: float
    """eV"""
    radial: Array
    """(n_radial, n_basis, n_elements, n_elements)"""
    scaler: Array
    """(n_descriptors,)"""

    @property
    def pair_distance(self) -> float:
        """Distance in A of a pair without angular descriptors: beyond their cutoff, and well inside the radial one."""
        return min(max(self.angular_cutoff, 0.7 * self.cutoff), self.cutoff)

    def pair_energy(self, first: str, second: str) -> float:
        r"""Energy in eV of two isolated atoms at `pair_distance`.

        $$ E = \sum_i \left[ \sum_m w^1_m \tanh\!\left( \sum_n w^0_{mn} q_n s_n - b^0_m \right) - b^1 \right], \quad
           q_n = \sum_k c_{nk} f_k(r) $$
        $$ f_k(r) = \tfrac{1}{2} \left[ T_k\!\left( 2 (r / r_c - 1)^2 - 1 \right) + 1 \right] f_c(r), \quad
           f_c(r) = \tfrac{1}{2} \left[ 1 + \cos(\pi r / r_c) \right] $$

        | symbol | variable |
        |---|---|
        | w^0, b^0, w^1, b^1 | `input_weights`, `input_biases`, `output_weights`, `bias` |
        | c, s, r_c | `radial`, `scaler`, `cutoff` |
        | T_k | Chebyshev polynomial of the first kind |

        The descriptors of Fan et al. 2022, DOI 10.1063/5.0106617, with the networks of one element each of Song et
        al. 2024, DOI 10.1038/s41467-024-54554-x.
        """
        r = self.pair_distance / self.cutoff
        basis = np.cos(np.arange(self.radial.shape[1]) * np.arccos(np.clip(2 * (r - 1) ** 2 - 1, -1, 1)))
        functions = 0.5 * (basis + 1) * 0.5 * (1 + np.cos(np.pi * r))
        i, j = self.elements.index(first), self.elements.index(second)
        return self._site_energy(i, j, functions) + self._site_energy(j, i, functions)

    def _site_energy(self, element: int, neighbor: int, functions: Array) -> float:
        """Energy in eV of an atom with a single neighbour, from the radial functions (n_basis,) at its distance."""
        descriptors = np.zeros(len(self.scaler))
        descriptors[: len(self.radial)] = self.radial[:, :, element, neighbor] @ functions
        layer = np.tanh(self.input_weights[element] @ (descriptors * self.scaler) - self.input_biases[element])
        return float(self.output_weights[element] @ layer) - self.bias


def read_nep(path: Path) -> NepFile:
    """Read a NEP4 potential.

    Raises InputError for a file that does not exist, is not a NEP4 potential, or does not have as many parameters as
    its header requires.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read NEP file {path}: {error.strerror}") from error
    try:
        return _parse(path, content)
    except (ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is no NEP potential that is understood ({error}); give a nep.txt of version 4"
        ) from error


def _parse(path: Path, content: bytes) -> NepFile:
    lines = [line.split() for line in content.decode().splitlines() if line.strip()]
    kind, count, *elements = lines[0]
    if kind not in KINDS or int(count) != len(elements):
        raise ValueError(f"it begins with {' '.join(lines[0])[:60]!r} instead of {' or '.join(KINDS)} and its elements")
    unknown = [symbol for symbol in elements if symbol not in atomic_numbers]
    if unknown:
        raise ValueError(f"{unknown[0]} is no element")
    n_header = 7 if "zbl" in kind else 6
    header: dict[str, Any] = {name: [float(v) for v in values] for name, *values in lines[1:n_header]}
    if header.get("zbl") == [0.0, 0.0]:
        raise ValueError("its repulsion has parameters of its own")
    numbers = np.array([float(value) for (value,) in lines[n_header:]])
    n_radial, n_angular = (int(n) + 1 for n in header["n_max"])
    k_radial, k_angular = (int(n) + 1 for n in header["basis_size"])
    degree, *more = (int(n) for n in header["l_max"])
    n_descriptors = n_radial + n_angular * (degree + sum(1 for value in more if value > 0))
    n_types, n_neurons = len(elements), int(header["ANN"][0])
    network = n_neurons * (n_descriptors + 2)
    expansion = n_radial * k_radial * n_types**2
    sizes = [n_types * network, 1, expansion, n_angular * k_angular * n_types**2, n_descriptors]
    if sum(sizes) != len(numbers):
        raise ValueError(f"it has {len(numbers)} parameters instead of {sum(sizes)}")
    networks, bias, radial, _, scaler = np.split(numbers, np.cumsum(sizes)[:-1])
    weights, biases, outputs = np.split(
        networks.reshape(n_types, network), [n_neurons * n_descriptors, n_neurons * (n_descriptors + 1)], axis=1
    )
    return NepFile(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        elements=tuple(elements),
        cutoff=header["cutoff"][0],
        angular_cutoff=header["cutoff"][1],
        input_weights=weights.reshape(n_types, n_neurons, n_descriptors),
        input_biases=biases,
        output_weights=outputs,
        bias=float(bias[0]),
        radial=radial.reshape(n_radial, k_radial, n_types, n_types),
        scaler=scaler,
    )
