"""How diffusivities depend on temperature: the Arrhenius law."""

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array, FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.units import KB_EV

ROOM_TEMPERATURE_K = 300.0

_BAND_POINTS = 25


class ArrheniusFit(FrozenModel):
    """ln D = ln D0 - Ea / kT, D0 in cm^2/s."""

    activation_energy_ev: Measured
    ln_d0: Measured
    covariance_ev: float
    """Between ln D0 and Ea."""

    def predict(self, temperatures_k: ArrayLike) -> tuple[Array, Array, Array]:
        """Diffusivity and the ends of its 95 % interval, in cm^2/s, at any temperatures in K."""
        energy, ln_d0 = self.activation_energy_ev, self.ln_d0
        x = 1 / (KB_EV * np.asarray(temperatures_k, dtype=np.float64))
        ln_d = ln_d0.value - energy.value * x
        variance = ln_d0.error**2 + (x * energy.error) ** 2 - 2 * x * self.covariance_ev
        half_width = GAUSSIAN_95 * np.sqrt(np.maximum(variance, 0.0))
        return np.exp(ln_d), np.exp(ln_d - half_width), np.exp(ln_d + half_width)


class ArrheniusLaw(ArrheniusFit):
    """An Arrhenius fit, extrapolated to 300 K, with its band from there to the hottest measurement."""

    extrapolated_300k_cm2_s: float
    extrapolated_300k_interval_cm2_s: Interval
    band_temperatures_k: FloatList
    """From 300 K to the highest temperature of the fit, equally spaced in 1 / T."""
    band_cm2_s: FloatList
    band_interval_cm2_s: list[Interval]


def arrhenius(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> ArrheniusFit:
    r"""Fit the Arrhenius law by weighted least squares; all arrays have the shape (n_temperatures,).

        ln D = ln D0 - Ea / (k T)

    ======  ===========================================================
    symbol  meaning
    ======  ===========================================================
    D       diffusivity at the temperature T, `diffusivities_cm2_s`
    D0      its limit at high temperature, in cm^2/s
    Ea      activation energy, in eV
    k       Boltzmann's constant, in eV/K
    ======  ===========================================================

    `ln_errors` are standard errors of ln D. Two temperatures give the exact line with their errors
    propagated; with more, errors grow by the root of chi^2 per degree of freedom where that exceeds 1.

    Raises InputError for fewer than two different temperatures and for values that are not positive.
    """
    temperatures, values, errors = checked_points(temperatures_k, diffusivities_cm2_s, ln_errors)
    if np.unique(temperatures).size < 2:
        raise InputError(f"diffusivities at {temperatures.tolist()} K; an activation energy needs two temperatures")
    x = 1 / (KB_EV * temperatures)
    weights = errors**-2
    centre = float(np.average(x, weights=weights))
    ln_d = np.log(values)
    energy_variance = 1 / float(weights @ (x - centre) ** 2)
    energy = -energy_variance * float(weights @ ((x - centre) * ln_d))
    ln_d0 = float(np.average(ln_d, weights=weights)) + energy * centre
    degrees = x.size - 2
    misfit = float(weights @ (ln_d - ln_d0 + energy * x) ** 2)
    scale = max(1.0, misfit / degrees) if degrees else 1.0
    ln_d0_variance = 1 / float(weights.sum()) + centre**2 * energy_variance
    return ArrheniusFit(
        activation_energy_ev=Measured(value=energy, error=(scale * energy_variance) ** 0.5),
        ln_d0=Measured(value=ln_d0, error=(scale * ln_d0_variance) ** 0.5),
        covariance_ev=scale * centre * energy_variance,
    )


def arrhenius_law(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> ArrheniusLaw:
    """Fit the Arrhenius law as `arrhenius` does, and extrapolate it to 300 K."""
    fit = arrhenius(temperatures_k, diffusivities_cm2_s, ln_errors)
    hottest_k = float(np.asarray(temperatures_k, dtype=np.float64).max())
    temperatures = 1 / np.linspace(1 / ROOM_TEMPERATURE_K, 1 / hottest_k, _BAND_POINTS)
    centres, lows, highs = fit.predict(temperatures)
    intervals = [Interval(low=low, high=high) for low, high in zip(lows.tolist(), highs.tolist(), strict=True)]
    return ArrheniusLaw(
        **dict(fit),
        extrapolated_300k_cm2_s=float(centres[0]),
        extrapolated_300k_interval_cm2_s=intervals[0],
        band_temperatures_k=temperatures,
        band_cm2_s=centres,
        band_interval_cm2_s=intervals,
    )


def checked_points(
    temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike
) -> tuple[Array, Array, Array]:
    """Check that temperatures, diffusivities and errors are positive numbers, one of each for every measurement.

    Raises InputError where they are not.
    """
    temperatures, values, errors = (
        np.asarray(array, dtype=np.float64) for array in (temperatures_k, diffusivities_cm2_s, ln_errors)
    )
    for name, array in (("temperatures", temperatures), ("diffusivities", values), ("errors of ln D", errors)):
        if array.shape != temperatures.shape or not (np.isfinite(array) & (array > 0)).all():
            raise InputError(f"{name} are {array.tolist()}; one positive number for each temperature is needed")
    return temperatures, values, errors
