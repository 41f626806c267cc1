"""Formation energies, densities and the amorphous limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.units import G_CM3_PER_U_A3


@dataclass(frozen=True)
class AmorphousLimit:
    """Lowest and mean formation energy of inherent structures, in the unit that they were given in."""

    lowest: float
    """The amorphous limit."""
    mean: Measured
    """Its error is infinite for a single structure."""


def formation_energy(
    energy_ev_per_atom: float, composition: Mapping[str, float], references: Mapping[str, float]
) -> float:
    r"""Formation energy of a compound from its elements, in eV per atom.

        E_f = E - sum_i x_i E_i,    x_i = n_i / sum n

    ======  ==========================================================================
    symbol  meaning
    ======  ==========================================================================
    E       energy per atom of the compound
    E_i     energy per atom of the reference phase of element i (`references`)
    n_i     atoms of element i in any amount of the compound (`composition`)
    ======  ==========================================================================

    Raises InputError naming the elements without a reference, and for a composition without atoms.
    """
    amounts = {symbol: amount for symbol, amount in composition.items() if amount != 0}
    total = sum(amounts.values())
    if total <= 0 or min(amounts.values()) < 0:
        raise InputError(f"composition {dict(composition)} has no atoms or negative amounts; give positive amounts")
    if missing := sorted(set(amounts) - set(references)):
        raise InputError(
            f"no reference energy for {', '.join(missing)}; formation energies of this compound need one each"
        )
    return energy_ev_per_atom - sum(amount * references[symbol] for symbol, amount in amounts.items()) / total


def density(masses_u: ArrayLike, volume_a3: float) -> float:
    """Mass density in g/cm^3 from the masses of all atoms, shape (n_atoms,), in u, and the volume in A^3.

    Raises InputError for a volume that is not positive.
    """
    if not volume_a3 > 0:
        raise InputError(f"volume {volume_a3} A^3 is not positive; a periodic cell is needed")
    return float(np.sum(np.asarray(masses_u, dtype=np.float64))) / volume_a3 * G_CM3_PER_U_A3


def amorphous_limit(formation_energies: Sequence[float]) -> AmorphousLimit:
    """Lowest and mean formation energy of inherent structures (Aykol et al., DOI 10.1126/sciadv.aaq0148).

    The lowest is the amorphous limit: above it a crystal is not expected to be made. The structures count
    as independent.

    Raises InputError for no energies or energies that are not finite.
    """
    energies = np.asarray(formation_energies, dtype=np.float64)
    if energies.ndim != 1 or energies.size == 0 or not np.isfinite(energies).all():
        raise InputError(f"formation energies {list(formation_energies)}: at least one is needed, all finite")
    error = float(energies.std(ddof=1)) / energies.size**0.5 if energies.size > 1 else float("inf")
    return AmorphousLimit(float(energies.min()), Measured(value=float(energies.mean()), error=error))
