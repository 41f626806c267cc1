"""Structure factors of an ideal gas, of crystals and of silica glass; scattering lengths against published ones."""

import numpy as np
import pytest
from ase.build import bulk
from tests.physics.crystals import frames_of, gas
from tests.reference_data import reference, require

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import take_frames
from tachylite.physics.structure.scattering import (
    ScatteringAnalysis,
    StructureFactor,
    analyse_scattering,
    neutron_lengths_fm,
    xray_form_factors,
)
from tachylite.physics.structure.waves import density_waves

SILICA = reference("silica")


def values(curve: StructureFactor) -> Array:
    return np.array(curve.values)


def significance(curve: StructureFactor, limit: float) -> Array:
    """Values in standard errors above a limit."""
    return np.asarray((values(curve) - limit) / np.array(curve.errors))


def test_scattering_lengths_and_form_factors_are_the_published_ones() -> None:
    # Sears, DOI 10.1080/10448639208218770
    assert neutron_lengths_fm(["Si", "O", "Li", "P"]) == pytest.approx([4.149, 5.803, -1.90, 5.13], rel=0.02)
    assert np.isnan(neutron_lengths_fm(["Po"])).all()
    # International Tables C, 6.1.1.1, at sin(theta) / lambda of 0 and 0.5 1/A
    f = xray_form_factors(["Si", "O"], 4 * np.pi * np.array([0.0, 0.5]))
    assert f == pytest.approx(np.array([[14.0, 6.24], [8.0, 2.338]]), rel=0.01)


@pytest.mark.parametrize("cell", [np.diag([6.0, 7.0, 8.0]), [[7.0, 0, 0], [5.0, 6.1, 0], [-3.0, 4.0, 8.1]]])
def test_waves_are_the_direct_sum(cell: list[list[float]]) -> None:
    lattice = np.array(cell)
    rng = np.random.default_rng(0)
    positions, kinds = rng.uniform(-9, 9, (7, 3)), np.array([0, 1, 0, 1, 1, 0, 0])
    blocks = list(density_waves(positions, lattice, kinds, 5.0, 1.0, 2.0, rng))
    n = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3), axis=-1).reshape(-1, 3)
    q = n @ (2 * np.pi * np.linalg.inv(lattice).T)
    lengths = np.linalg.norm(q, axis=1)
    inside = (lengths <= 5.0) & (lengths > 0)
    assert sum(len(waves.q_per_a) for waves in blocks) == inside.sum() / 2
    phases = np.exp(1j * q[inside] @ positions.T)
    for kind in (0, 1):
        expected = np.sort(np.abs(phases[:, kinds == kind].sum(axis=1)) ** 2)[::2]
        ours = np.sort(np.concatenate([np.abs(waves.amplitudes[kind]) ** 2 for waves in blocks]))
        np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("n_frames", [1, 200])
@pytest.mark.parametrize("most", [1e9, 5e4])
def test_an_ideal_gas_scatters_evenly(n_frames: int, most: float) -> None:
    scattering = analyse_scattering(gas(n_frames), n_frames, 8.0, 0.25, most_atom_waves=most * n_frames)
    far = np.array(scattering.q_per_a) > 3
    for curve in scattering.partials.values():
        z = significance(curve, 1)[far]
        assert abs(z.mean()) < 0.8
        assert 0.5 < z.std() < 1.6
    assert scattering.neutron_f_barn_sr is not None
    for curve in (scattering.neutron_f_barn_sr, scattering.xray_f):
        z = significance(curve, 0)[far]
        assert abs(z.mean()) < 0.8
        assert 0.5 < z.std() < 1.6


