"""Diffusivities of walks with known D, of liquid sodium, and refusals of what does not diffuse."""

import gzip
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference_data import reference

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.transport.diffusivity import TracerDiffusivity, diffusivity
from tachylite.physics.transport.displacement import mean_squared_displacement, remove_drift, unwrap
from tachylite.units import CM2_S_PER_A2_FS

LIQUID_NA = reference("liquid_na")
TIMESTEP_FS = 20.0
D_CM2_S = 5e-5


def walk(n_frames: int, n_atoms: int, seed: int, d_cm2_s: float = D_CM2_S) -> Array:
    """Brownian motion; the heavy last atom keeps the centre of mass where it is."""
    sigma = np.sqrt(2 * d_cm2_s / CM2_S_PER_A2_FS * TIMESTEP_FS)
    steps = np.random.default_rng(seed).normal(0, sigma, (n_frames, n_atoms + 1, 3))
    steps[:, -1] = 0
    return np.cumsum(steps, axis=0)


def analyse(positions: Array, timestep_fs: float = TIMESTEP_FS) -> TracerDiffusivity:
    n_atoms = positions.shape[1] - 1
    masses = np.append(np.ones(n_atoms), 1e12)
    return diffusivity(positions, np.arange(n_atoms), masses, timestep_fs)


def vibration(n_frames: int, n_atoms: int, seed: int, amplitude_a: float, period: float = 7.3) -> Array:
    """Damped stochastic oscillators around fixed sites: an Einstein solid with memory of a few periods."""
    rng = np.random.default_rng(seed)
    decay, angle = np.exp(-1 / (3 * period)), 2 * np.pi / period
    state = rng.normal(0, amplitude_a, (n_atoms + 1, 3)).astype(np.complex128)
    frames = []
    for _ in range(n_frames):
        kick = rng.normal(0, amplitude_a * np.sqrt(1 - decay**2), (2, n_atoms + 1, 3))
        state = state * decay * np.exp(1j * angle) + kick[0] + 1j * kick[1]
        frames.append(state.real.copy())
    positions = np.array(frames)
    positions[:, -1] = 0
    return positions


def read_xdatcar(path: Path) -> tuple[Array, Array]:
    with gzip.open(path, "rt") as file:
        lines = file.read().splitlines()
    cell = np.array([line.split() for line in lines[2:5]], dtype=float)
    rows = [line.split() for line in lines[7:] if line.strip() and not line.startswith("Direct")]
    return np.array(rows, dtype=float).reshape(-1, 100, 3) @ cell, cell


@pytest.mark.reference("liquid_na")
@pytest.mark.parametrize(
    ("temperature", "published", "kinisi"), [("671.0", 1.272e-4, 1.275e-4), ("763.5", 1.605e-4, 1.610e-4)]
)
def test_liquid_sodium_has_its_published_diffusivity(temperature: str, published: float, kinisi: float) -> None:
    wrapped, cell = read_xdatcar(LIQUID_NA / f"XDATCAR_{temperature}.gz")
    positions = unwrap(wrapped[250:], cell)
    start = time.perf_counter()
    result = diffusivity(positions, np.arange(100), np.full(100, 22.99), 2.0)
    assert time.perf_counter() - start < 3
    assert result.diffusive
    assert result.diffusivity_cm2_s is not None
    interval = result.diffusivity_interval_cm2_s
    assert interval is not None
    low, high = interval.low, interval.high
    assert low < published < high
    assert result.diffusivity_cm2_s == pytest.approx(kinisi, rel=0.05)
    assert 1.1 < high / low < 1.6
    assert len(result.lags_fs) == len(result.msd_a2) == len(result.msd_error_a2) == 60
    assert result.fit_start_fs is not None
    assert 150 < result.fit_start_fs < 600


@pytest.mark.slow
@pytest.mark.parametrize(("n_frames", "n_atoms"), [(200, 20), (1000, 8), (400, 50)])
def test_intervals_cover_the_diffusivity_of_brownian_motion(n_frames: int, n_atoms: int) -> None:
    results = [analyse(walk(n_frames, n_atoms, seed)) for seed in range(100)]
    intervals = [r.diffusivity_interval_cm2_s for r in results if r.diffusivity_interval_cm2_s is not None]
    covered = [interval.low < D_CM2_S < interval.high for interval in intervals]
    values = np.array([r.diffusivity_cm2_s for r in results if r.diffusivity_interval_cm2_s is not None])
    assert len(intervals) >= 95
    assert 0.88 <= np.mean(covered) <= 1.0
    assert values.mean() == pytest.approx(D_CM2_S, rel=0.06)
    assert np.std(np.log(values)) > 0.4 * np.median([r.ln_error for r in results if r.ln_error])


