"""Response functions from the fluctuations of volume and enthalpy at constant temperature and pressure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.statistics import correlation_time, estimate_mean
from tachylite.physics.thermodynamics.heat import HeatCapacity
from tachylite.units import GPA_PER_EV_A3, KB_EV


class ResponseFunctions(FrozenModel):
    """How a material responds to pressure and temperature."""

    compressibility_per_gpa: Measured
    """Isothermal: -1/V dV/dP."""
    thermal_expansion_per_k: Measured
    """Volumetric: 1/V dV/dT."""
    heat_capacity: HeatCapacity
    """At constant pressure."""


def response_functions(
    energies_ev: ArrayLike, volumes_a3: ArrayLike, temperature_k: float, pressure_gpa: float, n_atoms: int
) -> ResponseFunctions:
    r"""Response functions from potential energies and volumes, both (n,), of a run at constant pressure.

        kappa = <dV dV> / (k T <V>)
        alpha = <dV dH> / (k T^2 <V>)
        c_P   = 3/2 + <dH dH> / (N (k T)^2)

    ==========  ============================================================================
    symbol      meaning
    ==========  ============================================================================
    dV, dH      deviations of the volume and of H = E + P V from their means
    E, P        potential energy of the cell in eV, pressure that is held
    kappa       isothermal compressibility
    alpha       volumetric thermal expansion
    c_P         heat capacity over N k; the kinetic energy, 3/2, fluctuates on its own
    ==========  ============================================================================

    (Allen and Tildesley, Computer Simulation of Liquids, 2017, section 2.5.) The errors are those of the mean
    products, by blocking; what the fluctuating means take away is given back.

    Raises InputError for arrays that do not fit together, hold fewer than two or not only finite numbers.
    """
    energies, volumes = np.asarray(energies_ev, dtype=np.float64), np.asarray(volumes_a3, dtype=np.float64)
    if energies.shape != volumes.shape or energies.ndim != 1 or energies.size < 2:
        raise InputError(f"energies {energies.shape} and volumes {volumes.shape}; fluctuations need two equal series")
    if not (np.isfinite(energies).all() and np.isfinite(volumes).all() and temperature_k > 0):
        raise InputError(f"energies or volumes are not finite, or the temperature, {temperature_k:g} K, not positive")
    thermal, mean_volume = KB_EV * temperature_k, float(volumes.mean())
    volume = volumes - mean_volume
    enthalpy = energies + pressure_gpa / GPA_PER_EV_A3 * volumes
    enthalpy = enthalpy - enthalpy.mean()
    squared = _mean_product(enthalpy, enthalpy) / (n_atoms * thermal**2)
    heat = Measured(value=1.5 + squared.value, error=squared.error)
    return ResponseFunctions(
        compressibility_per_gpa=_mean_product(volume, volume) / (thermal * mean_volume * GPA_PER_EV_A3),
        thermal_expansion_per_k=_mean_product(volume, enthalpy) / (thermal * temperature_k * mean_volume),
        heat_capacity=HeatCapacity.from_k_b_per_atom(heat, "pressure", "fluctuations", temperature_k),
    )


def _mean_product(first: NDArray[np.float64], second: NDArray[np.float64]) -> Measured:
    """Covariance of two series of deviations from their means."""
    slowest = max(correlation_time(first), correlation_time(second))
    share = max(1 - 2 * slowest / first.size, 1 / first.size)
    return estimate_mean(first * second).measured / share
