"""Heat capacity from fluctuations, thermal expansion from volumes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.errors import InputError
from tachylite.physics.statistics import Estimate, correlation_time, estimate_mean
from tachylite.units import KB_EV


@dataclass(frozen=True)
class Expansion:
    """V(T) = V0 (1 + alpha (T - T0)) with standard errors."""

    coefficient_per_k: float
    error_per_k: float
    temperature_k: float
    """T0, the weighted mean of the temperatures."""
    volume: float
    """V0, in the unit of the volumes."""


def fluctuation_heat_capacity(energies_ev: ArrayLike, temperature_k: float, n_atoms: int) -> Estimate:
    r"""Heat capacity at constant volume in k_B per atom, from the potential energies (n,) of a canonical run.

        c = 3/2 + <(E - <E>)^2> / (N (k T)^2)

    ======  ================================================================================
    symbol  meaning
    ======  ================================================================================
    c       heat capacity over N k; the 3/2 are those of the kinetic energy, exactly
    E       potential energy of the cell in eV, `energies_ev`
    N, T    `n_atoms` and `temperature_k` in K
    ======  ================================================================================

    The error is that of the mean square, by blocking; what the fluctuating mean takes away is given back. The
    fluctuations must be canonical, of a thermostat that is: energies of a constant-energy run say something else.

    Raises InputError for fewer than two energies, values that are not finite, or a temperature that is not positive.
    """
    energies = np.asarray(energies_ev, dtype=np.float64)
    if energies.ndim != 1 or energies.size < 2 or not np.isfinite(energies).all():
        raise InputError(f"energies of shape {energies.shape}; fluctuations need a series of finite numbers")
    if not (temperature_k > 0 and n_atoms > 0):
        raise InputError(f"{n_atoms} atoms at {temperature_k:g} K; both must be greater than 0")
    squares = estimate_mean((energies - energies.mean()) ** 2)
    known = max(1 - 2 * correlation_time(energies) / energies.size, 1 / energies.size)
    scale = 1 / known / n_atoms / (KB_EV * temperature_k) ** 2
    return Estimate(1.5 + squares.mean * scale, squares.error * scale, squares.n_independent)


def thermal_expansion(temperatures_k: ArrayLike, volumes: ArrayLike, errors: ArrayLike) -> Expansion:
    """Weighted line through volumes with standard errors at temperatures in K, all of shape (n,).

    Its slope over the volume at the weighted mean temperature is the volumetric coefficient. Two temperatures give the
    exact line with their errors propagated; with more, the error grows by the root of chi^2 per degree of freedom
    where that exceeds 1, as it does where V(T) is no line.

    Raises InputError for fewer than two different temperatures and for values that are not positive.
    """
    temperature, volume, error = (np.asarray(x, dtype=np.float64) for x in (temperatures_k, volumes, errors))
    if not (temperature.shape == volume.shape == error.shape) or temperature.ndim != 1:
        raise InputError(f"{temperature.size} temperatures, {volume.size} volumes and {error.size} errors; one of each")
    if np.unique(temperature).size < 2:
        raise InputError(f"volumes at {temperature.tolist()} K; a thermal expansion needs two temperatures")
    if not all((x > 0).all() and np.isfinite(x).all() for x in (temperature, volume, error)):
        raise InputError("temperatures, volumes and errors must be positive and finite")
    weights = error**-2
    centre = float(np.average(temperature, weights=weights))
    spread = float(weights @ (temperature - centre) ** 2)
    slope = float(weights @ ((temperature - centre) * volume)) / spread
    mean = float(np.average(volume, weights=weights))
    misfit = float(weights @ (volume - mean - slope * (temperature - centre)) ** 2)
    degrees = temperature.size - 2
    scale = max(1.0, misfit / degrees) if degrees else 1.0
    variance = scale * (1 / spread + (slope / mean) ** 2 / float(weights.sum()))
    return Expansion(slope / mean, variance**0.5 / mean, centre, mean)
