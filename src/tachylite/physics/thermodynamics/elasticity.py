"""Elastic constants from stresses under small strains, and the isotropic moduli of a glass."""

import numpy as np
from numpy.typing import ArrayLike

from tachylite.arrays import Array, FloatMatrix
from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Measured

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Rows and columns of a tensor's components in the order of Voigt: xx, yy, zz, yz, xz, xy."""

_ROOT2 = 2**0.5
_KELVIN = np.array([1, 1, 1, _ROOT2, _ROOT2, _ROOT2])
_ISOTROPIC = np.array(
    [
        np.array([1, 1, 1, 0, 0, 0]) / 3**0.5,
        np.array([1, -1, 0, 0, 0, 0]) / 2**0.5,
        np.array([1, 1, -2, 0, 0, 0]) / 6**0.5,
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
)
"""Orthonormal strains in the notation of Kelvin, one a row: the dilation, then five shears."""
_LARGEST_NONLINEARITY = 0.2


class AverageModulus(FrozenModel):
    """A modulus in GPa by the averages of Voigt, Reuss and Hill."""

    voigt: float
    reuss: float
    hill: Measured


class ElasticConstants(FrozenModel):
    """Elastic constants and the moduli of their average over directions, or why there are none."""

    reason: str | None = None
    """Why there are no moduli."""
    constants_gpa: FloatMatrix | None = None
    """(6, 6), symmetric, in the order of Voigt: xx, yy, zz, yz, xz, xy."""
    constants_error_gpa: float | None = None
    """Standard error of one constant, from the asymmetry of the measured ones."""
    nonlinearity: float | None = None
    """Largest difference between the slopes of a stress forth and back, over the diagonal constant of that strain."""
    bulk_modulus_gpa: AverageModulus | None = None
    shear_modulus_gpa: AverageModulus | None = None
    young_modulus_gpa: Measured | None = None
    poisson_ratio: Measured | None = None


def deformation(component: int, amount: float) -> Array:
    """Deformation matrix (3, 3) of a strain `amount` in one component of Voigt; multiply row vectors by it.

    Shear amounts are engineering strains, twice the component of the tensor.
    """
    i, j = VOIGT[component]
    strain = np.zeros((3, 3))
    strain[i, j] += amount / 2
    strain[j, i] += amount / 2
    return np.eye(3) + strain


def elastic_constants(
    plus_gpa: ArrayLike, minus_gpa: ArrayLike, start_gpa: ArrayLike, strain: float
) -> ElasticConstants:
    r"""Elastic constants from the stresses under six strains forth and back, tension positive.

        C_ij = (sigma_i(+e_j) - sigma_i(-e_j)) / 2 e        made symmetric

    ==========  ===========================================================================================
    symbol      meaning
    ==========  ===========================================================================================
    i, j        components of stress and strain in the order of Voigt
    sigma(+e)   stresses under the strain e, one component after the other: `plus_gpa`, (6, 3, 3)
    sigma(-e)   stresses under its negative: `minus_gpa`, (6, 3, 3)
    e           `strain`
    ==========  ===========================================================================================

    `start_gpa`, (3, 3), is the stress without strain. Refused are constants that are not positive definite (an unstable
    structure) and structures whose slopes forth and back differ: they rearrange, or the strain is too large. See
    `isotropic_moduli` for the averages.

    Raises InputError for stresses of another shape, values that are not finite and a strain that is not positive.
    """
    plus, minus, start = (_voigt(s) for s in (plus_gpa, minus_gpa, start_gpa))
    if plus.shape != (6, 6) or minus.shape != (6, 6) or start.shape != (6,) or not strain > 0:
        raise InputError(f"stresses of shapes {plus.shape}, {minus.shape} at strain {strain:g}; six each are needed")
    measured = ((plus - minus) / (2 * strain)).T
    constants = (measured + measured.T) / 2
    pairs = np.triu_indices(6, 1)
    # an off-diagonal constant is the mean of two measured ones
    error = float(np.sqrt(np.mean((measured - measured.T)[pairs] ** 2 / 4)))
    bending = np.abs(plus + minus - 2 * start).max(axis=1) / strain / np.maximum(np.abs(np.diag(constants)), 1e-12)
    worst = int(bending.argmax())
    nonlinearity = float(bending[worst])
    softest = float(np.linalg.eigvalsh(constants).min())
    reason = None
    if softest <= 0:
        reason = f"unstable: the softest elastic constant is {softest:.3g} GPa; the structure is not at a minimum"
    elif nonlinearity > _LARGEST_NONLINEARITY:
        reason = (
            f"not linear: under strain {worst + 1} (Voigt) of {strain:g} forth and back the slopes differ by "
            f"{100 * nonlinearity:.0f} %; the structure rearranges, or the strain is too large"
        )
    common = {"constants_gpa": constants, "constants_error_gpa": error, "nonlinearity": nonlinearity}
    if reason is not None:
        return ElasticConstants(reason=reason, **common)
    bulk, shear = isotropic_moduli(constants, error)
    return ElasticConstants(
        bulk_modulus_gpa=bulk,
        shear_modulus_gpa=shear,
        young_modulus_gpa=_young(bulk.hill, shear.hill),
        poisson_ratio=_poisson(bulk.hill, shear.hill),
        **common,
    )


def isotropic_moduli(constants_gpa: ArrayLike, error_gpa: float = 0.0) -> tuple[AverageModulus, AverageModulus]:
    r"""Bulk and shear modulus averaged over all directions, from elastic constants (6, 6) in GPa in Voigt's order.

    In Kelvin's notation, with a basis of the dilation d and five shears s_a, orthonormal,

        3 K_V = d C d,   2 G_V = mean_a (s_a C s_a),   1 / 3 K_R = d S d,   1 / 2 G_R = mean_a (s_a S s_a)

    and Hill's modulus is the mean of Voigt's and Reuss's (DOI 10.1088/0370-1298/65/5/307). An isotropic solid has
    d C s_a = 0 and s_a C s_b = 2 G delta_ab; a glass in a small cell departs from that by chance. As these
    departures are alike in all directions, they give the errors:

        error(3 K)^2 = 2 mean_a (d C s_a)^2,   error(2 G)^2 = |s C s - 2 G_V|^2 / (14 * 5)

    to which half of the difference of Voigt and Reuss and the error of the constants are added in squares. For a
    random symmetric departure with a law that no rotation changes, the diagonal has twice the variance of the rest,
    which gives the factor 2 and the 14 = 4 + 10 degrees of freedom. All these numbers are the same in any orientation
    of the cell.

    ======  ==========================================================
    symbol  meaning
    ======  ==========================================================
    C, S    constants in Kelvin's notation and their inverse
    K, G    bulk and shear modulus
    ======  ==========================================================
    """
    kelvin = np.asarray(constants_gpa, dtype=np.float64) * np.outer(_KELVIN, _KELVIN)
    stiff = _ISOTROPIC @ kelvin @ _ISOTROPIC.T
    soft = _ISOTROPIC @ np.linalg.inv(kelvin) @ _ISOTROPIC.T
    shears = stiff[1:, 1:]
    bulk_scatter = (2 * float(np.mean(stiff[0, 1:] ** 2))) ** 0.5 / 3
    shear_scatter = float(np.linalg.norm(shears - np.eye(5) * np.trace(shears) / 5)) / 70**0.5 / 2
    bulk = _modulus(stiff[0, 0] / 3, 1 / (3 * soft[0, 0]), bulk_scatter, error_gpa)
    shear = _modulus(np.trace(shears) / 10, 2.5 / np.trace(soft[1:, 1:]), shear_scatter, error_gpa)
    return bulk, shear


def _modulus(voigt: float, reuss: float, scatter: float, error: float) -> AverageModulus:
    total = (scatter**2 + ((voigt - reuss) / 2) ** 2 + error**2) ** 0.5
    hill = Measured(value=float(voigt + reuss) / 2, error=float(total))
    return AverageModulus(voigt=float(voigt), reuss=float(reuss), hill=hill)


def _young(bulk: Measured, shear: Measured) -> Measured:
    """Young's modulus E = 9 K G / (3 K + G) with its error, for independent errors of K and G."""
    k, g = bulk.value, shear.value
    error = np.hypot(bulk.error * (g / (3 * k + g)) ** 2, shear.error * 3 * (k / (3 * k + g)) ** 2) * 9
    return Measured(value=9 * k * g / (3 * k + g), error=float(error))


def _poisson(bulk: Measured, shear: Measured) -> Measured:
    """Poisson ratio (3 K - 2 G) / (6 K + 2 G) with its error, for independent errors of K and G."""
    k, g = bulk.value, shear.value
    error = np.hypot(bulk.error * g, shear.error * k) * 18 / (6 * k + 2 * g) ** 2
    return Measured(value=(3 * k - 2 * g) / (6 * k + 2 * g), error=float(error))


def _voigt(stresses_gpa: ArrayLike) -> Array:
    stresses = np.asarray(stresses_gpa, dtype=np.float64)
    if stresses.shape[-2:] != (3, 3) or not np.isfinite(stresses).all():
        raise InputError(f"stresses of shape {stresses.shape}; finite ones of shape (3, 3) are needed")
    rows, columns = np.array(VOIGT).T
    return np.asarray((stresses[..., rows, columns] + stresses[..., columns, rows]) / 2)
