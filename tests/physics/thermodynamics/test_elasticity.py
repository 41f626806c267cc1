"""Elastic constants and isotropic averages against exact relations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.thermodynamics.elasticity import VOIGT, deformation, elastic_constants, isotropic_moduli


def isotropic(bulk: float, shear: float) -> Array:
    constants = np.diag([2 * shear] * 3 + [shear] * 3).astype(float)
    constants[:3, :3] += bulk - 2 * shear / 3
    return constants


def cubic(c11: float, c12: float, c44: float) -> Array:
    constants = np.diag([c11 - c12] * 3 + [c44] * 3).astype(float)
    constants[:3, :3] += c12
    return constants


def rotated(constants: Array, turn: Array) -> Array:
    """The same solid in another orientation, by the rank-four tensor."""
    tensor = np.empty((3, 3, 3, 3))
    for a, (i, j) in enumerate(VOIGT):
        for b, (k, m) in enumerate(VOIGT):
            for p, q in {(i, j), (j, i)}:
                for r, s in {(k, m), (m, k)}:
                    tensor[p, q, r, s] = constants[a, b]
    turned = np.einsum("ia,jb,kc,ld,abcd->ijkl", turn, turn, turn, turn, tensor)
    return np.array([[turned[*VOIGT[a], *VOIGT[b]] for b in range(6)] for a in range(6)])


def stresses(constants: Array, strain: float) -> Array:
    """Stress tensors (6, 3, 3) under each of the six strains."""
    tensors = np.empty((6, 3, 3))
    for component in range(6):
        for value, (i, j) in zip(constants[:, component] * strain, VOIGT, strict=True):
            tensors[component, i, j] = tensors[component, j, i] = value
    return tensors


def test_an_isotropic_solid_has_its_moduli_without_scatter() -> None:
    bulk, shear = isotropic_moduli(isotropic(100, 40))
    assert (bulk.voigt, bulk.reuss, bulk.hill.value) == pytest.approx((100, 100, 100))
    assert (shear.voigt, shear.reuss, shear.hill.value) == pytest.approx((40, 40, 40))
    assert (bulk.hill.error, shear.hill.error) == pytest.approx((0, 0), abs=1e-6)


def test_copper_has_its_published_averages() -> None:
    """Constants of Overton and Gaffney (DOI 10.1103/PhysRev.98.969); averages by the formulas of cubic crystals."""
    c11, c12, c44 = 168.4, 121.4, 75.4
    bulk, shear = isotropic_moduli(cubic(c11, c12, c44))
    assert bulk.hill.value == pytest.approx((c11 + 2 * c12) / 3)
    assert shear.voigt == pytest.approx((c11 - c12 + 3 * c44) / 5)
    assert shear.reuss == pytest.approx(5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12)))
    assert shear.hill.value == pytest.approx(47.3, abs=0.1)


def test_constants_and_moduli_come_back_from_stresses() -> None:
    truth = isotropic(90, 35)
    start = np.diag([0.3, -0.2, 0.1])
    elastic = elastic_constants(start + stresses(truth, 0.01), start - stresses(truth, 0.01), start, 0.01)
    assert elastic.reason is None
    np.testing.assert_allclose(np.array(elastic.constants_gpa), truth, atol=1e-9)
    assert elastic.constants_error_gpa == pytest.approx(0, abs=1e-9)
    assert elastic.young_modulus_gpa is not None
    assert elastic.poisson_ratio is not None
    assert elastic.young_modulus_gpa.value == pytest.approx(9 * 90 * 35 / (3 * 90 + 35))
    assert elastic.poisson_ratio.value == pytest.approx((3 * 90 - 2 * 35) / (2 * (3 * 90 + 35)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_averages_do_not_depend_on_the_orientation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    constants = root @ root.T + np.eye(6)
    turn = Rotation.random(random_state=seed).as_matrix()
    for as_given, turned in zip(isotropic_moduli(constants), isotropic_moduli(rotated(constants, turn)), strict=True):
        assert (as_given.voigt, as_given.reuss, as_given.hill.value, as_given.hill.error) == pytest.approx(
            (turned.voigt, turned.reuss, turned.hill.value, turned.hill.error), rel=1e-8
        )


def test_the_errors_are_those_of_random_departures_from_isotropy() -> None:
    rng = np.random.default_rng(1)
    kelvin = np.outer([1, 1, 1, 2**0.5, 2**0.5, 2**0.5], [1, 1, 1, 2**0.5, 2**0.5, 2**0.5])
    bulks, shears = [], []
    for _ in range(1000):
        noise = rng.normal(size=(6, 6))
        moduli = isotropic_moduli(isotropic(100, 40) + (noise + noise.T) / 2 / kelvin)
        bulks.append((moduli[0].hill.value, moduli[0].hill.error))
        shears.append((moduli[1].hill.value, moduli[1].hill.error))
    for values, errors in (np.array(bulks).T, np.array(shears).T):
        assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.1)


def test_noise_in_the_stresses_is_in_the_error() -> None:
    rng = np.random.default_rng(2)
    truth = isotropic(90, 35)
    errors, deviations = [], []
    for _ in range(300):
        noise = rng.normal(0, 0.005, (2, 6, 6))
        plus, minus = (stresses(truth + n / 0.01, 0.01) for n in noise)
        elastic = elastic_constants(plus, -minus, np.zeros((3, 3)), 0.01)
        errors.append(elastic.constants_error_gpa or 0.0)
        deviations.append((np.array(elastic.constants_gpa) - truth)[0, 1])
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(deviations), rel=0.1)


def test_a_structure_that_is_no_minimum_is_refused() -> None:
    unstable = stresses(cubic(100, 120, 30), 0.01)
    elastic = elastic_constants(unstable, -unstable, np.zeros((3, 3)), 0.01)
    assert elastic.bulk_modulus_gpa is None
    assert "unstable: the softest elastic constant is -20 GPa" in (elastic.reason or "")


def test_a_structure_that_rearranges_is_refused() -> None:
    plus, minus = stresses(isotropic(90, 35), 0.01), -stresses(isotropic(90, 35), 0.01)
    plus[3] *= 0.3
    elastic = elastic_constants(plus, minus, np.zeros((3, 3)), 0.01)
    assert elastic.young_modulus_gpa is None
    assert "under strain 4 (Voigt) of 0.01" in (elastic.reason or "")


def test_a_deformation_has_the_strain_asked_for() -> None:
    np.testing.assert_allclose(deformation(0, 0.01), np.diag([1.01, 1, 1]))
    sheared = deformation(3, 0.01)
    assert sheared[1, 2] == sheared[2, 1] == pytest.approx(0.005), "an engineering strain is shared by both halves"


def test_bad_stresses_are_refused() -> None:
    with pytest.raises(InputError, match="six each are needed"):
        elastic_constants(np.zeros((5, 3, 3)), np.zeros((6, 3, 3)), np.zeros((3, 3)), 0.01)
    with pytest.raises(InputError, match="finite ones"):
        elastic_constants(np.full((6, 3, 3), np.nan), np.zeros((6, 3, 3)), np.zeros((3, 3)), 0.01)
