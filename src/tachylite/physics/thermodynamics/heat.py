"""Heat capacity from fluctuations, thermal expansion from volumes."""

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import FloatList
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.statistics import correlation_time, estimate_mean
from tachylite.units import J_MOL_PER_EV, KB_EV


class HeatCapacity(FrozenModel):
    """A heat capacity per mole of atoms and per atom, and where it comes from."""

    j_mol_k: Measured
    k_b_per_atom: Measured
    constant: Literal["volume", "pressure"]
    source: Literal["slope", "fluctuations"]
    """Slope of the energy along a cooling run, or fluctuations of the energy at one temperature."""
    temperature_k: float | None = None
    """Of the fluctuations."""

    @classmethod
    def from_k_b_per_atom(
        cls,
        k_b_per_atom: Measured,
        constant: Literal["volume", "pressure"],
        source: Literal["slope", "fluctuations"],
        temperature_k: float | None = None,
    ) -> Self:
        """Take a heat capacity in k_B per atom."""
        return cls(
            j_mol_k=k_b_per_atom * (KB_EV * J_MOL_PER_EV),
            k_b_per_atom=k_b_per_atom,
            constant=constant,
            source=source,
            temperature_k=temperature_k,
        )


class ThermalExpansion(FrozenModel):
    """Volumetric thermal expansion around a temperature: V(T) = V0 (1 + alpha (T - T0))."""

    coefficient_per_k: Measured
    """alpha, 1/V dV/dT."""
    temperature_k: float
    """T0; over several volumes, the weighted mean of their temperatures."""
    volume_a3_per_atom: float
    """V0."""
    temperatures_k: FloatList
    """Of the volumes it is from; empty for a branch of a cooling run."""


def fluctuation_heat_capacity(energies_ev: ArrayLike, temperature_k: float, n_atoms: int) -> HeatCapacity:
    r"""Heat capacity at constant volume, from the potential energies (n,) of a canonical run.

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
    # the fluctuations of the mean are missing in those about it
    share = max(1 - 2 * correlation_time(energies) / energies.size, 1 / energies.size)
    scale = 1 / share / n_atoms / (KB_EV * temperature_k) ** 2
    k_b_per_atom = Measured(value=1.5 + squares.mean * scale, error=squares.error * scale)
    return HeatCapacity.from_k_b_per_atom(k_b_per_atom, "volume", "fluctuations", temperature_k)


def thermal_expansion(
    temperatures_k: ArrayLike, volumes_a3_per_atom: ArrayLike, errors_a3_per_atom: ArrayLike
) -> ThermalExpansion:
    r"""Thermal expansion by a weighted line through volumes with standard errors, all arrays of shape (n,).

        V(T) = V0 (1 + alpha (T - T0))

    ======  ==========================================================
    symbol  meaning
    ======  ==========================================================
    V(T)    volumes at the temperatures T
    T0      mean of the temperatures with the weights of the volumes
    V0      volume of the line at T0
    alpha   volumetric coefficient of thermal expansion
    ======  ==========================================================

    Two temperatures give the exact line with their errors propagated; with more, the error grows by the root of chi^2
    per degree of freedom where that exceeds 1, as it does where V(T) is no line.

    Raises InputError for fewer than two different temperatures and for values that are not positive.
    """
    temperature, volume, error = (
        np.asarray(x, dtype=np.float64) for x in (temperatures_k, volumes_a3_per_atom, errors_a3_per_atom)
    )
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
    return ThermalExpansion(
        coefficient_per_k=Measured(value=slope, error=variance**0.5) / mean,
        temperature_k=centre,
        volume_a3_per_atom=mean,
        temperatures_k=temperature,
    )
