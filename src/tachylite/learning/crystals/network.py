"""Networks over the atoms of crystals that are equivariant under rotation and inversion, by gated convolutions."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from e3nn import o3
from torch import Tensor, nn
from torch.nn.functional import one_hot, silu

from tachylite.learning.crystals.graph import Graph
from tachylite.measured import FrozenModel

_SILU_MOMENT = 0.5964692
"""Root of the mean square of SiLU over a normal distribution."""
_TANH_MOMENT = 0.6279287

_PAIRS_AT_ONCE = 1024
"""Messages of more do not fit in the processor's cache, and take longer."""


class NetworkSettings(FrozenModel):
    """Shape of a network."""

    elements: tuple[int, ...]
    """Atomic numbers that it knows, in ascending order."""
    hidden: str
    """Channels between the layers in e3nn's notation, `128x0e + 64x1o`."""
    n_layers: int = 2
    l_max: int = 2
    """Of the spherical harmonics."""
    cutoff_a: float = 5.0
    radial: Literal["bessel", "gaussian"] = "bessel"
    n_radial: int = 8
    radial_widths: tuple[int, ...] = (64, 64)
    envelope_power: int = 6
    mean_neighbors: float = 30.0
    layer_norm: bool = True


class AtomNetwork(nn.Module):
    r"""Features of the atoms of crystals after every one of its layers.

    $$ h'_i = \mathrm{gate}\Big( W_s h_i + W_2 \frac{1}{\sqrt{N}} \sum_j (W_1 h_j) \otimes_{R(r_{ij})} Y(\hat r_{ij})
       \Big) $$

    | symbol | meaning |
    |---|---|
    | h_i | channels of atom i, each a tensor of order l with a parity; at first which element it is |
    | Y | spherical harmonics of the direction between neighbours |
    | R | weights of the tensor product, a perceptron of radial functions of the distance |
    | N | mean number of neighbours |

    Scalars go through SiLU (odd ones through tanh), other tensors are multiplied by further scalars (Weiler et al.
    2018, DOI 10.48550/arXiv.1807.02547; Batzner et al. 2022, DOI 10.1038/s41467-022-29939-5).
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.hidden = hidden = o3.Irreps(settings.hidden).regroup()
        first = o3.Irreps(f"{len(settings.elements)}x0e")
        self.layers = nn.ModuleList(
            GatedConvolution(hidden if number else first, hidden, settings) for number in range(settings.n_layers)
        )
        self._column = torch.full((120,), -1)
        self._column[list(settings.elements)] = torch.arange(len(settings.elements))

    def forward(self, graph: Graph) -> list[Tensor]:
        """Features (n_atoms, channels) after every layer; after the last one those of atoms without weight are zero."""
        species = self._column[graph.numbers]
        features = one_hot(species, len(self.settings.elements)).to(graph.vectors.dtype)
        distances = graph.vectors.norm(dim=1)
        radial = radial_functions(distances, self.settings)
        harmonics = o3.spherical_harmonics(
            o3.Irreps.spherical_harmonics(self.settings.l_max), graph.vectors, True, normalization="component"
        )
        counted = graph.weights[graph.receivers] > 0
        every_layer = []
        for number, layer in enumerate(self.layers, 1):
            chosen = counted if number == len(self.layers) else slice(None)
            pairs = (graph.receivers[chosen], graph.senders[chosen])
            features = layer(features, *pairs, harmonics[chosen], radial[chosen])
            every_layer.append(features)
        return every_layer


class GatedConvolution(nn.Module):
    """One layer: tensor products with the neighbours, summed, joined with the atom's own features, and a gate."""

    def __init__(self, inputs: o3.Irreps, outputs: o3.Irreps, settings: NetworkSettings) -> None:
        super().__init__()
        harmonics = o3.Irreps.spherical_harmonics(settings.l_max)
        gated = outputs.num_irreps - sum(mul for mul, ir in outputs if ir.l == 0)
        before_gate = (o3.Irreps(f"{gated}x0e") + outputs).regroup()
        self.products = _products(inputs, harmonics, before_gate)
        mixed = self.products.irreps_out.regroup()
        self.linear_1 = o3.Linear(inputs.regroup(), inputs.regroup())
        self.linear_2 = o3.Linear(mixed, before_gate)
        self.skip = o3.Linear(inputs.regroup(), before_gate)
        widths = [settings.n_radial, *settings.radial_widths, self.products.weight_numel]
        self.radial = Perceptron(widths)
        self.layer_norm = LayerNorm(before_gate) if settings.layer_norm else nn.Identity()
        self.gate = Gate(before_gate, gated)
        self.scale = settings.mean_neighbors**-0.5

    def forward(
        self, features: Tensor, receivers: Tensor, senders: Tensor, harmonics: Tensor, radial: Tensor
    ) -> Tensor:
        """New features (n_atoms, channels) of the atoms."""
        mixed = self.linear_1(features)
        sums = mixed.new_zeros((len(features), self.products.irreps_out.dim))
        for part in torch.arange(len(receivers)).split(_PAIRS_AT_ONCE):
            messages = self.products(mixed[senders[part]], harmonics[part], self.radial(radial[part]))
            sums.index_add_(0, receivers[part], messages)
        joined = self.linear_2(self.scale * sums) + self.skip(features)
        activated: Tensor = self.gate(self.layer_norm(joined))
        return activated


