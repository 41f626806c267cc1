"""Ions that move together: collective diffusivity, Haven ratio, conductivity, and the size of the cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.errors import InputError
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.physics.transport.diffusivity import Diffusivity
from tachylite.units import KB_EV

S_CM_PER_CM2_S_A3_EV = 1.602176634e5
"""Conductivity: e^2 times 1 cm^2/s / (A^3 eV) in S/cm."""

YEH_HUMMER = 2.837297
"""Of a cubic cell."""

_CM2_S_PER_J_PA_S_M = 1e4
_J_PER_EV = 1.602176634e-19
_M_PER_A = 1e-10


@dataclass(frozen=True)
class Ratio:
    """A positive number and its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, ln_error: float) -> "Ratio":
        """From the standard error of its logarithm."""
        factor = float(np.exp(GAUSSIAN_95 * ln_error))
        return cls(value, value / factor, value * factor)


def haven_ratio(tracer: Diffusivity, collective: Diffusivity) -> Ratio | None:
    """Tracer over collective diffusivity; 1 for ions that move independently. None where one of them is not resolved.

    Their errors are added as if they were independent, which is too wide where they share theirs (Murch, DOI
    10.1016/0167-2738(82)90050-9, for the ratio).
    """
    if tracer.diffusivity_cm2_s is None or collective.diffusivity_cm2_s is None:
        return None
    ln_error = float(np.hypot(tracer.ln_error or 0.0, collective.ln_error or 0.0))
    return Ratio.of(tracer.diffusivity_cm2_s / collective.diffusivity_cm2_s, ln_error)


def conductivity(
    diffusivity_cm2_s: float, ln_error: float, charge: float, density_per_a3: float, temperature_k: float
) -> Ratio:
    r"""Ionic conductivity in S/cm of one species from a diffusivity (Nernst and Einstein).

        sigma = n z^2 e^2 D / (k T)

    ======  ============================================================================
    symbol  meaning
    ======  ============================================================================
    n       ions per volume, `density_per_a3`
    z       charge of an ion in elementary charges
    D       tracer diffusivity: ions that move independently; collective: as they move
    ======  ============================================================================

    Raises InputError for a temperature that is not above 0 K.
    """
    if temperature_k <= 0:
        raise InputError(f"a conductivity at {temperature_k:g} K; the temperature must be above 0 K")
    per_diffusivity = S_CM_PER_CM2_S_A3_EV * density_per_a3 * charge**2 / (KB_EV * temperature_k)
    return Ratio.of(per_diffusivity * diffusivity_cm2_s, ln_error)


def finite_size_correction(temperature_k: float, viscosity_pa_s: float, length_a: float) -> float:
    r"""What the diffusivity of a liquid in a cubic periodic cell lacks to that of a cell without end, in cm^2/s.

        D(infinite) - D(L) = xi k T / (6 pi eta L),   xi = 2.837297

    (Yeh and Hummer, DOI 10.1021/jp0477147). L is the edge in A, eta the viscosity in Pa s, which does not depend on L.
    It holds for liquids, whose flow reaches from image to image, and not for ions in a rigid frame.

    Raises InputError for arguments that are not positive.
    """
    for name, value in (("temperature", temperature_k), ("viscosity", viscosity_pa_s), ("length", length_a)):
        if not value > 0:
            raise InputError(f"{name} {value:g} must be greater than 0")
    energy_j = KB_EV * _J_PER_EV * temperature_k
    return YEH_HUMMER * energy_j / (6 * np.pi * viscosity_pa_s * length_a * _M_PER_A) * _CM2_S_PER_J_PA_S_M


@dataclass(frozen=True)
class SizeFit:
    """D(L) = D(infinite) - slope / L, in cm^2/s and A, with standard errors."""

    diffusivity_cm2_s: float
    error_cm2_s: float
    slope_cm2_s_a: float
    slope_error_cm2_s_a: float

    def viscosity_pa_s(self, temperature_k: float) -> float | None:
        """The viscosity that Yeh and Hummer's correction would need for this slope; None where it is not positive."""
        if self.slope_cm2_s_a <= 0:
            return None
        return finite_size_correction(temperature_k, 1.0, 1.0) / self.slope_cm2_s_a


def extrapolate_size(lengths_a: ArrayLike, diffusivities_cm2_s: ArrayLike, errors_cm2_s: ArrayLike) -> SizeFit:
    """Diffusivity of a cell without end, from those in cells of several edges: a weighted line in 1/L.

    All arrays have the shape (n_sizes,). Raises InputError for fewer than two different edges or values that are
    not positive.
    """
    length, d, error = (np.asarray(x, dtype=np.float64) for x in (lengths_a, diffusivities_cm2_s, errors_cm2_s))
    if not (length.shape == d.shape == error.shape) or not all((x > 0).all() for x in (length, d, error)):
        raise InputError("edges, diffusivities and errors must be positive, one of each for every size")
    if np.unique(length).size < 2:
        raise InputError(f"cells of edge {length.tolist()} A; an extrapolation needs two sizes")
    design = np.column_stack([np.ones_like(length), -1 / length]) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    infinite, slope = (float(x) for x in covariance @ (design.T @ (d / error)))
    return SizeFit(infinite, float(covariance[0, 0]) ** 0.5, slope, float(covariance[1, 1]) ** 0.5)
