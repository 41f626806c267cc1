"""Diffusion by layer of walkers whose diffusivity depends on where they are."""

import numpy as np
import pytest

from tachylite.arrays import Array
from tachylite.physics.layers import Layering
from tachylite.physics.transport.layers import layer_diffusivities

LAYERING = Layering(np.diag([20.0, 20.0, 60.0]), "c", 4)


def walk(seed: int, n: int, frames: int, by_layer: Array) -> Array:
    """Positions (frames, n, 3) of walkers in A, with a diffusivity of each layer in A^2 a frame.

    Steps along the normal are taken as often as their reverse, so that the walkers are as dense everywhere.
    """
    rng = np.random.default_rng(seed)
    positions = np.zeros((frames, n, 3))
    positions[0, :, 2] = rng.random(n) * LAYERING.height_a

    def width(height: Array) -> Array:
        layers = LAYERING.indices(LAYERING.places(height))
        return np.asarray(np.sqrt(2 * by_layer[layers]))

    for frame in range(1, frames):
        here = positions[frame - 1, :, 2]
        step = rng.normal(size=n) * width(here)
        ratio = width(here) / width(here + step)
        back = ratio * np.exp((step / width(here)) ** 2 / 2 - (step / width(here + step)) ** 2 / 2)
        positions[frame, :, 2] = here + np.where(rng.random(n) < back, step, 0.0)
        positions[frame, :, :2] = positions[frame - 1, :, :2] + rng.normal(size=(n, 2)) * width(here)[:, None]
    return positions


def test_a_known_profile_is_recovered_within_its_intervals() -> None:
    """In the plane and along the normal, where neighbouring layers differ by a factor of three."""
    truth = np.array([0.02, 0.06, 0.02, 0.06])
    covered: dict[str, list[bool]] = {"in_plane": [], "normal": []}
    differences: dict[str, list[float]] = {"in_plane": [], "normal": []}
    for seed in range(6):
        tracks = walk(seed, 80, 800, truth)
        measured = layer_diffusivities(tracks, LAYERING.places(tracks[..., 2]), LAYERING, 1.0)
        for layer, d in zip(measured, truth * 0.1, strict=True):  # 0.1 cm^2/s are 1 A^2/fs
            for direction, hits in covered.items():
                estimate = getattr(layer, direction)
                assert estimate.diffusive
                assert estimate.ln_error < 0.25
                interval = estimate.diffusivity_interval_cm2_s
                hits.append(interval.low <= d <= interval.high)
                differences[direction].append(np.log(estimate.diffusivity_cm2_s / d))
    for direction, hits in covered.items():
        assert np.mean(hits) >= 0.8
        assert abs(np.mean(differences[direction])) < 0.06


def test_layers_with_few_ions_or_little_time_are_refused() -> None:
    still = np.zeros((200, 1, 3))
    alone = layer_diffusivities(still, LAYERING.places(still[..., 2]), LAYERING, 1.0)
    assert alone[0].in_plane.reason == "1 ions in this layer on average; 2 are needed"
    assert alone[1].normal.reason == "0 ions in this layer on average; 2 are needed"
    fast = walk(0, 30, 60, np.full(4, 40.0))
    hasty = layer_diffusivities(fast, LAYERING.places(fast[..., 2]), LAYERING, 1.0)
    assert all("stay in this layer" in (layer.in_plane.reason or "") for layer in hasty)
    assert not any(layer.normal.diffusive for layer in hasty)


@pytest.mark.parametrize("amplitude", [0.0, 0.3])
def test_ions_of_a_solid_do_not_diffuse(amplitude: float) -> None:
    rng = np.random.default_rng(0)
    sites = rng.random((60, 3)) * [20, 20, 60]
    tracks = sites + amplitude * rng.normal(size=(400, 60, 3))
    for layer in layer_diffusivities(tracks, LAYERING.places(tracks[..., 2]), LAYERING, 1.0):
        assert not layer.in_plane.diffusive
        assert not layer.normal.diffusive
