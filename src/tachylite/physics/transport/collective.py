"""Haven ratio and ionic conductivity of ions that move together, and the effect of the size of the cell."""

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.statistics import log_normal_interval
from tachylite.physics.transport.diffusivity import DiffusivityEstimate
from tachylite.units import KB_EV

_S_CM_PER_CM2_S_A3_EV = 1.602176634e5
"""Conductivity: e^2 times 1 cm^2/s / (A^3 eV) in S/cm."""

_YEH_HUMMER = 2.837297
"""The constant xi of the finite-size correction in a cubic cell."""

_CM2_S_PER_J_PA_S_M = 1e4
_J_PER_EV = 1.602176634e-19
_M_PER_A = 1e-10


def haven_ratio(
    tracer: DiffusivityEstimate, collective: DiffusivityEstimate
) -> tuple[float, Interval] | tuple[None, None]:
    r"""Tracer over collective diffusivity, with its 95 % interval (Murch, DOI 10.1016/0167-2738(82)90050-9).

        H = D_tracer / D_collective

    It is 1 for ions that move independently, and None where one of the two is not resolved. Their errors are added
    as if they were independent, which is too wide where they share theirs.
    """
    if tracer.diffusivity_cm2_s is None or collective.diffusivity_cm2_s is None:
        return None, None
    ratio = tracer.diffusivity_cm2_s / collective.diffusivity_cm2_s
    return ratio, log_normal_interval(ratio, float(np.hypot(tracer.ln_error or 0.0, collective.ln_error or 0.0)))


def conductivity(
    diffusivity: DiffusivityEstimate, charge: float, density_per_a3: float, temperature_k: float
) -> tuple[float, Interval] | tuple[None, None]:
    r"""Ionic conductivity in S/cm of one species with its 95 % interval (Nernst and Einstein).

        sigma = n z^2 e^2 D / (k T)

    ======  ============================================================================
    symbol  meaning
    ======  ============================================================================
    n       ions per volume, `density_per_a3`
    z       charge of an ion in elementary charges
    e, k    elementary charge, Boltzmann's constant
    D       tracer diffusivity: ions that move independently; collective: as they move
    ======  ============================================================================

    None where the diffusivity is not resolved. Raises InputError for a temperature that is not above 0 K.
    """
    if temperature_k <= 0:
        raise InputError(f"a conductivity at {temperature_k:g} K; the temperature must be above 0 K")
    if diffusivity.diffusivity_cm2_s is None or diffusivity.diffusivity_interval_cm2_s is None:
        return None, None
    per_diffusivity = _S_CM_PER_CM2_S_A3_EV * density_per_a3 * charge**2 / (KB_EV * temperature_k)
    return per_diffusivity * diffusivity.diffusivity_cm2_s, diffusivity.diffusivity_interval_cm2_s * per_diffusivity


def finite_size_correction(temperature_k: float, viscosity_pa_s: float, length_a: float) -> float:
    r"""Difference between the diffusivity of an infinite liquid and that in a cubic periodic cell, in cm^2/s.

        D(infinite) - D(L) = xi k T / (6 pi eta L)        (Yeh and Hummer, DOI 10.1021/jp0477147)

    ======  =====================================================================
    symbol  meaning
    ======  =====================================================================
    L       edge of the cell in A
    eta     viscosity in Pa s, which does not depend on L
    xi      2.837297, of a cubic cell
    ======  =====================================================================

    It holds for liquids, whose flow reaches from image to image, and not for ions in a rigid frame.

    Raises InputError for arguments that are not positive.
    """
    for name, value in (("temperature", temperature_k), ("viscosity", viscosity_pa_s), ("length", length_a)):
        if not value > 0:
            raise InputError(f"{name} {value:g} must be greater than 0")
    energy_j = KB_EV * _J_PER_EV * temperature_k
    return _YEH_HUMMER * energy_j / (6 * np.pi * viscosity_pa_s * length_a * _M_PER_A) * _CM2_S_PER_J_PA_S_M


class SizeExtrapolation(FrozenModel):
    """D(L) = D(infinite) - slope / L over cells of several sizes at one temperature."""

    diffusivity_cm2_s: Measured
    """D(infinite)."""
    slope_cm2_s_a: Measured
    viscosity_pa_s: float | None = None
    """Viscosity with which Yeh and Hummer's correction has this slope; None where the slope is not positive."""
    lengths_a: FloatList


def extrapolate_size(
    lengths_a: ArrayLike, diffusivities_cm2_s: ArrayLike, errors_cm2_s: ArrayLike, temperature_k: float
) -> SizeExtrapolation:
    r"""Diffusivity of an infinite cell from those in cells of several edges: a weighted line in 1/L.

        D(L) = D(infinite) - s / L

    ======  ==================================================================
    symbol  meaning
    ======  ==================================================================
    D(L)    diffusivity in a cell of edge L, `diffusivities_cm2_s`, `lengths_a`
    s       slope, `slope_cm2_s_a`
    ======  ==================================================================

    All arrays have the shape (n_sizes,); errors are standard errors. Raises InputError for fewer than two different
    edges or values that are not positive.
    """
    length, d, error = (np.asarray(x, dtype=np.float64) for x in (lengths_a, diffusivities_cm2_s, errors_cm2_s))
    if not (length.shape == d.shape == error.shape) or not all((x > 0).all() for x in (length, d, error)):
        raise InputError("edges, diffusivities and errors must be positive, one of each for every size")
    if np.unique(length).size < 2:
        raise InputError(f"cells of edge {length.tolist()} A; an extrapolation needs two sizes")
    design = np.column_stack([np.ones_like(length), -1 / length]) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    infinite, slope = (float(x) for x in covariance @ (design.T @ (d / error)))
    return SizeExtrapolation(
        diffusivity_cm2_s=Measured(value=infinite, error=float(covariance[0, 0]) ** 0.5),
        slope_cm2_s_a=Measured(value=slope, error=float(covariance[1, 1]) ** 0.5),
        viscosity_pa_s=finite_size_correction(temperature_k, 1.0, 1.0) / slope if slope > 0 else None,
        lengths_a=length,
    )
