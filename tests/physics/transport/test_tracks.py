"""Tracks in bounded memory: the drift is gone, a breathing cell is no motion, thinning keeps what counts."""

import numpy as np
import pytest

from tachylite.physics.transport import tracks
from tachylite.physics.transport.diffusivity import diffusivity_of_tracks
from tachylite.physics.transport.displacement import remove_drift
from tachylite.physics.transport.tracks import Tracker

CELL = np.array([[9.0, 0, 0], [2.0, 8, 0], [0, 1, 10]])
MASSES = np.array([1.0, 2.0, 3.0, 50.0])


def walk(n_frames: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.cumsum(np.random.default_rng(0).normal(0, 0.3, (n_frames, 4, 3)), axis=0)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_give_the_tracks_of_the_whole(block: int) -> None:
    positions = walk(100) + np.linspace(0, 30, 100)[:, None, None]
    cells = np.broadcast_to(CELL, (100, 3, 3))
    tracker = Tracker(MASSES, [0, 2], [[1, 0, 1, 0]])
    for start in range(0, 100, block):
        tracker.add(positions[start : start + block], cells[start : start + block])
    gathered = tracker.tracks()
    expected = remove_drift(positions, MASSES)[:, [0, 2]]
    np.testing.assert_allclose(gathered.positions, expected, atol=1e-4)
    np.testing.assert_allclose(gathered.sums[:, 0], expected.sum(axis=1), atol=1e-9)
    assert (gathered.stride, gathered.n_frames, gathered.volume_change) == (1, 100, 0)
    assert gathered.volume_a3 == pytest.approx(abs(np.linalg.det(CELL)))


def test_a_breathing_cell_is_no_motion() -> None:
    """Atoms that stand still in it, one of them ten cells away, as unwrapping may leave it."""
    breathing = 1 + 0.03 * np.sin(np.arange(200) / 5)
    cells = CELL * breathing[:, None, None]
    scaled = np.array([[0, 0, 0], [10.0, 0.5, 0.5], [0.5, 0.5, 0], [0, 0.5, 0.5]])
    tracker = Tracker(MASSES, [1], [[0, 1, 0, 0]])
    tracker.add(scaled @ cells, cells)
    gathered = tracker.tracks()
    assert np.ptp(gathered.positions, axis=0).max() < 1e-4
    assert gathered.volume_change > 0.15


def test_thinning_bounds_memory_and_keeps_the_diffusivity(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = walk(4000)
    cells = np.broadcast_to(CELL, (4000, 3, 3))
    results = []
    for fewest in (5000, 1000):
        monkeypatch.setattr(tracks, "MEMORY_BYTES", 0)
        monkeypatch.setattr(tracks, "_FEWEST_STORED", fewest)
        tracker = Tracker(MASSES, [0, 1, 2], [[1, 1, 1, 0]])
        for start in range(0, 4000, 300):
            tracker.add(positions[start : start + 300], cells[start : start + 300])
        results.append(tracker.tracks())
    whole, thin = results
    assert (whole.stride, thin.stride, len(thin.positions), thin.n_frames) == (1, 2, 2000, 4000)
    np.testing.assert_array_equal(thin.positions, whole.positions[::2])
    d_whole, d_thin = (diffusivity_of_tracks(t.positions, float(t.stride)) for t in results)
    assert d_thin.diffusivity_cm2_s == pytest.approx(d_whole.diffusivity_cm2_s, rel=0.1)
