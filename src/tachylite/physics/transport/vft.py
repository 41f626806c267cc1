"""The Vogel-Fulcher-Tammann law of glass-forming melts, where temperatures determine it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.physics.transport.arrhenius import arrhenius, checked_points
from tachylite.units import KB_EV

_SIGNIFICANT = GAUSSIAN_95**2
_STARTS = (0.2, 0.5, 0.8)


@dataclass(frozen=True)
class VFTFit:
    """ln D = ln D0 - B / (T - T0), or why the temperatures do not determine it."""

    reason: str | None
    """None where the law is determined."""
    ln_d0: float | None
    """D0 in cm^2/s."""
    b_k: float | None
    t0_k: float | None
    covariance: Array | None
    """Of (ln D0, B, T0), (3, 3)."""
    chi_squared: float | None
    chi_squared_arrhenius: float | None

    @property
    def determined(self) -> bool:
        """Whether there is a law."""
        return self.reason is None

    def predict(self, temperatures_k: ArrayLike) -> tuple[Array, Array, Array]:
        """Diffusivity and the ends of its 95 % interval, in cm^2/s, at temperatures above T0, in K.

        Raises InputError for a law that is not determined, and at or below T0, where it means nothing.
        """
        if self.ln_d0 is None or self.b_k is None or self.t0_k is None or self.covariance is None:
            raise InputError(f"no VFT law to predict from: {self.reason}")
        t = np.asarray(temperatures_k, dtype=np.float64)
        if (t <= self.t0_k).any():
            raise InputError(f"the VFT law ends at T0 = {self.t0_k:.0f} K; {float(t.min()):g} K is not above it")
        gradient = np.stack(np.broadcast_arrays(1.0, -1 / (t - self.t0_k), -self.b_k / (t - self.t0_k) ** 2), axis=-1)
        variance = np.einsum("...i,ij,...j->...", gradient, self.covariance, gradient)
        ln_d = self.ln_d0 - self.b_k / (t - self.t0_k)
        half_width = GAUSSIAN_95 * np.sqrt(np.maximum(variance, 0.0))
        return np.exp(ln_d), np.exp(ln_d - half_width), np.exp(ln_d + half_width)


def fit_vft(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> VFTFit:
    r"""Weighted fit of the Vogel-Fulcher-Tammann law; all arrays have the shape (n_temperatures,).

        ln D = ln D0 - B / (T - T0)        (Fulcher, DOI 10.1111/j.1151-2916.1925.tb16731.x)

    ======  ======================================================
    symbol  meaning
    ======  ======================================================
    D       diffusivity at the temperature T
    D0      its limit at high temperature
    B       strength, in K; B k is an activation energy where T0 = 0
    T0      temperature at which the law lets motion end, in K
    ======  ======================================================

    It is refused, with the reason, for fewer than four temperatures, and where a straight Arrhenius line
    (T0 = 0) describes the values as well: chi^2 falls by less than 3.84, its 95 % bound for one more
    parameter. The covariance is that of the least-squares problem; errors grow by the root of chi^2 per degree of
    freedom where that exceeds 1.

    Raises InputError for values that are not positive.
    """
    t, d, errors = checked_points(temperatures_k, diffusivities_cm2_s, ln_errors)
    if (n := np.unique(t).size) < 4:
        return VFTFit(f"{n} temperatures; three parameters with errors need four", *(None,) * 6)
    ln_d = np.log(d)
    line = arrhenius(t, d, errors)
    straight = float((((ln_d - line.ln_d0 + line.activation_energy_ev / (KB_EV * t)) / errors) ** 2).sum())

    def residuals(p: Array) -> Array:
        values: Array = (ln_d - p[0] + p[1] / (t - p[2] * t.min())) / errors
        return values

    def derivatives(p: Array) -> Array:
        apart = t - p[2] * t.min()
        columns: Array = np.column_stack([-np.ones_like(t), 1 / apart, p[1] * t.min() / apart**2])
        return columns / errors[:, None]

    energy_k = line.activation_energy_ev / KB_EV
    fits = [
        least_squares(
            residuals,
            [line.ln_d0, energy_k * (1 - part) ** 2, part],
            derivatives,
            bounds=([-np.inf, -np.inf, -10.0], [np.inf, np.inf, 0.999]),
            x_scale="jac",
        )
        for part in _STARTS
    ]
    best = min(fits, key=lambda fit: float(fit.cost))
    chi_squared = 2 * float(best.cost)
    scale = max(1.0, chi_squared / (t.size - 3)) if t.size > 3 else 1.0
    reason = _objection(best.x, straight, chi_squared, scale)
    if reason is not None:
        return VFTFit(reason, None, None, None, None, chi_squared, straight)
    to_k = np.diag([1.0, 1.0, t.min()])
    covariance = to_k @ np.linalg.inv(derivatives(best.x).T @ derivatives(best.x)) @ to_k * scale
    t0_k = float(best.x[2] * t.min())
    return VFTFit(None, float(best.x[0]), float(best.x[1]), t0_k, covariance, chi_squared, straight)


def _objection(parameters: Array, straight: float, chi_squared: float, scale: float) -> str | None:
    if (gain := (straight - chi_squared) / scale) < _SIGNIFICANT:
        return f"a straight Arrhenius line describes the values as well: chi^2 falls by {gain:.2g} only, not by 3.84"
    if not (0 < parameters[2] < 0.998 and parameters[1] > 0):
        return "the values bend the other way than a Vogel-Fulcher-Tammann law does"
    return None
