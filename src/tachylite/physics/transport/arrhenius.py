"""How diffusivities depend on temperature: the Arrhenius law."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.units import KB_EV


@dataclass(frozen=True)
class ArrheniusFit:
    """ln D = ln D0 - Ea / kT with the errors of its parameters (D0 in cm^2/s)."""

    activation_energy_ev: float
    activation_energy_error_ev: float
    ln_d0: float
    ln_d0_error: float
    covariance_ev: float
    """Between ln D0 and Ea."""
    temperatures_k: Array

    def predict(self, temperatures_k: ArrayLike) -> tuple[Array, Array, Array]:
        """Diffusivity and the ends of its 95 % interval, in cm^2/s, at any temperatures in K."""
        x = 1 / (KB_EV * np.asarray(temperatures_k, dtype=np.float64))
        ln_d = self.ln_d0 - self.activation_energy_ev * x
        variance = self.ln_d0_error**2 + (x * self.activation_energy_error_ev) ** 2 - 2 * x * self.covariance_ev
        half_width = GAUSSIAN_95 * np.sqrt(np.maximum(variance, 0.0))
        return np.exp(ln_d), np.exp(ln_d - half_width), np.exp(ln_d + half_width)


def arrhenius(temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike) -> ArrheniusFit:
    """Weighted fit of ln D = ln D0 - Ea / kT; all arrays have the shape (n_temperatures,).

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
    ea_variance = 1 / float(weights @ (x - centre) ** 2)
    energy = -ea_variance * float(weights @ ((x - centre) * ln_d))
    ln_d0 = float(np.average(ln_d, weights=weights)) + energy * centre
    degrees = x.size - 2
    misfit = float(weights @ (ln_d - ln_d0 + energy * x) ** 2)
    scale = max(1.0, misfit / degrees) if degrees else 1.0
    return ArrheniusFit(
        activation_energy_ev=energy,
        activation_energy_error_ev=(scale * ea_variance) ** 0.5,
        ln_d0=ln_d0,
        ln_d0_error=(scale * (1 / float(weights.sum()) + centre**2 * ea_variance)) ** 0.5,
        covariance_ev=scale * centre * ea_variance,
        temperatures_k=temperatures,
    )


def checked_points(
    temperatures_k: ArrayLike, diffusivities_cm2_s: ArrayLike, ln_errors: ArrayLike
) -> tuple[Array, Array, Array]:
    """Arrays of one common length and of positive numbers; InputError for others."""
    temperatures, values, errors = (
        np.asarray(array, dtype=np.float64) for array in (temperatures_k, diffusivities_cm2_s, ln_errors)
    )
    for name, array in (("temperatures", temperatures), ("diffusivities", values), ("errors of ln D", errors)):
        if array.shape != temperatures.shape or not (np.isfinite(array) & (array > 0)).all():
            raise InputError(f"{name} are {array.tolist()}; one positive number for each temperature is needed")
    return temperatures, values, errors
