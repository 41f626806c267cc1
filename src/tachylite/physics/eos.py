"""Equations of state: pressure as a function of volume, fitted with errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError

_POWERS = np.array([5, 7, 9])


@dataclass(frozen=True)
class BirchMurnaghan:
    """Third-order Birch-Murnaghan equation of state with standard errors.

    Volumes are in A^3, pressures in GPa. Errors are nan where three points without errors fix three
    parameters exactly.
    """

    volume: float
    bulk_modulus: float
    bulk_modulus_derivative: float
    volume_error: float
    bulk_modulus_error: float
    bulk_modulus_derivative_error: float
    fitted: tuple[float, float] = (0.0, float("inf"))
    """Smallest and largest volume that was fitted; beyond them the curve is extrapolated."""

    def pressure(self, volumes: float | Array) -> Array:
        """Pressure in GPa at volumes in A^3."""
        x = np.cbrt(self.volume / np.asarray(volumes, dtype=float)) ** 2
        bracket = 1 + 0.75 * (self.bulk_modulus_derivative - 4) * (x - 1)
        return np.asarray(1.5 * self.bulk_modulus * (x**3.5 - x**2.5) * bracket)


def fit_birch_murnaghan(
    volumes: Sequence[float] | Array,
    pressures: Sequence[float] | Array,
    errors: Sequence[float] | Array | None = None,
) -> BirchMurnaghan:
    """Fit P(V) by the third-order Birch-Murnaghan equation (DOI 10.1103/PhysRev.71.809).

    P = 3/2 B0 (x^7 - x^5) (1 + 3/4 (B0' - 4) (x^2 - 1)),  x = (V0 / V)^(1/3)

    Multiplied out this is c5 y^5 + c7 y^7 + c9 y^9 with y = V^(-1/3): linear least squares, so the best
    fit is found without a starting guess, and V0 is a root of a quadratic in y^2.

    ======  ==========================================================
    symbol  variable
    ======  ==========================================================
    P, V    `pressures` (n,) in GPa, `volumes` (n,) in A^3
    V0      `volume`
    B0      `bulk_modulus`
    B0'     `bulk_modulus_derivative`
    ======  ==========================================================

    `errors` (n,) are standard errors of the pressures in GPa; without them the scatter about the fit
    gives the errors. Raises InputError where the points have no zero of pressure with a positive bulk
    modulus, or are fewer than three.
    """
    volume, pressure, sigma = _checked(volumes, pressures, errors)
    scale = float(np.median(volume))
    y = np.cbrt(scale / volume)
    design = y[:, None] ** _POWERS / sigma[:, None]
    coefficients, residual, rank, _ = np.linalg.lstsq(design, pressure / sigma, rcond=None)
    if rank < len(_POWERS):
        raise InputError(f"three different volumes are needed for an equation of state, got {sorted(set(volume))}")
    covariance = np.linalg.inv(design.T @ design)
    if errors is None:
        freedom = len(volume) - len(_POWERS)
        covariance *= float(residual[0]) / freedom if freedom > 0 and residual.size else np.nan
    parameters = _parameters(coefficients, scale)
    jacobian = np.stack([_derivative(coefficients, k, scale) for k in range(3)], axis=1)
    variances = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    fitted = float(volume.min()), float(volume.max())
    v0, b0, derivative = map(float, parameters)
    v0_error, b0_error, derivative_error = map(float, np.sqrt(variances))
    return BirchMurnaghan(v0, b0, derivative, v0_error, b0_error, derivative_error, fitted)


def _checked(
    volumes: Sequence[float] | Array,
    pressures: Sequence[float] | Array,
    errors: Sequence[float] | Array | None,
) -> tuple[Array, Array, Array]:
    volume = np.asarray(volumes, dtype=float)
    pressure = np.asarray(pressures, dtype=float)
    sigma = np.ones_like(pressure) if errors is None else np.asarray(errors, dtype=float)
    if not volume.shape == pressure.shape == sigma.shape or volume.ndim != 1:
        raise InputError(f"volumes {volume.shape}, pressures {pressure.shape} and errors {sigma.shape} differ in shape")
    if len(volume) < len(_POWERS):
        raise InputError(f"an equation of state needs three points, got {len(volume)}")
    if not (np.isfinite(volume) & np.isfinite(pressure) & np.isfinite(sigma)).all():
        raise InputError("volumes, pressures and errors must be finite numbers")
    if (volume <= 0).any() or (sigma <= 0).any():
        raise InputError("volumes and errors must be positive")
    return volume, pressure, sigma


def _parameters(coefficients: Array, scale: float) -> Array:
    """V0, B0 and B0' from the coefficients of y^5, y^7, y^9."""
    c5, c7, c9 = coefficients
    roots = np.roots([c9, c7, c5])
    y_squared = np.array([root.real for root in roots if abs(root.imag) < 1e-12 * abs(root) and root.real > 0])
    # K = -V dP/dV = (1/3) y dP/dy; at the root only the derivative of the quadratic is left
    moduli = y_squared**2.5 * (2 * c7 * y_squared + 4 * c9 * y_squared**2) / 3
    if not (moduli > 0).any():
        raise InputError("these pressures have no zero with a positive bulk modulus")
    stable = moduli > 0
    best = np.argmin(np.abs(np.log(y_squared[stable])))
    y2, modulus = float(y_squared[stable][best]), float(moduli[stable][best])
    xi = c9 * y2**4.5 / (1.5 * modulus)
    return np.array([scale / y2**1.5, modulus, 4 + 4 * xi / 3])


def _derivative(coefficients: Array, index: int, scale: float) -> Array:
    """Derivative of the parameters with respect to one coefficient, by central differences."""
    step = np.zeros(3)
    step[index] = 1e-6 * np.abs(coefficients).max()
    try:
        upper, lower = _parameters(coefficients + step, scale), _parameters(coefficients - step, scale)
    except InputError:  # the root is about to vanish: its position is not known
        return np.full(3, np.nan)
    return np.asarray((upper - lower) / (2 * step[index]))
