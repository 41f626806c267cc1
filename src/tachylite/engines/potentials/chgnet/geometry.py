"""Angles between short bonds, and the gradient of the energy by bond vectors."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet.graph import Graph
from tachylite.engines.potentials.neighbors import Pairs

_SHRINK = 1 - 1e-6
"""CHGNet multiplies every cosine by this, so that the arc cosine is differentiable at 0 and 180 degrees."""


@dataclass(frozen=True)
class Geometry:
    """Angles of the first half of the graph's angles (n_angles / 2,) in radian, in double precision."""

    pairs: Pairs
    graph: Graph
    left_unit: Tensor
    right_unit: Tensor
    cosines: Tensor

    @classmethod
    def from_pairs(cls, pairs: Pairs, graph: Graph) -> Self:
        """Measure the angles between the short bonds."""
        unit = pairs.vectors[graph.short] / pairs.distances[graph.short, None]
        units = torch.cat([unit, -unit])
        half = len(graph.left) // 2
        left, right = units[graph.left[:half]], units[graph.left[half:]]
        return cls(pairs, graph, left, right, (left * right).sum(dim=1))

    @property
    def angles(self) -> Tensor:
        """(n_angles / 2,) in radian."""
        return (_SHRINK * self.cosines).acos()

    def gradient(self, by_distance: Tensor, by_angle: Tensor) -> Tensor:
        """Derivative of the energy by the bond vectors (n_bonds, 3) from those by distances and angles."""
        pairs, graph = self.pairs, self.graph
        result = (by_distance.to(torch.float64) / pairs.distances)[:, None] * pairs.vectors
        slope = -_SHRINK / (1 - (_SHRINK * self.cosines).square()).sqrt()
        by_cosine = (by_angle.to(torch.float64) * slope)[:, None]
        cosines = self.cosines[:, None]
        half, n_short = len(graph.left) // 2, len(graph.short)
        lengths = pairs.distances[graph.short].repeat(2)[:, None]
        at_ends = lengths.new_zeros(2 * n_short, 3)
        at_ends.index_add_(0, graph.left[:half], by_cosine * (self.right_unit - cosines * self.left_unit))
        at_ends.index_add_(0, graph.left[half:], by_cosine * (self.left_unit - cosines * self.right_unit))
        at_ends /= lengths
        return result.index_add_(0, graph.short, at_ends[:n_short] - at_ends[n_short:])
