"""Crystals as graphs: atoms, and vectors to their neighbours across the faces of the cell."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import spglib
import torch
from torch import Tensor

from tachylite.arrays import Array
from tachylite.physics.neighbors import find_neighbors
from tachylite.schemas import State

# else it writes to stderr where it finds no symmetry, which is an answer here
os.environ.setdefault("SPGLIB_WARNING", "OFF")

_SYMMETRY_A = 1e-3
"""Distance within which atoms count as equivalent."""


@dataclass(frozen=True)
class Graph:
    """Several crystals as one graph."""

    numbers: Tensor
    """Atomic numbers, shape (n_atoms,)."""
    crystal: Tensor
    """The crystal of every atom, shape (n_atoms,)."""
    weights: Tensor
    """Of the atoms in the mean over their crystal, shape (n_atoms,): one of several that symmetry makes equivalent
    stands for all of them, and the others have zero."""
    receivers: Tensor
    senders: Tensor
    """Atoms of every pair of neighbours, shape (n_pairs,)."""
    vectors: Tensor
    """From receiver to sender in A, shape (n_pairs, 3)."""

    @property
    def n_crystals(self) -> int:
        """Number of crystals."""
        return int(self.crystal[-1]) + 1

    @classmethod
    def of(cls, state: State, cutoff_a: float) -> "Graph":
        """The graph of one crystal with all neighbours nearer than a cutoff, in single precision."""
        neighbors = find_neighbors(np.array(state.positions), np.array(state.cell), cutoff_a)
        return cls(
            numbers=torch.tensor(state.numbers),
            crystal=torch.zeros(len(state.numbers), dtype=torch.int64),
            weights=torch.tensor(_weights_of(state), dtype=torch.float32),
            receivers=torch.tensor(neighbors.first),
            senders=torch.tensor(neighbors.second),
            vectors=torch.tensor(neighbors.vectors_a, dtype=torch.float32),
        )

    @classmethod
    def join(cls, graphs: Sequence["Graph"]) -> "Graph":
        """One graph of several, whose crystals are in their order."""
        sizes = torch.tensor([len(graph.numbers) for graph in graphs])
        first_atoms = (sizes.cumsum(0) - sizes).tolist()
        return cls(
            numbers=torch.cat([graph.numbers for graph in graphs]),
            crystal=torch.repeat_interleave(torch.arange(len(graphs)), sizes),
            weights=torch.cat([graph.weights for graph in graphs]),
            receivers=torch.cat([graph.receivers + first for graph, first in zip(graphs, first_atoms, strict=True)]),
            senders=torch.cat([graph.senders + first for graph, first in zip(graphs, first_atoms, strict=True)]),
            vectors=torch.cat([graph.vectors for graph in graphs]),
        )

    def mean(self, features: Tensor) -> Tensor:
        """Means (n_crystals, p) over the atoms of each crystal of features (n_atoms, p)."""
        means = features.new_zeros((self.n_crystals, features.shape[1]))
        return means.index_add(0, self.crystal, features * self.weights[:, None])


def _weights_of(state: State) -> Array:
    """Weights (n,) of the atoms in the mean, with those that are equivalent taken together."""
    fractional = np.array(state.positions) @ np.linalg.inv(state.cell)
    cell = (state.cell, fractional.tolist(), state.numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=_SYMMETRY_A)
    orbits = np.arange(len(state.numbers)) if dataset is None else dataset.crystallographic_orbits
    return np.asarray(np.bincount(orbits, minlength=len(orbits)) / len(orbits))
