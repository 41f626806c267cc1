"""Haven ratios of ions that move alone and together, conductivity and size corrections against numbers by hand."""

import numpy as np
import pytest

from tachylite.errors import InputError
from tachylite.physics.statistics import log_normal_interval
from tachylite.physics.transport.collective import conductivity, extrapolate_size, finite_size_correction, haven_ratio
from tachylite.physics.transport.diffusivity import DiffusivityEstimate, TracerDiffusivity, diffusivity_of_tracks


def pair(together: int, seed: int) -> tuple[TracerDiffusivity, TracerDiffusivity]:
    """Tracer and collective diffusivity of 24 ions that walk in groups of `together`."""
    steps = np.random.default_rng(seed).normal(0, 0.4, (3000, 24 // together, 3))
    tracks = np.cumsum(np.repeat(steps, together, axis=1), axis=0)
    tracer = diffusivity_of_tracks(tracks, 1.0)
    total = tracks.sum(axis=1, keepdims=True) / 24**0.5
    return tracer, diffusivity_of_tracks(total, 1.0, tracer.fit_start_fs or 0.0)


@pytest.mark.parametrize("together", [1, 3])
def test_ions_that_walk_in_groups_have_their_haven_ratio(together: int) -> None:
    ratios = [haven_ratio(*pair(together, seed)) for seed in range(12)]
    resolved = [(ratio, interval) for ratio, interval in ratios if ratio is not None and interval is not None]
    assert len(resolved) >= 8
    assert sum(interval.low < 1 / together < interval.high for _, interval in resolved) >= len(resolved) - 2
    assert np.median([ratio for ratio, _ in resolved]) == pytest.approx(1 / together, rel=0.4)


def test_what_does_not_move_has_no_haven_ratio() -> None:
    still = diffusivity_of_tracks(np.zeros((100, 4, 3)), 1.0)
    assert haven_ratio(still, still) == (None, None)


def test_nernst_einstein_by_hand() -> None:
    # n e^2 D / kT = 1e28 m^-3 (1.602e-19 C)^2 1e-9 m^2/s / (1.381e-23 J/K 1000 K) = 18.59 S/m
    sodium = DiffusivityEstimate(
        diffusive=True,
        diffusivity_cm2_s=1e-5,
        diffusivity_interval_cm2_s=log_normal_interval(1e-5, 0.1),
        n_independent=10.0,
    )
    value, interval = conductivity(sodium, 1.0, 0.01, 1000.0)
    assert value is not None
    assert interval is not None
    assert value == pytest.approx(0.1859, rel=1e-3)
    assert interval.high / interval.low == pytest.approx(np.exp(2 * 1.959964 * 0.1), rel=1e-5)
    assert conductivity(sodium, -2.0, 0.01, 1000.0)[0] == pytest.approx(4 * value)
    with pytest.raises(InputError, match="above 0 K"):
        conductivity(sodium, 1.0, 0.01, 0.0)


def test_yeh_and_hummer_by_hand() -> None:
    # 2.837297 * 1.380649e-23 J/K * 300 K / (6 pi * 1e-3 Pa s * 2e-9 m) = 3.117e-10 m^2/s
    assert finite_size_correction(300.0, 1e-3, 20.0) == pytest.approx(3.117e-6, rel=1e-3)
    with pytest.raises(InputError, match="viscosity 0 must be greater than 0"):
        finite_size_correction(300.0, 0.0, 20.0)


def test_sizes_extrapolate_to_a_cell_without_end() -> None:
    lengths = np.array([10.0, 15.0, 25.0])
    values = 2e-5 - finite_size_correction(300.0, 1e-3, 1.0) / lengths
    fit = extrapolate_size(lengths, values, 0.01 * values, 300.0)
    assert fit.diffusivity_cm2_s.value == pytest.approx(2e-5, rel=1e-6)
    assert fit.viscosity_pa_s == pytest.approx(1e-3, rel=1e-6)
    assert fit.diffusivity_cm2_s.error > 0.01 * 2e-5
    assert extrapolate_size(lengths, values[::-1], 0.01 * values, 300.0).viscosity_pa_s is None
    with pytest.raises(InputError, match="needs two sizes"):
        extrapolate_size([10.0, 10.0], [1e-5, 1e-5], [1e-6, 1e-6], 300.0)