@pytest.mark.slow
def test_intervals_cover_rare_jumps_between_sites() -> None:
    rng = np.random.default_rng(0)
    n_frames, n_atoms, jump_a, rate = 800, 30, 2.5, 0.002
    d = rate * jump_a**2 / 6 / TIMESTEP_FS * CM2_S_PER_A2_FS
    covered = []
    for seed in range(60):
        jumps = rng.choice([-1, 1], (n_frames, n_atoms + 1, 1)) * np.eye(3)[rng.integers(0, 3, (n_frames, n_atoms + 1))]
        jumps *= (rng.random((n_frames, n_atoms + 1, 1)) < rate) * jump_a
        jumps[:, -1] = 0
        result = analyse(np.cumsum(jumps, axis=0) + vibration(n_frames, n_atoms, seed, 0.25))
        if (interval := result.diffusivity_interval_cm2_s) is not None:
            covered.append(interval.low < d < interval.high)
    assert len(covered) > 50
    assert np.mean(covered) >= 0.88


@pytest.mark.slow
def test_agrees_with_kinisi_on_the_covariance_and_the_diffusivity() -> None:
    import scipp as sc
    from kinisi.diffusion import Diffusion

    lags = np.arange(5, 301, 5)
    positions = walk(600, 40, seed=5)[:, :-1]
    curve = mean_squared_displacement(positions, lags)
    group = sc.DataGroup(
        {
            "da": sc.DataArray(
                sc.array(dims=["time interval"], values=curve.msd_a2, variances=curve.error_a2**2, unit="angstrom**2"),
                coords={
                    "time interval": sc.array(dims=["time interval"], values=lags * TIMESTEP_FS, unit="fs"),
                    "n_samples": sc.array(dims=["time interval"], values=curve.n_independent),
                },
            ),
            "dimensionality": sc.scalar(3),
        }
    )
    reference = Diffusion(group)
    reference._diffusion(5 * TIMESTEP_FS * sc.Unit("fs"), progress=False, random_state=np.random.RandomState(1))
    samples = reference.D.values
    ours = analyse(walk(600, 40, seed=5))
    assert ours.diffusivity_cm2_s == pytest.approx(samples.mean(), abs=2 * samples.std())
    n, v = curve.n_independent, curve.error_a2**2
    i, j = np.indices((lags.size, lags.size))
    closed = (v * n)[np.minimum(i, j)] / n[np.maximum(i, j)]
    np.testing.assert_allclose(reference.covariance_matrix.values, closed, rtol=1e-3)


def test_a_walk_has_its_diffusivity() -> None:
    result = analyse(walk(1000, 100, seed=1))
    assert result.diffusive
    assert result.reason is None
    assert result.upper_bound_cm2_s is None
    assert result.diffusivity_cm2_s == pytest.approx(D_CM2_S, rel=0.15)
    interval = result.diffusivity_interval_cm2_s
    assert interval is not None
    assert result.ln_error == pytest.approx(
        np.log(interval.high / (result.diffusivity_cm2_s or 1)) / 1.959964, rel=1e-6
    )
    assert 100 < result.n_independent < 250
    np.testing.assert_allclose(np.diff(result.lags_fs[-3:]), 160, atol=21)
    np.testing.assert_allclose(result.msd_a2, 6 * D_CM2_S / CM2_S_PER_A2_FS * np.array(result.lags_fs), rtol=0.5)


