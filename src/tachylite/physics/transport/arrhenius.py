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

_FAR_REACH = 1.0

_WIDEST = 1e6
"""Upper over lower end of a 95 % interval beyond which an extrapolated value says nothing."""


class Extrapolation(FrozenModel):
    """A value at 300 K from a law that was measured at other temperatures, or why there is none."""

    value: float | None
    interval: Interval | None
    reach: float
    """Distance in 1/T from the coldest measurement to 300 K, over the range of 1/T that was measured."""
    remark: str | None = None
    """Why there is no value, or that it is extrapolated farther than the range that was measured."""

    def refused(self, reason: str) -> "Extrapolation":
        """The same without the value, for this reason."""
        return self.model_copy(update={"value": None, "interval": None, "remark": reason})


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

    extrapolated_300k_cm2_s: float | None
    extrapolated_300k_interval_cm2_s: Interval | None
    reach_300k: float | None = None
    """As in `Extrapolation`; documents of earlier versions do not say it."""
    extrapolation_remark: str | None = None
    """Why there is no value at 300 K, or that it is a far extrapolation."""
    band_temperatures_k: FloatList
    """From 300 K to the highest temperature of the fit, equally spaced in 1 / T."""
    band_cm2_s: FloatList
    band_interval_cm2_s: list[Interval]

    def without_room(self, reason: str) -> "ArrheniusLaw":
        """The same law without the value at 300 K, for a reason."""
        nothing = {"extrapolated_300k_cm2_s": None, "extrapolated_300k_interval_cm2_s": None}
        return self.model_copy(update=nothing | {"extrapolation_remark": reason})


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


def extrapolate(fit: ArrheniusFit, temperatures_k: ArrayLike) -> Extrapolation:
    """Value of a fit at 300 K, from the temperatures of its measurements in K, (n_temperatures,).

    The interval is that of the fit: it holds where the same mechanism, and the same phase, reach down to 300 K. It is
    refused where its ends are more than six powers of ten apart, and where only two temperatures, which do not show
    whether the line is straight, are extrapolated farther than their distance.
    """
    measured = np.unique(np.asarray(temperatures_k, dtype=np.float64))
    coldest, hottest = float(measured[0]), float(measured[-1])
    reach = max(0.0, (1 / ROOM_TEMPERATURE_K - 1 / coldest) / (1 / coldest - 1 / hottest))
    value, low, high = (float(x) for x in fit.predict(ROOM_TEMPERATURE_K))
    room = Extrapolation(value=value, interval=Interval(low=low, high=high), reach=reach)
    if not 0 < high < _WIDEST * low:
        return room.refused("at 300 K the ends of the 95 % interval are more than six powers of ten apart")
    if reach <= _FAR_REACH:
        return room
    far = f"300 K is {reach:.1f} times the measured range of 1/T away from {coldest:g} K"
    if measured.size == 2:
        return room.refused(f"{far}, and two temperatures do not show whether the line is straight")
    return room.model_copy(update={"remark": f"far extrapolation: {far}"})


def arrhenius_law(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> ArrheniusLaw:
    """Fit the Arrhenius law as `arrhenius` does, and extrapolate it to 300 K as `extrapolate` does."""
    fit = arrhenius(temperatures_k, diffusivities_cm2_s, ln_errors)
    room = extrapolate(fit, temperatures_k)
    hottest_k = float(np.asarray(temperatures_k, dtype=np.float64).max())
    temperatures = 1 / np.linspace(1 / ROOM_TEMPERATURE_K, 1 / hottest_k, _BAND_POINTS)
    centres, lows, highs = fit.predict(temperatures)
    return ArrheniusLaw(
        **dict(fit),
        extrapolated_300k_cm2_s=room.value,
        extrapolated_300k_interval_cm2_s=room.interval,
        reach_300k=room.reach,
        extrapolation_remark=room.remark,
        band_temperatures_k=temperatures,
        band_cm2_s=centres,
        band_interval_cm2_s=[Interval(low=x, high=y) for x, y in zip(lows.tolist(), highs.tolist(), strict=True)],
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
