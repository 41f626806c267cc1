"""CHGNet's energy and its gradient, with frozen weights and without autograd."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear, silu

from tachylite.engines.potentials.chgnet.basis import AngularBasis, RadialBasis
from tachylite.engines.potentials.chgnet.gated import WIDTH
from tachylite.engines.potentials.chgnet.graph import Graph
from tachylite.engines.potentials.chgnet.layers import AngleUpdate, AtomConv, BondConv, MessageTape


@dataclass(frozen=True)
class Expansion:
    """Basis functions of distances and angles, their derivatives, and the bond weights they give."""

    basis: Tensor
    basis_slope: Tensor
    short_slope: Tensor
    angle_slope: Tensor
    weights: Tensor
    short_weights: Tensor


@dataclass(frozen=True)
class Tape:
    """Intermediate values of the forward pass that the backward pass needs; lists have one entry per layer."""

    expansion: Expansion
    on_atoms: Tensor
    atom_convs: list[MessageTape]
    bond_convs: list[MessageTape]
    angle_updates: list[list[Any]]
    angle_rows: list[int]


@dataclass(frozen=True)
class Network:
    """The layers of a CHGNet."""

    elements: Tensor
    radial: RadialBasis
    short_radial: RadialBasis
    angular: AngularBasis
    basis_to_bond: Tensor
    basis_to_weight: Tensor
    basis_to_short_weight: Tensor
    basis_to_angle: Tensor
    atom_convs: Sequence[AtomConv]
    bond_convs: Sequence[BondConv]
    angle_updates: Sequence[AngleUpdate]
    bond_offsets: Sequence[Tensor | None]
    """Sum of the biases added to bonds before each layer; None without biases."""
    readout: Sequence[tuple[Tensor, Tensor]]
    readout_norm: tuple[Tensor, Tensor] | None

    @torch.no_grad()
    def forward(
        self, distances: Tensor, angles: Tensor, numbers: Tensor, has_angles: Tensor, graph: Graph
    ) -> tuple[Tensor, Tape]:
        """Energies (n_atoms,) in eV beyond the reference energies of the elements, and the tape.

        Distances (n_bonds,) are in A, angles (n_angles / 2,) in radian, both in double precision, `numbers`
        (n_atoms,) atomic numbers; `has_angles` (n_atoms,) is 1 in systems that have angles, else 0.
        """
        basis, basis_slope = self.radial.expand(distances)
        short_basis, short_slope = self.short_radial.expand(distances[graph.short])
        features, angle_slope = self.angular.expand(angles)
        weights, short_weights = basis @ self.basis_to_weight, short_basis @ self.basis_to_short_weight
        expansion = Expansion(basis, basis_slope, short_slope, angle_slope, weights, short_weights)
        features = features @ self.basis_to_angle
        atoms = self.elements.index_select(0, numbers - 1)
        plain = basis[graph.short] @ self.basis_to_bond
        learnt: Tensor | None = None
        tape = Tape(expansion, atoms, [], [], [], [])

        for layer, atom_conv in enumerate(self.atom_convs):
            atoms, atom_tape = atom_conv.forward(atoms, basis, learnt, weights, has_angles, graph)
            tape.atom_convs.append(atom_tape)
            if layer == len(self.bond_convs):
                break
            tape.angle_rows.append(len(features))
            bonds = self._bonds(plain, learnt, layer)
            update, bond_tape = self.bond_convs[layer].forward(bonds, features, atoms, short_weights, graph)
            tape.bond_convs.append(bond_tape)
            learnt = update if learnt is None else learnt + update
            if layer < len(self.angle_updates):
                bonds = self._bonds(plain, learnt, layer + 1)
                features, angle_tape = self.angle_updates[layer].forward(bonds, features, atoms, graph)
                tape.angle_updates.append(angle_tape)
        energies, on_atoms = self._read_out(atoms)
        return energies, replace(tape, on_atoms=on_atoms)

    @torch.no_grad()
    def backward(self, graph: Graph, tape: Tape) -> tuple[Tensor, Tensor]:
        """Derivatives of the sum of the energies by distances (n_bonds,), eV/A, and angles, eV/rad.

        The tape is emptied.
        """
        expansion = tape.expansion
        on_atoms, on_features = tape.on_atoms, torch.zeros(())
        on_basis, on_weights = torch.zeros_like(expansion.basis), torch.zeros_like(expansion.weights)
        on_short_weights = torch.zeros_like(expansion.short_weights)
        on_learnt, on_plain = torch.zeros_like(expansion.short_weights), torch.zeros_like(expansion.short_weights)
        for layer in reversed(range(len(self.atom_convs))):
            part = self.atom_convs[layer].backward(on_atoms, expansion.weights, graph, tape.atom_convs.pop())
            on_atoms = part.atoms
            on_basis += part.basis
            on_weights += part.weights
            if layer == 0:
                break
            on_learnt += part.learnt
            below, rows = layer - 1, tape.angle_rows.pop()
            if below < len(self.angle_updates):
                angle_part = self.angle_updates[below].backward(on_features, rows, graph, tape.angle_updates.pop())
                on_learnt += angle_part.bonds
                on_plain += angle_part.bonds
                on_atoms += angle_part.atoms
                on_features = angle_part.angles
            angle_part, more_weights = self.bond_convs[below].backward(
                on_learnt, rows, expansion.short_weights, graph, tape.bond_convs.pop()
            )
            on_learnt += angle_part.bonds
            on_plain += angle_part.bonds
            on_atoms += angle_part.atoms
            on_features = on_features.to(angle_part.angles) + angle_part.angles
            on_short_weights += more_weights
        on_basis.addmm_(on_weights, self.basis_to_weight.t())
        on_basis.index_add_(0, graph.short, on_plain @ self.basis_to_bond.t())
        by_distance = on_basis.mul_(expansion.basis_slope).sum(dim=1)
        on_short_basis = on_short_weights @ self.basis_to_short_weight.t()
        by_distance.index_add_(0, graph.short, on_short_basis.mul_(expansion.short_slope).sum(dim=1))
        by_angle = (on_features @ self.basis_to_angle.t()).mul_(expansion.angle_slope).sum(dim=1)
        return by_distance, by_angle

    def _bonds(self, plain: Tensor, learnt: Tensor | None, layer: int) -> Tensor:
        """Features of the short bonds (n_short, 64) before a layer."""
        bonds = plain if learnt is None else plain + learnt
        offset = self.bond_offsets[layer]
        return bonds if offset is None else bonds + offset

    def _read_out(self, atoms: Tensor) -> tuple[Tensor, Tensor]:
        """Energies (n_atoms,) and the derivative of their sum by the atoms' features."""
        with torch.enable_grad():
            inputs = atoms.detach().requires_grad_()
            features = inputs
            if self.readout_norm is not None:
                features = layer_norm(features, (WIDTH,), *self.readout_norm)
            for weight, bias in self.readout[:-1]:
                features = silu(linear(features, weight, bias))
            energies = linear(features, *self.readout[-1]).squeeze(1)
            (on_atoms,) = torch.autograd.grad(energies.sum(), inputs)
        return energies.detach(), on_atoms
