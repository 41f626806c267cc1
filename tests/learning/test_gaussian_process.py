"""The Gaussian process against scikit-learn's with the same kernel, and on functions it should learn."""

import numpy as np
import pytest

from tachylite.learning.gaussian_process import GaussianProcess
from tachylite.units import KB_EV

KINDS = (0, 1, 1, 2, 2)


def table(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """1/kT, two descriptors, two fractions; a smooth target."""
    generator = np.random.default_rng(seed)
    fraction = generator.uniform(0.2, 0.8, n)
    inputs = np.column_stack(
        [
            1 / (KB_EV * generator.uniform(800, 2500, n)),
            generator.normal(3, 2, n),
            generator.normal(size=n),
            fraction,
            1 - fraction,
        ]
    )
    target = np.sin(inputs[:, 1] / 2) + 2 * inputs[:, 3] - 0.1 * inputs[:, 0]
    return inputs, target


def test_against_another_implementation() -> None:
    process = pytest.importorskip("sklearn.gaussian_process")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    inputs, target = table()
    target += 0.1 * np.random.default_rng(7).normal(size=len(target))
    ours = GaussianProcess.fit(inputs, target, KINDS, unscaled=2)
    lengths = np.exp(ours.log_lengths)[ours.kinds.astype(int)]
    kernel = np.exp(ours.log_variance) * kernels.Matern(lengths, nu=1.5) + kernels.WhiteKernel(np.exp(ours.log_noise))
    other = process.GaussianProcessRegressor(kernel, alpha=0, optimizer=None).fit(ours.rows, ours.target)
    new, _ = table(20, seed=1)
    mean, deviation = other.predict((new - ours.mean) / ours.scale, return_std=True)
    np.testing.assert_allclose(ours.centre(new), ours.offset + ours.spread_of_target * mean, rtol=1e-6)
    np.testing.assert_allclose(ours.spread(new), ours.spread_of_target * deviation, rtol=1e-5)
    # the maximum of the marginal likelihood is one for the other implementation too
    _, gradient = other.log_marginal_likelihood(other.kernel_.theta, eval_gradient=True)
    assert abs(gradient[0]) < 0.05  # variance
    assert abs(gradient[-1]) < 0.05  # noise
    for kind in range(3):
        assert abs(gradient[1:-1][ours.kinds == kind].sum()) < 0.05


def test_it_learns_a_smooth_function_and_knows_where_it_does_not_know() -> None:
    inputs, target = table(120)
    process = GaussianProcess.fit(inputs[:100], target[:100], KINDS, unscaled=2)
    error = process.centre(inputs[100:]) - target[100:]
    assert np.sqrt(np.mean(error**2)) < 0.15 * target.std()
    far = inputs[100:].copy()
    far[:, 1] += 50
    assert (process.spread(far) > 2 * process.spread(inputs[100:])).all()


def test_noise_is_found() -> None:
    inputs, target = table(150)
    noisy = target + 0.3 * np.random.default_rng(5).normal(size=len(target))
    process = GaussianProcess.fit(inputs, noisy, KINDS, unscaled=2)
    assert np.exp(process.log_noise / 2) * process.spread_of_target == pytest.approx(0.3, rel=0.25)


def test_constant_columns_and_targets_do_no_harm() -> None:
    inputs, target = table()
    inputs[:, 0], inputs[:, 2] = 12, 7
    assert np.isfinite(GaussianProcess.fit(inputs, target, KINDS, unscaled=2).centre(inputs)).all()
    np.testing.assert_allclose(
        GaussianProcess.fit(inputs, np.full(60, 2.0), KINDS, unscaled=2).centre(inputs), 2.0, atol=1e-6
    )


def test_arrays_make_it_again() -> None:
    inputs, target = table()
    process = GaussianProcess.fit(inputs, target, KINDS, unscaled=2)
    again = GaussianProcess.from_arrays(process.arrays())
    np.testing.assert_array_equal(again.centre(inputs), process.centre(inputs))
    np.testing.assert_array_equal(again.spread(inputs), process.spread(inputs))
