"""The gated multilayer perceptron of CHGNet, forward and backward, with frozen weights."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

WIDTH = 64
"""Features of an atom, a bond or an angle."""

_EPSILON = 1e-5
"""Added to the variance in the layer normalisation."""


class Gated(Protocol):
    """Interface of a gated perceptron: `GatedMLP`, or another implementation of it."""

    def forward(self, table: Tensor, index: Tensor, message: Tensor, extra: Tensor | None = None) -> Any:
        """Write the message and return what the backward pass needs."""

    def backward(self, gradient: Tensor, tape: Any) -> Tensor:
        """Gradient (n, 128) of the first layer's sum from that of the message (n, 64)."""


@dataclass(frozen=True)
class GatedTape:
    """Intermediate values of the forward pass that the backward pass needs."""

    hidden_slope: Tensor | None
    normalized: Tensor | None
    inverse_deviation: Tensor | None
    slope: Tensor


@dataclass(frozen=True)
class GatedMLP:
    r"""silu(norm(core(x))) * sigmoid(norm(gate(x))), from the sum of its first layer's projections on.

    The first linear layer acts on a concatenation of features, so it is the sum of one projection for each
    of them; the caller computes these per atom and per bond, and they are summed on edges and angles. With x a
    row of that sum for core (c) and gate (g):

    $$ a = \mathrm{silu}(x), \quad z_k = a_k W_k + b_k, \quad
       y_k = \gamma_k \frac{z_k - \bar z_k}{\sqrt{\mathrm{var}(z_k) + \epsilon}} + \beta_k, \quad
       m = \mathrm{silu}(y_c)\,\mathrm{sigmoid}(y_g) $$

    | symbol | variable |
    |---|---|
    | W, b | `second`, `second_bias`; None where x goes into the norm directly |
    | gamma, beta | `scale`, `shift`; None for a network without norms |
    | m | `message` |

    The mean is subtracted beforehand: W and b (or the first layer, see `centered`) are centred so that their
    outputs have zero mean, which is the same function.
    """

    second: Tensor | None
    second_bias: Tensor | None
    scale: Tensor | None
    shift: Tensor | None

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], name: str, *, hidden: bool) -> Self:
        """Take the layers after the first from a checkpoint; `name` is like `angle_layers.0.twoBody_bond`."""
        has_norm = f"{name}.bn1.weight" in tensors

        def stacked(core: str, gate: str) -> Tensor:
            return torch.stack([tensors[f"{name}.{core}"], tensors[f"{name}.{gate}"]])

        second = second_bias = scale = shift = None
        if hidden:
            second = stacked("mlp_core.layers.3.weight", "mlp_gate.layers.3.weight").mT
            second_bias = stacked("mlp_core.layers.3.bias", "mlp_gate.layers.3.bias")
            if has_norm:
                second, second_bias = centered(second), centered(second_bias)
            second = second.contiguous()
        if has_norm:
            scale = stacked("bn1.weight", "bn2.weight")[:, None, :]
            shift = stacked("bn1.bias", "bn2.bias")[:, None, :]
        return cls(second, second_bias, scale, shift)

    def forward(self, table: Tensor, index: Tensor, message: Tensor, extra: Tensor | None = None) -> GatedTape:
        """Write the message (n, 64) of the first layer's sum.

        The sum is of those rows of `table` (m, 128) that a row of `index` (n, parts) names, and of `extra`
        (n, 128), which is overwritten.
        """
        x = embedding_bag(index, table, mode="sum")
        if extra is not None:
            x += extra
        unity = x.new_ones(1)
        hidden_slope = normalized = inverse_deviation = None
        if self.second is not None and self.second_bias is not None:
            sigmoid = x.sigmoid()
            x.mul_(sigmoid)
            z = x.new_empty(2, len(x), WIDTH)
            for k in range(2):
                torch.addmm(self.second_bias[k], x[:, k * WIDTH : (k + 1) * WIDTH], self.second[k], out=z[k])
            hidden_slope = torch.lerp(x, unity, sigmoid, out=sigmoid)
        else:
            z = x.view(-1, 2, WIDTH).transpose(0, 1)
        y = z
        if self.scale is not None and self.shift is not None:
            norm = torch.linalg.vector_norm(z, dim=2, keepdim=True)
            inverse_deviation = norm.square_().div_(WIDTH).add_(_EPSILON).rsqrt_()
            normalized = z.mul_(inverse_deviation)
            y = torch.addcmul(self.shift, normalized, self.scale)
        sigmoid = y.sigmoid()
        core = y[0] * sigmoid[0]
        torch.mul(core, sigmoid[1], out=message)
        slope = y if y is not z else torch.empty_like(y)
        torch.lerp(core, unity, sigmoid[0], out=slope[0]).mul_(sigmoid[1])
        torch.addcmul(message, message, sigmoid[1], value=-1, out=slope[1])
        if self.scale is not None:
            slope.mul_(self.scale)
        return GatedTape(hidden_slope, normalized, inverse_deviation, slope)

    def backward(self, gradient: Tensor, tape: GatedTape) -> Tensor:
        """Gradient (n, 128) of the first layer's sum from that of the message (n, 64)."""
        grad = tape.slope.mul_(gradient)
        if tape.normalized is not None and tape.inverse_deviation is not None:
            projection = torch.linalg.vecdot(grad, tape.normalized).unsqueeze(2)
            grad.addcmul_(tape.normalized, projection, value=-1 / WIDTH).mul_(tape.inverse_deviation)
        if self.second is None or tape.hidden_slope is None:
            return grad.transpose(0, 1).reshape(-1, 2 * WIDTH)
        result = torch.empty_like(tape.hidden_slope)
        for k in range(2):
            torch.mm(grad[k], self.second[k].t(), out=result[:, k * WIDTH : (k + 1) * WIDTH])
        return result.mul_(tape.hidden_slope)


def centered(matrix: Tensor) -> Tensor:
    """Remove from a matrix or vector the mean over its 64 outputs (last axis)."""
    return matrix - matrix.mean(dim=-1, keepdim=True)
