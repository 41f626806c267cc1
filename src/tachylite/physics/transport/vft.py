"""The Vogel-Fulcher-Tammann law of diffusion in glass-forming melts."""

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array, FloatMatrix
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.physics.transport.arrhenius import ROOM_TEMPERATURE_K, arrhenius, checked_points
from tachylite.units import KB_EV

_SIGNIFICANT = GAUSSIAN_95**2
_STARTS = (0.2, 0.5, 0.8)


class VFTLaw(FrozenModel):
    """ln D = ln D0 - B / (T - T0), D0 in cm^2/s, or why the temperatures do not determine it."""

    determined: bool
    reason: str | None = None
    ln_d0: Measured | None = None
    b_k: Measured | None = None
    t0_k: Measured | None = None
    covariance: FloatMatrix | None = None
    """Of (ln D0, B, T0), (3, 3)."""
    extrapolated_300k_cm2_s: float | None = None
    """Where 300 K is above T0."""
    extrapolated_300k_interval_cm2_s: Interval | None = None

    def predict(self, temperatures_k: ArrayLike) -> tuple[Array, Array, Array]:
        """Diffusivity and the ends of its 95 % interval, in cm^2/s, at temperatures above T0, in K.

        Raises InputError for a law that is not determined, and at or below T0, where it means nothing.
        """
        if self.ln_d0 is None or self.b_k is None or self.t0_k is None or self.covariance is None:
            raise InputError(f"no VFT law to predict from: {self.reason}")
        t, b, t0 = np.asarray(temperatures_k, dtype=np.float64), self.b_k.value, self.t0_k.value
        if (t <= t0).any():
            raise InputError(f"the VFT law ends at T0 = {t0:.0f} K; {float(t.min()):g} K is not above it")
        gradient = np.stack(np.broadcast_arrays(1.0, -1 / (t - t0), -b / (t - t0) ** 2), axis=-1)
        variance = np.einsum("...i,ij,...j->...", gradient, np.array(self.covariance), gradient)
        ln_d = self.ln_d0.value - b / (t - t0)
        half_width = GAUSSIAN_95 * np.sqrt(np.maximum(variance, 0.0))
        return np.exp(ln_d), np.exp(ln_d - half_width), np.exp(ln_d + half_width)


def fit_vft(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> VFTLaw:
    r"""Fit the Vogel-Fulcher-Tammann law by weighted least squares; all arrays have the shape (n_temperatures,).

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
    from scipy.optimize import least_squares  # takes a second, and every command reads the documents of laws

    t, d, errors = checked_points(temperatures_k, diffusivities_cm2_s, ln_errors)
    if (n := np.unique(t).size) < 4:
        return VFTLaw(determined=False, reason=f"{n} temperatures; three parameters with errors need four")
    ln_d = np.log(d)
    line = arrhenius(t, d, errors)
    line_ln_d0, line_slope_k = line.ln_d0.value, line.activation_energy_ev.value / KB_EV
    straight = float((((ln_d - line_ln_d0 + line_slope_k / t) / errors) ** 2).sum())

    def residuals(p: Array) -> Array:
        values: Array = (ln_d - p[0] + p[1] / (t - p[2] * t.min())) / errors
        return values

    def derivatives(p: Array) -> Array:
        apart = t - p[2] * t.min()
        columns: Array = np.column_stack([-np.ones_like(t), 1 / apart, p[1] * t.min() / apart**2])
        return columns / errors[:, None]

    fits = [
        least_squares(
            residuals,
            [line_ln_d0, line_slope_k * (1 - part) ** 2, part],
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
        return VFTLaw(determined=False, reason=reason)
    to_k = np.diag([1.0, 1.0, t.min()])
    covariance = to_k @ np.linalg.inv(derivatives(best.x).T @ derivatives(best.x)) @ to_k * scale
    return _law(to_k @ best.x, covariance)


def _law(parameters: Array, covariance: Array) -> VFTLaw:
    """Build the law from (ln D0, B, T0), extrapolated to 300 K where that is above T0."""
    ln_d0, b, t0 = (
        Measured(value=value, error=error)
        for value, error in zip(parameters.tolist(), np.sqrt(np.diag(covariance)).tolist(), strict=True)
    )
    law = VFTLaw(determined=True, ln_d0=ln_d0, b_k=b, t0_k=t0, covariance=covariance)
    if t0.value >= ROOM_TEMPERATURE_K:
        return law
    room, low, high = (float(x) for x in law.predict(ROOM_TEMPERATURE_K))
    interval = Interval(low=low, high=high)
    return law.model_copy(update={"extrapolated_300k_cm2_s": room, "extrapolated_300k_interval_cm2_s": interval})


def _objection(parameters: Array, straight: float, chi_squared: float, scale: float) -> str | None:
    if (gain := (straight - chi_squared) / scale) < _SIGNIFICANT:
        return f"a straight Arrhenius line describes the values as well: chi^2 falls by {gain:.2g} only, not by 3.84"
    if not (0 < parameters[2] < 0.998 and parameters[1] > 0):
        return "the values bend the other way than a Vogel-Fulcher-Tammann law does"
    return None
