"""Heat capacity and thermal expansion against exact results."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.heat import fluctuation_heat_capacity, thermal_expansion
from tachylite.units import KB_EV

ATOMS, KELVIN = 40, 500.0


def oscillators(seed: int, n: int = 4000, tau: float = 10.0) -> NDArray[np.float64]:
    """Potential energies of a harmonic solid: each of 3 N coordinates holds k T / 2."""
    decay = np.exp(-1 / tau)
    noise = np.random.default_rng(seed).normal(size=(3 * ATOMS, n + 200))
    coordinates = lfilter([(1 - decay**2) ** 0.5], [1, -decay], noise)[:, 200:]
    return np.asarray(KB_EV * KELVIN / 2 * (coordinates**2).sum(axis=0))


def test_a_harmonic_solid_has_three_k_within_its_error() -> None:
    """The law of Dulong and Petit."""
    capacities = [fluctuation_heat_capacity(oscillators(seed), KELVIN, ATOMS).k_b_per_atom for seed in range(60)]
    inside = sum(abs(c.value - 3) < 1.96 * c.error for c in capacities)
    assert inside >= 52
    assert np.mean([c.value for c in capacities]) == pytest.approx(3, abs=0.03)


def test_short_runs_are_not_biased() -> None:
    short = [fluctuation_heat_capacity(oscillators(seed, n=200), KELVIN, ATOMS) for seed in range(300)]
    values = [capacity.k_b_per_atom.value for capacity in short]
    assert np.mean(values) == pytest.approx(3, abs=4 * np.std(values) / 300**0.5)


def test_two_volumes_give_their_line() -> None:
    expansion = thermal_expansion([300, 500], [100, 102], [0.1, 0.1])
    assert expansion.temperature_k == pytest.approx(400)
    assert expansion.volume_a3_per_atom == pytest.approx(101)
    assert expansion.coefficient_per_k.value == pytest.approx(2 / 200 / 101)
    assert expansion.coefficient_per_k.error == pytest.approx(0.1 * 2**0.5 / 200 / 101, rel=1e-3)


def test_the_error_of_the_expansion_is_the_scatter_of_its_value() -> None:
    rng = np.random.default_rng(0)
    temperatures = np.array([300.0, 600, 900, 1200])
    errors = np.array([0.1, 0.3, 0.2, 0.4])
    expansions = [
        thermal_expansion(temperatures, 100 * (1 + 5e-5 * (temperatures - 300)) + rng.normal(0, errors), errors)
        for _ in range(2000)
    ]
    values = [f.coefficient_per_k.value * f.volume_a3_per_atom for f in expansions]
    assert np.mean(values) == pytest.approx(5e-3, rel=0.02)
    # where chi^2 is larger than expected by chance the errors grow
    assert 1.0 < np.mean([f.coefficient_per_k.error * f.volume_a3_per_atom for f in expansions]) / np.std(values) < 1.25


def test_volumes_that_are_no_line_widen_the_error() -> None:
    straight = thermal_expansion([300, 600, 900], [100, 101, 102], [0.01] * 3)
    bent = thermal_expansion([300, 600, 900], [100, 100.2, 102], [0.01] * 3)
    assert bent.coefficient_per_k.error > 10 * straight.coefficient_per_k.error


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="needs two temperatures"):
        thermal_expansion([300, 300], [100, 101], [1, 1])
    with pytest.raises(InputError, match="positive and finite"):
        thermal_expansion([300, 400], [100, 101], [0, 1])
    with pytest.raises(InputError, match="fluctuations need a series"):
        fluctuation_heat_capacity([1.0], 300, 10)
    with pytest.raises(InputError, match="must be greater than 0"):
        fluctuation_heat_capacity([1.0, 2.0], 0, 10)