def _products(inputs: o3.Irreps, harmonics: o3.Irreps, wanted: o3.Irreps) -> o3.TensorProduct:
    """All products of channels with spherical harmonics that are of a wanted kind, in the order of the kinds."""
    paths = [
        (mul, ir, i, j)
        for i, (mul, of_atom) in enumerate(inputs)
        for j, (_, of_bond) in enumerate(harmonics)
        for ir in of_atom * of_bond
        if ir in wanted
    ]
    paths.sort(key=lambda path: path[1])
    instructions = [(i, j, k, "uvu", True) for k, (_, _, i, j) in enumerate(paths)]
    outputs = o3.Irreps([(mul, ir) for mul, ir, _, _ in paths])
    return o3.TensorProduct(inputs, harmonics, outputs, instructions, shared_weights=False, internal_weights=False)


class Perceptron(nn.Module):
    """Linear layers without constants, SiLU between them."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        shapes = pairwise(widths)
        # SiLU makes values smaller, which larger weights undo
        self.weights = nn.ParameterList(
            torch.randn(n, m) * ((1.0 if m == widths[-1] else 2.0) / n**0.5) for n, m in shapes
        )

    def forward(self, x: Tensor) -> Tensor:
        """Values (n, last width) of inputs (n, first width)."""
        for weights in self.weights[:-1]:
            x = silu(x @ weights)
        values: Tensor = x @ self.weights[-1]
        return values


class LayerNorm(nn.Module):
    """Features over their root mean square, every kind of tensor counting the same, times a weight for each channel."""

    def __init__(self, irreps: o3.Irreps) -> None:
        super().__init__()
        self.irreps = irreps
        self.weights = nn.ParameterList(torch.ones(mul) for mul, _ in irreps)

    def forward(self, features: Tensor) -> Tensor:
        """The same shape (n, channels)."""
        tensors = _tensors(features, self.irreps)
        squares = torch.stack([(x**2).sum(dim=(1, 2)) / x.shape[2] ** 2 for x in tensors]).mean(dim=0)
        factor = torch.rsqrt(squares + 1e-12)[:, None, None]
        weighted = [x * w[:, None] * factor for x, w in zip(tensors, self.weights, strict=True)]
        return torch.cat([x.flatten(1) for x in weighted], dim=1)


class Gate(nn.Module):
    """Activation of scalars; of other tensors by the even scalars that come last among these."""

    def __init__(self, irreps: o3.Irreps, gated: int) -> None:
        super().__init__()
        self.irreps, self.gated = irreps, gated

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, channels) without the scalars that were gates."""
        outputs, first = [], 0
        gates = features[:, :0]
        for x, (mul, ir) in zip(_tensors(features, self.irreps), self.irreps, strict=True):
            if ir.l == 0 and ir.p == 1:
                activated = silu(x[:, :, 0]) / _SILU_MOMENT
                kept = mul - self.gated
                outputs.append(activated[:, :kept])
                gates = activated[:, kept:]
            elif ir.l == 0:
                outputs.append(torch.tanh(x[:, :, 0]) / _TANH_MOMENT)
            else:
                outputs.append((x * gates[:, first : first + mul, None]).flatten(1))
                first += mul
        return torch.cat(outputs, dim=1)


def invariants(features: Tensor, irreps: o3.Irreps) -> Tensor:
    """Even scalars (n, p) of features (n, channels) as they are, and lengths of all other tensors."""
    tensors = zip(_tensors(features, irreps), irreps, strict=True)
    return torch.cat([x[:, :, 0] if ir.l == 0 and ir.p == 1 else x.norm(dim=2) for x, (_, ir) in tensors], dim=1)


def _tensors(features: Tensor, irreps: o3.Irreps) -> list[Tensor]:
    """Features (n, channels) as one array (n, channels, 2l + 1) for each kind."""
    parts = torch.split(features, [mul * ir.dim for mul, ir in irreps], dim=1)
    return [part.unflatten(1, (mul, ir.dim)) for part, (mul, ir) in zip(parts, irreps, strict=True)]


def radial_functions(distances: Tensor, settings: NetworkSettings) -> Tensor:
    """Radial functions (n, n_radial) of distances (n,) in A, which end smoothly at the cutoff."""
    x = distances[:, None] / settings.cutoff_a
    orders = torch.arange(1, settings.n_radial + 1, dtype=distances.dtype, device=distances.device)
    if settings.radial == "bessel":
        values = 2 / settings.cutoff_a * torch.sin(torch.pi * orders * x) / distances[:, None]
    else:
        width = 1 / (settings.n_radial + 1)
        values = torch.exp(-(((x - orders * width) / width) ** 2)) / 1.12
    p = settings.envelope_power
    envelope = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    return values * torch.where(x < 1, envelope, 0.0)