@pytest.mark.parametrize("amplitude", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("seed", range(5))
def test_a_harmonic_solid_does_not_diffuse(amplitude: float, seed: int) -> None:
    result = analyse(vibration(500, 20, seed, amplitude))
    assert not result.diffusive
    assert "plateau" in (result.reason or "")
    assert result.diffusivity_cm2_s is None
    assert result.diffusivity_interval_cm2_s is None
    assert result.upper_bound_cm2_s is not None
    # MSD of independent positions is 2 * 3 * amplitude^2
    longest = 250 * TIMESTEP_FS
    assert result.upper_bound_cm2_s == pytest.approx(amplitude**2 / longest * CM2_S_PER_A2_FS, rel=0.5)


def test_a_slow_walk_that_left_no_site_is_refused_with_a_bound() -> None:
    result = analyse(walk(300, 30, seed=2, d_cm2_s=5e-7))
    assert not result.diffusive
    assert "less than a jump" in (result.reason or "")
    assert result.upper_bound_cm2_s is not None
    assert 5e-7 < result.upper_bound_cm2_s < 1.5e-6


def test_ballistic_flight_is_refused() -> None:
    velocities = np.random.default_rng(3).normal(0, 0.1, (31, 3))
    velocities[-1] = 0
    result = analyse(np.arange(100)[:, None, None] * velocities)
    assert not result.diffusive
    assert "t^" in (result.reason or "")


def test_subdiffusion_is_refused() -> None:
    # fractional Brownian motion with MSD ~ t^0.3, from its exact covariance
    n, exponent = 300, 0.3
    t = np.arange(1, n + 1)
    covariance = 0.5 * (
        t[:, None] ** exponent + t[None] ** exponent - np.abs(t[:, None] - t[None]).astype(float) ** exponent
    )
    factor = np.linalg.cholesky(covariance + 1e-10 * np.eye(n))
    noise = np.random.default_rng(4).standard_normal((n, 61 * 3))
    positions = (factor @ noise).reshape(n, 61, 3)
    positions[:, -1] = 0
    result = analyse(positions)
    assert not result.diffusive
    assert "subdiffusive" in (result.reason or "")


@given(
    st.integers(1, 45), st.integers(0, 3), st.sampled_from(["zeros", "walk", "jump", "nan", "line"]), st.integers(0, 9)
)
def test_short_and_odd_trajectories_get_an_answer(n_frames: int, n_atoms: int, shape: str, seed: int) -> None:
    positions = walk(n_frames, n_atoms, seed)
    if shape == "zeros":
        positions[:] = 0
    elif shape == "jump":
        positions[:] = 0
        positions[n_frames // 2 :] = seed
    elif shape == "nan":
        positions[-1] = np.nan
    elif shape == "line":
        positions = np.arange(n_frames)[:, None, None] * np.ones((n_atoms + 1, 3))
    result = analyse(positions)
    assert result.diffusive is (result.reason is None)
    assert result.diffusive is (result.diffusivity_cm2_s is not None)
    assert n_frames >= 20 or not result.diffusive


def test_drift_of_the_cell_is_removed() -> None:
    positions = walk(300, 30, seed=6)
    masses = np.random.default_rng(6).uniform(1, 50, 31)
    drifting = positions + np.linspace(0, 40, 300)[:, None, None]
    np.testing.assert_allclose(remove_drift(drifting, masses), remove_drift(positions, masses), atol=1e-9)
    centre = np.einsum("fai,a->fi", remove_drift(drifting, masses), masses)
    np.testing.assert_allclose(centre, 0, atol=1e-9)
    with pytest.raises(InputError, match="30 masses for 31 atoms"):
        remove_drift(positions, masses[:-1])


def test_displacements_count_windows_that_do_not_overlap() -> None:
    curve = mean_squared_displacement(walk(401, 50, seed=7)[:, :-1], [1, 10, 100])
    assert curve.n_independent[0] <= 50 * 400
    np.testing.assert_allclose(curve.n_independent * curve.lags, curve.n_independent[0], rtol=1e-12)
    np.testing.assert_allclose(curve.error_a2, np.sqrt(curve.variance_a4 / curve.n_independent))
    with pytest.raises(InputError, match="between 1 and 400"):
        mean_squared_displacement(walk(401, 2, seed=7), [401])


def test_atoms_that_move_together_count_once() -> None:
    single = walk(2000, 1, seed=8)[:, :1]
    together = mean_squared_displacement(np.repeat(single, 40, axis=1), [10, 100, 200])
    alone = mean_squared_displacement(walk(2000, 40, seed=9)[:, :-1], [10, 100, 200])
    assert together.n_independent[0] == pytest.approx(199.9, rel=0.3)
    assert alone.n_independent[0] > 0.5 * 40 * 199.9


@pytest.mark.slow
@pytest.mark.parametrize(("n_frames", "n_atoms"), [(200, 20), (300, 100), (1500, 8)])
def test_intervals_cover_what_ordinary_least_squares_does_not(n_frames: int, n_atoms: int) -> None:
    """Of 200 intervals about 190 hold the truth; as few as 180 come by chance once in a thousand times."""
    ours, plain = [], []
    for seed in range(200):
        result = analyse(walk(n_frames, n_atoms, seed + 1000))
        interval = result.diffusivity_interval_cm2_s
        assert interval is not None
        ours.append(interval.low < D_CM2_S < interval.high)
        design = np.column_stack([result.lags_fs, np.ones(len(result.lags_fs))])
        solution, residuals, *_ = np.linalg.lstsq(design, result.msd_a2, rcond=None)
        variance = residuals[0] / (len(design) - 2) * np.linalg.inv(design.T @ design)[0, 0]
        plain.append(abs(solution[0] - 6 * D_CM2_S / CM2_S_PER_A2_FS) < 1.96 * variance**0.5)
    assert 0.90 <= np.mean(ours) <= 0.99
    assert np.mean(plain) < 0.5


def test_the_overlap_of_windows_is_that_of_repeated_walks() -> None:
    """Covariance of the points over 2000 walks of one coordinate against the closed form."""
    lags = np.array([2, 5, 10, 20, 40])
    steps = np.random.default_rng(10).normal(0, 1, (2000, 100))
    x = np.concatenate([np.zeros((2000, 1)), np.cumsum(steps, axis=1)], axis=1)
    msd = np.stack([((x[:, lag:] - x[:, :-lag]) ** 2).mean(axis=1) for lag in lags])
    observed = np.cov(msd)
    curve = mean_squared_displacement(x[0][:, None, None] * np.ones(3), lags)
    short, long = np.minimum.outer(lags, lags), np.maximum.outer(lags, lags)
    expected = 2.0 * short**2 * long / 100 * curve.overlap
    np.testing.assert_allclose(observed, expected, rtol=0.2)
    assert curve.overlap[0, 0] < 0.85
