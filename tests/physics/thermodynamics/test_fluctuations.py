"""Response functions of an ideal gas with vibrations, which are known exactly."""

import numpy as np
import pytest

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.fluctuations import response_functions
from tachylite.units import GPA_PER_EV_A3, KB_EV

N_ATOMS, KELVIN, GPA = 50, 300.0, 0.02


def test_an_ideal_gas_of_oscillators() -> None:
    """V is gamma distributed, and atoms have oscillators: kappa = 1/P, alpha = 1/T, c_P = 3/2 + 1 + 3/2."""
    rng = np.random.default_rng(0)
    pressure = GPA / GPA_PER_EV_A3
    volumes = rng.gamma(N_ATOMS, KB_EV * KELVIN / pressure, 40_000)
    energies = KB_EV * KELVIN * rng.gamma(1.5 * N_ATOMS, 1.0, 40_000)
    response = response_functions(energies, volumes, KELVIN, GPA, N_ATOMS)
    for measured, truth in (
        (response.compressibility_per_gpa, 1 / GPA),
        (response.thermal_expansion_per_k, 1 / KELVIN),
        (response.heat_capacity.k_b_per_atom, 4.0),
    ):
        assert abs(measured.value - truth) < 3.5 * measured.error
        assert measured.error < 0.03 * truth
    assert response.heat_capacity.constant == "pressure"


@pytest.mark.parametrize(("energies", "volumes"), [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, np.nan], [1.0, 2.0])])
def test_what_holds_no_fluctuations_is_refused(energies: list[float], volumes: list[float]) -> None:
    with pytest.raises(InputError, match=r"two equal series|not finite"):
        response_functions(energies, volumes, KELVIN, GPA, N_ATOMS)
