"""Build CHGNet's layers from the tensors of a checkpoint."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet.basis import AngularBasis, RadialBasis, pad_rows
from tachylite.engines.potentials.chgnet.compiled import CompiledGatedMLP, load_library
from tachylite.engines.potentials.chgnet.gated import GatedMLP, centered
from tachylite.engines.potentials.chgnet.layers import AnglePass, AngleUpdate, AtomConv, BondConv
from tachylite.engines.potentials.chgnet.network import Network
from tachylite.engines.potentials.chgnet.weights import Weights


def assemble(weights: Weights, device: torch.device, dtype: torch.dtype, *, compiled: bool = True) -> Network:
    """Build the network from a checkpoint; matrix products are taken in double precision.

    With `compiled` the gated perceptrons are compiled where that is possible: in single precision, on a CPU.
    """
    tensors = {name: tensor.double() for name, tensor in weights.tensors.items()}
    layers = range(weights.n_layers)
    offsets = _bond_offsets(tensors, weights.n_layers)
    basis_to_bond = pad_rows(tensors["bond_embedding.weight"].t())
    expansion = "bond_basis_expansion.rbf_expansion"
    frequencies, short_frequencies = (pad_rows(tensors[f"{expansion}_{graph}.frequencies"]) for graph in ("ag", "bg"))
    norm_scale, norm_shift = (tensors.get(f"readout_norm.{kind}") for kind in ("weight", "bias"))
    network = Network(
        elements=tensors["atom_embedding.embedding.weight"],
        radial=RadialBasis(frequencies, weights.atom_cutoff, weights.envelope_power),
        short_radial=RadialBasis(short_frequencies, weights.bond_cutoff, weights.envelope_power),
        angular=AngularBasis(tensors["angle_basis_expansion.fourier_expansion.frequencies"]),
        basis_to_bond=basis_to_bond,
        basis_to_weight=pad_rows(tensors["bond_weights_ag.weight"].t()),
        basis_to_short_weight=pad_rows(tensors["bond_weights_bg.weight"].t()),
        basis_to_angle=pad_rows(tensors["angle_embedding.weight"].t()),
        atom_convs=[_atom_conv(tensors, layer, basis_to_bond, offsets[layer]) for layer in layers],
        bond_convs=[_bond_conv(tensors, layer) for layer in layers[:-1]],
        # the output of the last angle update in the checkpoint is never used
        angle_updates=[_angle_update(tensors, layer) for layer in layers[:-2]],
        bond_offsets=offsets,
        readout=_readout(tensors),
        readout_norm=None if norm_scale is None or norm_shift is None else (norm_scale, norm_shift),
    )
    network = _replace_parts(Tensor, lambda tensor: tensor.to(device, dtype).contiguous(), network)
    if compiled and device.type == "cpu" and dtype == torch.float32 and (library := load_library()) is not None:
        network = _replace_parts(GatedMLP, lambda gated: CompiledGatedMLP.of(library, gated), network)
    return network


def _replace_parts[T](kind: type, change: Callable[[Any], Any], structure: T) -> T:
    """Apply `change` to every part of type `kind` in a nested structure of lists, tuples and dataclasses."""
    part: Any = structure
    if isinstance(part, kind):
        part = change(part)
    elif isinstance(part, list | tuple):
        part = type(part)(_replace_parts(kind, change, child) for child in part)
    elif is_dataclass(part) and not isinstance(part, type):
        values = {field.name: getattr(part, field.name) for field in fields(part)}
        part = replace(part, **{name: _replace_parts(kind, change, value) for name, value in values.items()})
    changed: T = part
    return changed


def _first_layer(tensors: dict[str, Tensor], name: str, layer: int, n_inputs: int) -> tuple[list[Tensor], Tensor]:
    """Projection of each input (64, 128) and bias (128,) of a first layer, core and gate side by side."""
    weights, biases = (
        [tensors[f"{name}.mlp_{part}.layers.{layer}.{kind}"] for part in ("core", "gate")]
        for kind in ("weight", "bias")
    )
    is_only_layer = layer == 1
    if is_only_layer and f"{name}.bn1.weight" in tensors:
        weights, biases = [centered(matrix.t()).t() for matrix in weights], [centered(bias) for bias in biases]
    return list(torch.cat(weights).t().chunk(n_inputs)), torch.cat(biases)


def _atom_conv(tensors: dict[str, Tensor], layer: int, basis_to_bond: Tensor, offset: Tensor | None) -> AtomConv:
    name = f"atom_conv_layers.{layer}"
    (center, bond, neighbor), bias = _first_layer(tensors, f"{name}.twoBody_atom", 0, 3)
    out = tensors[f"{name}.mlp_out.layers.1.weight"].t()
    return AtomConv(
        on_center=center,
        on_neighbor=neighbor,
        on_basis=basis_to_bond @ bond,
        on_bond=bond,
        bias=bias,
        bond_shift=None if offset is None else offset @ bond,
        gated=GatedMLP.from_tensors(tensors, f"{name}.twoBody_atom", hidden=True),
        out=out,
        out_bias=tensors.get(f"{name}.mlp_out.layers.1.bias", torch.zeros_like(out[0])),
    )


def _angle_pass(tensors: dict[str, Tensor], name: str, *, hidden: bool) -> AnglePass:
    (left, right, angle, center), bias = _first_layer(tensors, name, 0 if hidden else 1, 4)
    gated = GatedMLP.from_tensors(tensors, name, hidden=hidden)
    return AnglePass(on_left=left, on_right=right, on_angle=angle, on_center=center, bias=bias, gated=gated)


def _bond_conv(tensors: dict[str, Tensor], layer: int) -> BondConv:
    name = f"bond_conv_layers.{layer}"
    return BondConv(
        messages=_angle_pass(tensors, f"{name}.twoBody_bond", hidden=True),
        out=tensors[f"{name}.mlp_out.layers.1.weight"].t(),
    )


def _angle_update(tensors: dict[str, Tensor], layer: int) -> AngleUpdate:
    return AngleUpdate(_angle_pass(tensors, f"angle_layers.{layer}.twoBody_bond", hidden=False))


def _bond_offsets(tensors: dict[str, Tensor], n_layers: int) -> list[Tensor | None]:
    """Sum of the biases of the bond updates before each layer; None where there are none."""
    offsets: list[Tensor | None] = [None]
    for layer in range(n_layers - 1):
        bias = tensors.get(f"bond_conv_layers.{layer}.mlp_out.layers.1.bias")
        last = offsets[-1]
        offsets.append(bias if bias is None or last is None else last + bias)
    return offsets


def _readout(tensors: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of each linear layer of the readout."""
    numbers = sorted({int(name.split(".")[2]) for name in tensors if name.startswith("mlp.layers.")})
    return [(tensors[f"mlp.layers.{n}.weight"], tensors[f"mlp.layers.{n}.bias"]) for n in numbers]
