"""Layers: the ideal gas is as dense everywhere, Brownian ions cross a plane as often as their flux says."""

import numpy as np
import pytest
from scipy.stats import chi2

from tachylite.errors import InputError
from tachylite.physics.layers import Layering, exchanges, layer_densities

CELL = np.array([[12.0, 0, 0], [4.0, 10.0, 0], [3.0, 2.0, 40.0]])


def test_layers_of_a_tilted_cell_are_parallel_to_its_plane() -> None:
    layering = Layering(CELL, "c", 8)
    assert layering.thickness_a == pytest.approx(5)
    assert layering.area_a2 == pytest.approx(120)
    assert layering.axes @ layering.axes.T == pytest.approx(np.eye(3))
    inside = np.array([0.1, 0.3, 0.99]) @ CELL
    assert layering.indices(layering.places(inside @ layering.axes[2])) == 7
    across = Layering(CELL, "a", 3)
    assert across.height_a * across.area_a2 == pytest.approx(np.linalg.det(CELL))
    assert abs(across.axes[2] @ CELL[1]) < 1e-9


def test_layers_thinner_than_atoms_are_refused() -> None:
    with pytest.raises(InputError, match=r"20 layers along c are 2.00 A thick each, .* 13 fit"):
        Layering(CELL, "c", 20)
    with pytest.raises(InputError, match="0 layers"):
        Layering(CELL, "c", 0)


def test_an_ideal_gas_is_as_dense_everywhere_within_its_errors() -> None:
    layering = Layering(CELL, "c", 8)
    squares = []
    for seed in range(30):
        places = np.random.default_rng(seed).random((200, 60)) * 8
        densities = layer_densities(layering.indices(places), layering)
        truth = 60 / np.linalg.det(CELL)
        assert sum(d.value for d in densities) / 8 == pytest.approx(truth)
        squares += [((d.value - truth) / d.error) ** 2 for d in densities]
    # of eight layers with a fixed number of atoms 7/8 of the variance is that of counting, which the errors know
    assert chi2.sf(np.sum(squares), len(squares)) > 1e-3
    assert chi2.cdf(np.sum(squares), len(squares)) > 1e-3


def test_brownian_ions_cross_as_often_as_their_flux_says() -> None:
    """Between two planes 1 A before and behind that one, n D A / 2 A each way, planes a little farther for the steps.

    A walk that is looked at every step sees a boundary farther away by 0.5826 of a step (DOI 10.1111/1467-9965.00035).
    """
    layering, step, n_ions, n_frames = Layering(CELL, "c", 4), 0.1, 60, 4000
    numbers, errors, covered = [], [], []
    expected = 2 * n_ions / 40.0 * step**2 / 2 / (2 * (1 + 0.5826 * step))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        heights = rng.random(n_ions) * 40 + np.cumsum(rng.normal(scale=step, size=(n_frames, n_ions)), axis=0)
        for plane in exchanges(layering.places(heights), layering, 1000.0):
            numbers.append(plane.number / (n_frames - 1))
            errors.append(plane.rate_per_ps.error)
            covered.append(plane.interval_per_ps.low <= expected <= plane.interval_per_ps.high)
            assert plane.rate_per_ps.value == pytest.approx(numbers[-1])
    assert np.mean(numbers) == pytest.approx(expected, abs=3.5 * np.std(numbers) / len(numbers) ** 0.5)
    # who has crossed is clear of the plane for a while, which makes crossings a little more regular than by chance
    assert 0.9 < np.mean(errors) / np.std(numbers) < 1.9
    assert np.mean(covered) > 0.85


def test_ions_that_vibrate_through_a_plane_have_not_crossed_it() -> None:
    layering = Layering(np.diag([10.0, 10.0, 20.0]), "c", 2)
    heights = 10.0 + 0.8 * np.sin(np.arange(200.0))[:, None]
    planes = exchanges(layering.places(heights), layering, 10.0)
    assert [plane.number for plane in planes] == [0, 0]
    assert planes[1].interval_per_ps.high == pytest.approx(3.689 / 1.99, rel=1e-3)
    jump = np.where(np.arange(200) < 100, 8.0, 12.0)[:, None] + 20.0
    assert [plane.number for plane in exchanges(layering.places(jump), layering, 10.0)] == [0, 1]
