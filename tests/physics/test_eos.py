import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.eos import BirchMurnaghan, fit_birch_murnaghan
from tachylite.units import KBAR_PER_GPA

SILICON_VOLUMES = [82.5948710, 161.3181074, 278.7576896]
SILICON_PRESSURES_GPA = [p / KBAR_PER_GPA for p in (1789.0961, 30.0701, -67.3092)]


def test_amorphous_silicon_as_published() -> None:
    """Three VASP points of a-Si at 300 K and what mpmorph publishes for them."""
    fit = fit_birch_murnaghan(SILICON_VOLUMES, SILICON_PRESSURES_GPA)
    assert fit.volume == pytest.approx(171.512266, abs=2e-5)
    assert fit.bulk_modulus * KBAR_PER_GPA == pytest.approx(424.978, abs=1e-3)
    assert fit.bulk_modulus_derivative == pytest.approx(4.686, abs=5e-4)
    assert np.isnan(fit.volume_error), "three points without errors say nothing of the error"


def equation(volume: float, modulus: float, derivative: float) -> BirchMurnaghan:
    return BirchMurnaghan(volume, modulus, derivative, 0, 0, 0)


@given(
    volume=st.floats(5, 5000),
    modulus=st.floats(0.05, 500),
    derivative=st.floats(2.5, 9),
    ends=st.tuples(st.floats(0.7, 0.95), st.floats(1.02, 1.25)),
)
def test_exact_pressures_give_the_equation_back(
    volume: float, modulus: float, derivative: float, ends: tuple[float, float]
) -> None:
    volumes = volume * np.linspace(*ends, 5)
    fit = fit_birch_murnaghan(volumes, equation(volume, modulus, derivative).pressure(volumes), np.full(5, 0.1))
    assert fit.volume == pytest.approx(volume, rel=1e-5)
    assert fit.bulk_modulus == pytest.approx(modulus, rel=1e-3)
    assert fit.bulk_modulus_derivative == pytest.approx(derivative, rel=1e-2)


def test_errors_are_those_of_repeated_measurements() -> None:
    rng = np.random.default_rng(1)
    volumes, sigma = np.array([800, 900, 1000, 1100, 1200.0]), 0.3
    exact = equation(1000, 20, 5).pressure(volumes)
    fits = [fit_birch_murnaghan(volumes, exact + sigma * rng.standard_normal(5), np.full(5, sigma)) for _ in range(400)]
    for name in ("volume", "bulk_modulus", "bulk_modulus_derivative"):
        spread = np.std([getattr(f, name) for f in fits])
        assert np.median([getattr(f, f"{name}_error") for f in fits]) == pytest.approx(spread, rel=0.25), name


def test_the_scatter_gives_the_errors_where_none_are_known() -> None:
    rng = np.random.default_rng(2)
    volumes, sigma = np.linspace(800, 1200, 40), 0.3
    noisy = equation(1000, 20, 5).pressure(volumes) + sigma * rng.standard_normal(40)
    assert fit_birch_murnaghan(volumes, noisy).volume_error == pytest.approx(
        fit_birch_murnaghan(volumes, noisy, np.full(40, sigma)).volume_error, rel=0.3
    )


@pytest.mark.parametrize(
    ("volumes", "pressures", "errors", "message"),
    [
        ([1, 2], [1, -1], None, "needs three points, got 2"),
        ([1, 2, 2], [1, -1, -1], None, "three different volumes"),
        ([1, 2, 3], [1, 0.5], None, "differ in shape"),
        ([1, 2, 3], [3, 2, np.nan], None, "finite"),
        ([1, 2, -3], [3, 2, 1], None, "positive"),
        ([10, 20, 30], [30, 20, 15], None, "no zero"),
    ],
)
def test_bad_input_is_refused(
    volumes: list[float], pressures: list[float], errors: list[float] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        fit_birch_murnaghan(volumes, pressures, errors)
