"""CHGNet's expansions of distances and angles, with their derivatives."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_ALIGN = 8
"""Basis functions are zero-padded to a multiple of this, as matrix products with 31 columns are slow."""


@dataclass(frozen=True)
class RadialBasis:
    r"""Spherical Bessel functions with a smooth cutoff (DOI 10.48550/arXiv.2003.03123, eqs. 7 and 8).

    $$ b_k(r) = u(r/c) \sqrt{2/c}\, \frac{\sin(\omega_k r / c)}{r}, \quad
       u(x) = 1 - \tfrac{(p+1)(p+2)}{2} x^p + p(p+2) x^{p+1} - \tfrac{p(p+1)}{2} x^{p+2} $$

    | symbol | variable |
    |---|---|
    | omega_k | `frequencies` |
    | c | `cutoff`, A |
    | p | `power` |
    """

    frequencies: Tensor
    cutoff: float
    power: int

    def expand(self, distances: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives (n, n_radial padded) at distances (n,) in A below the cutoff."""
        p, c = self.power, self.cutoff
        x = distances / c
        power = x ** (p - 1)
        envelope = 1 + power * x * (-(p + 1) * (p + 2) / 2 + x * (p * (p + 2) - x * p * (p + 1) / 2))
        slope = p * (p + 1) * (p + 2) / (2 * c) * power * (-1 + x * (2 - x))
        amplitude = math.sqrt(2 / c) / distances
        dtype = self.frequencies.dtype
        phase = torch.outer(x.to(dtype), self.frequencies)
        sine, cosine = phase.sin(), phase.cos()
        on_sine = (amplitude * (slope - envelope / distances)).to(dtype)[:, None]
        on_cosine = (amplitude * envelope / c).to(dtype)[:, None]
        derivative = cosine.mul_(on_cosine).mul_(self.frequencies).addcmul_(sine, on_sine)
        return sine.mul_((amplitude * envelope).to(dtype)[:, None]), derivative


@dataclass(frozen=True)
class AngularBasis:
    r"""Fourier series of an angle: 1/sqrt(2), sin(omega_k t), cos(omega_k t), all over sqrt(pi)."""

    frequencies: Tensor

    def expand(self, angles: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives (n, n_angular padded) at angles (n,) in radian."""
        order = len(self.frequencies)
        frequencies = self.frequencies / math.sqrt(math.pi)
        phase = torch.outer(angles.to(frequencies.dtype), self.frequencies)
        sine, cosine = phase.sin(), phase.cos()
        values = padded(1 + 2 * order, phase)
        derivatives = padded(1 + 2 * order, phase)
        # single precision, as in the network that the weights were fitted with
        values[:, 0] = torch.tensor(2.0).rsqrt().to(values)
        values[:, 1 : order + 1] = sine
        values[:, order + 1 : 2 * order + 1] = cosine
        values /= math.sqrt(math.pi)
        torch.mul(cosine, frequencies, out=derivatives[:, 1 : order + 1])
        torch.mul(sine, -frequencies, out=derivatives[:, order + 1 : 2 * order + 1])
        return values, derivatives


def padded(width: int, like: Tensor) -> Tensor:
    """Zeros with as many rows as `like` and at least `width` columns."""
    return like.new_zeros(len(like), math.ceil(width / _ALIGN) * _ALIGN)


def pad_rows(matrix: Tensor) -> Tensor:
    """Add rows of zeros to match the padded basis functions."""
    rows = math.ceil(len(matrix) / _ALIGN) * _ALIGN - len(matrix)
    return torch.cat([matrix, matrix.new_zeros(rows, *matrix.shape[1:])])