def test_a_crystal_has_its_reflections_and_nothing_between() -> None:
    a = 4.05
    scattering = analyse_scattering(frames_of(bulk("Al", "fcc", a, cubic=True) * (3, 3, 3)), 1, 6.0, 0.02)
    q_per_a, s = np.array(scattering.q_per_a), values(scattering.partials["Al-Al"])
    # 111, 200, 220, 311, 222; in a cell of N atoms |rho|^2 / N = N at a reflection
    reflections = 2 * np.pi / a * np.sqrt([3, 4, 8, 11, 12])
    bright = q_per_a[s > 1.0]
    assert all(np.abs(bright - q).min() < 0.02 for q in reflections)
    assert all(np.abs(reflections - q).min() < 0.02 for q in bright[bright < 5.5])
    dark = np.array([np.abs(reflections - q).min() > 0.03 for q in q_per_a]) & (q_per_a < 5.5)
    assert np.abs(s[dark]).max() < 1e-3
    alone = int(np.argmin(np.abs(q_per_a - reflections[1])))
    first = int(np.argmin(np.abs(q_per_a - reflections[0])))
    # of the 30 vectors with h^2 + k^2 + l^2 = 36, six are 200 (600 of the cell of three), of 32 with 27 eight are 111
    assert s[alone] == pytest.approx(108 * 6 / 30, rel=0.01)
    assert s[first] == pytest.approx(108 * 8 / 32, rel=0.01)


def test_weighted_partials_are_the_totals() -> None:
    scattering = analyse_scattering(gas(20), 20, 8.0)
    c, b = np.array([24, 36]) / 60, neutron_lengths_fm(["Li", "O"]) / 10
    f = xray_form_factors(["Li", "O"], np.array(scattering.q_per_a))
    neutron, xray = 0.0, 0.0
    for pair, (i, j) in (("Li-Li", (0, 0)), ("Li-O", (0, 1)), ("O-O", (1, 1))):
        part = (1 if i == j else 2) * c[i] * c[j] * (values(scattering.partials[pair]) - 1)
        neutron, xray = neutron + part * b[i] * b[j], xray + part * f[i] * f[j]
    assert scattering.neutron_f_barn_sr is not None
    assert scattering.neutron_s is not None
    np.testing.assert_allclose(scattering.neutron_f_barn_sr.values, neutron, atol=1e-6)
    np.testing.assert_allclose(values(scattering.neutron_s) - 1, neutron / (c @ b) ** 2, atol=1e-6)
    np.testing.assert_allclose(scattering.xray_f.values, xray / (c @ f) ** 2, atol=1e-3)


def test_an_element_without_scattering_length_has_no_neutron_curve() -> None:
    frames = take_frames(np.random.default_rng(0).random((5, 8, 3)) * 6, 6 * np.eye(3), [84] * 8)
    scattering = analyse_scattering(frames, 5, 4.0)
    assert scattering.neutron_f_barn_sr is None
    assert scattering.neutron_s is None
    assert np.isfinite(scattering.xray_s.values).all()


def test_q_out_of_reach_is_refused() -> None:
    with pytest.raises(InputError, match="no wave vector"):
        analyse_scattering(gas(1), 1, 0.5)
    with pytest.raises(InputError, match="must be positive"):
        analyse_scattering(gas(1), 1, -1.0)


@pytest.fixture(scope="module")
def silica() -> ScatteringAnalysis:
    require("silica")
    from ase.io import read

    return analyse_scattering(frames_of(read(SILICA / "SiO2_glass_3000_atoms.xyz")), 1, 20.0, 0.1)


@pytest.mark.slow
def test_silica_glass_scatters_neutrons_as_measured(silica: ScatteringAnalysis) -> None:
    measured = np.loadtxt(SILICA / "SiO2_NIMROD.mint01")
    assert silica.neutron_f_barn_sr is not None
    q, f = np.array(silica.q_per_a), values(silica.neutron_f_barn_sr)
    expected = np.interp(q, measured[:, 0], measured[:, 1])
    part = q > 2.0
    assert np.corrcoef(f[part], expected[part])[0, 1] > 0.95
    # the scale is absolute
    assert (f[part] @ expected[part]) / (expected[part] @ expected[part]) == pytest.approx(1, abs=0.25)
    first = (q > 1.0) & (q < 2.2)
    assert q[first][np.argmax(f[first])] == pytest.approx(1.52, abs=0.15)
