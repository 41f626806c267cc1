"""CHGNet's message passes, forward and backward, with frozen weights.

The first linear layer of every gated perceptron acts on a concatenation of features of atoms, bonds and
angles. Here it is split: features are projected per atom, bond or angle, and the projections are summed on the
edges and angles, which is the same function. `edge_rows` and `angle_rows` of the graph say which rows to sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet.gated import WIDTH, Gated
from tachylite.engines.potentials.chgnet.graph import Graph

WIDE = 2 * WIDTH
"""Core and gate side by side."""

_BLOCK = 8192
"""Edges or angles processed at a time on a CPU, so that the time per atom does not grow with their number: larger
arrays exceed the cache, and are returned to the kernel after use."""


@dataclass(frozen=True)
class MessageTape:
    """Intermediate values for the backward pass: tapes of the perceptron, messages and their weighted sums."""

    gated: list[Any]
    message: Tensor
    aggregate: Tensor


@dataclass(frozen=True)
class AtomConv:
    """Update of the atoms by messages along their bonds.

    Bond features are a linear function of the radial basis, plus, for short bonds, the sum of their updates from
    angles (`learnt`); `bond_shift` is the projection of the biases of those updates, which all bonds of a system with
    angles gain in networks with biased bond updates.
    """

    on_center: Tensor
    on_neighbor: Tensor
    on_basis: Tensor
    on_bond: Tensor
    bias: Tensor
    bond_shift: Tensor | None
    gated: Gated
    out: Tensor
    out_bias: Tensor

    def forward(
        self, atoms: Tensor, basis: Tensor, learnt: Tensor | None, weights: Tensor, has_angles: Tensor, graph: Graph
    ) -> tuple[Tensor, MessageTape]:
        """New atom features (n_atoms, 64) from features, bond basis, and bond weights (n_bonds, 64)."""
        n_atoms = graph.n_atoms
        table = atoms.new_empty(2 * n_atoms + graph.n_bonds, WIDE)
        torch.addmm(self.bias, atoms, self.on_center, out=table[:n_atoms])
        if self.bond_shift is not None:
            table[:n_atoms].addcmul_(has_angles[:, None], self.bond_shift)
        torch.mm(atoms, self.on_neighbor, out=table[n_atoms : 2 * n_atoms])
        bonds = torch.mm(basis, self.on_basis, out=table[2 * n_atoms :])
        if learnt is not None:
            bonds.index_add_(0, graph.short, learnt @ self.on_bond)
        message, tapes = atoms.new_empty(2 * graph.n_bonds, WIDTH), []
        for rows, _ in blocks(message):
            tapes.append(self.gated.forward(table, graph.edge_rows[rows], message[rows]))
        weighted = (message.view(2, graph.n_bonds, WIDTH) * weights).view(-1, WIDTH)
        aggregate = torch.zeros_like(atoms).index_add_(0, graph.center, weighted)
        return torch.addmm(self.out_bias, aggregate, self.out).add_(atoms), MessageTape(tapes, message, aggregate)

    def backward(self, gradient: Tensor, weights: Tensor, graph: Graph, tape: MessageTape) -> "AtomConvGradient":
        """Gradients of the inputs from that of the new atom features."""
        on_edges = (gradient @ self.out.t()).index_select(0, graph.center)
        on_weights = fold(tape.message.mul_(on_edges))
        on_edges.view(2, graph.n_bonds, WIDTH).mul_(weights)
        at_center = on_edges.new_zeros(graph.n_atoms, WIDE)
        at_neighbor = torch.zeros_like(at_center)
        on_bonds = on_edges.new_zeros(graph.n_bonds, WIDE)
        for (rows, bonds), gated_tape in zip(blocks(on_edges), tape.gated, strict=True):
            on_rows = self.gated.backward(on_edges[rows], gated_tape)
            at_center.index_add_(0, graph.center[rows], on_rows)
            at_neighbor.index_add_(0, graph.neighbor[rows], on_rows)
            on_bonds[bonds] += on_rows
        return AtomConvGradient(
            atoms=gradient.addmm(at_center, self.on_center.t()).addmm_(at_neighbor, self.on_neighbor.t()),
            basis=on_bonds @ self.on_basis.t(),
            learnt=on_bonds.index_select(0, graph.short) @ self.on_bond.t(),
            weights=on_weights,
        )


@dataclass(frozen=True)
class AtomConvGradient:
    """Gradients of the inputs of an `AtomConv`."""

    atoms: Tensor
    basis: Tensor
    learnt: Tensor
    weights: Tensor


@dataclass(frozen=True)
class AnglePass:
    """Message on every angle from its two bonds, its atom and its own features."""

    on_left: Tensor
    on_right: Tensor
    on_angle: Tensor
    on_center: Tensor
    bias: Tensor
    gated: Gated

    def _project(self, bonds: Tensor, atoms: Tensor, graph: Graph) -> Tensor:
        """Projections of left ends, with their atoms, and of right bonds: the table of `angle_rows`."""
        n_ends = len(graph.end_center)
        table = bonds.new_empty(n_ends + len(bonds), WIDE)
        at_center = torch.addmm(self.bias, atoms, self.on_center)
        torch.index_select(at_center, 0, graph.end_center, out=table[:n_ends])
        table[:n_ends].view(2, len(bonds), WIDE).add_(bonds @ self.on_left)
        torch.mm(bonds, self.on_right, out=table[n_ends:])
        return table

    def forward(self, bonds: Tensor, angles: Tensor, atoms: Tensor, graph: Graph) -> tuple[Tensor, list[Any]]:
        """Messages (n_angles, 64); `angles` may be of the first half alone when both halves agree."""
        table, n_angles = self._project(bonds, atoms, graph), len(graph.left)
        message, tapes = bonds.new_empty(n_angles, WIDTH), []
        for rows, folded in blocks(message):
            projected = angles[rows if len(angles) == n_angles else folded] @ self.on_angle
            tapes.append(self.gated.forward(table, graph.angle_rows[rows], message[rows], projected))
        return message, tapes

    def backward(self, gradient: Tensor, n_angles: int, graph: Graph, tapes: list[Any]) -> "AngleGradient":
        """Gradients of the inputs; `n_angles` is the number of rows of the input angles."""
        n_short = len(graph.short)
        at_left, at_right = gradient.new_zeros(2 * n_short, WIDE), gradient.new_zeros(n_short, WIDE)
        on_angles = gradient.new_zeros(n_angles, WIDTH)
        for (rows, folded), tape in zip(blocks(gradient), tapes, strict=True):
            on_rows = self.gated.backward(gradient[rows], tape)
            at_left.index_add_(0, graph.left[rows], on_rows)
            at_right.index_add_(0, graph.right_bond[rows], on_rows)
            on_angles[rows if n_angles == len(gradient) else folded].addmm_(on_rows, self.on_angle.t())
        at_center = gradient.new_zeros(graph.n_atoms, WIDE).index_add_(0, graph.end_center, at_left)
        on_bonds = (fold(at_left) @ self.on_left.t()).addmm_(at_right, self.on_right.t())
        return AngleGradient(on_bonds, on_angles, at_center @ self.on_center.t())


@dataclass(frozen=True)
class AngleGradient:
    """Gradients of the inputs of an `AnglePass`."""

    bonds: Tensor
    angles: Tensor
    atoms: Tensor


@dataclass(frozen=True)
class BondConv:
    """Update of the short bonds by messages from their angles."""

    messages: AnglePass
    out: Tensor

    def forward(
        self, bonds: Tensor, angles: Tensor, atoms: Tensor, weights: Tensor, graph: Graph
    ) -> tuple[Tensor, MessageTape]:
        """Update of the short bonds (n_short, 64) from their angles, given bond weights (n_short, 64)."""
        message, tapes = self.messages.forward(bonds, angles, atoms, graph)
        weighted = weights.index_select(0, graph.right_bond).mul_(message)
        aggregate = torch.zeros_like(bonds).index_add_(0, graph.left_bond, weighted)
        return (aggregate * weights) @ self.out, MessageTape(tapes, message, aggregate)

    def backward(
        self, gradient: Tensor, n_angles: int, weights: Tensor, graph: Graph, tape: MessageTape
    ) -> tuple[AngleGradient, Tensor]:
        """Gradients of the inputs, and of the weights."""
        on_aggregate = gradient @ self.out.t()
        on_weights = on_aggregate * tape.aggregate
        on_angles = (on_aggregate * weights).index_select(0, graph.left_bond)
        on_weights.index_add_(0, graph.right_bond, tape.message.mul_(on_angles))
        on_angles.mul_(weights.index_select(0, graph.right_bond))
        part = self.messages.backward(on_angles, n_angles, graph, tape.gated)
        return part, on_weights


@dataclass(frozen=True)
class AngleUpdate:
    """Update of the angles by their bonds and their atom."""

    messages: AnglePass

    def forward(self, bonds: Tensor, angles: Tensor, atoms: Tensor, graph: Graph) -> tuple[Tensor, list[Any]]:
        """New angle features (n_angles, 64)."""
        update, tapes = self.messages.forward(bonds, angles, atoms, graph)
        halves = update if len(angles) == len(update) else update.view(2, len(angles), WIDTH)
        halves.add_(angles)
        return update, tapes

    def backward(self, gradient: Tensor, n_angles: int, graph: Graph, tapes: list[Any]) -> AngleGradient:
        """Gradients of the inputs."""
        part = self.messages.backward(gradient, n_angles, graph, tapes)
        part.angles.add_(gradient if n_angles == len(gradient) else fold(gradient))
        return part


def blocks(of: Tensor) -> Iterator[tuple[slice, slice]]:
    """Cut the rows of a tensor into blocks that stay within a half: rows, and the same counted in the half."""
    half = len(of) // 2
    step = _BLOCK if of.device.type == "cpu" else max(half, 1)
    for start in (0, half):
        for begin in range(0, half, step):
            end = min(begin + step, half)
            yield slice(start + begin, start + end), slice(begin, end)


def fold(rows: Tensor) -> Tensor:
    """Sum of the first half of the rows and the second."""
    half = len(rows) // 2
    return rows[:half] + rows[half:]
