"""Formation energies, densities, the amorphous limit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.energies import amorphous_limit, density, formation_energy

REFERENCES = {"Li": -1.9, "P": -5.4, "O": -4.9}


def test_formation_energy_of_a_known_compound() -> None:
    # 8 atoms: -6.0 - (3 * -1.9 - 5.4 + 4 * -4.9) / 8
    assert formation_energy(-6.0, {"Li": 3, "P": 1, "O": 4}, REFERENCES) == pytest.approx(-2.1625)


@given(st.sampled_from(sorted(REFERENCES)), st.integers(1, 50))
def test_an_element_in_its_reference_phase_has_none(symbol: str, amount: int) -> None:
    assert formation_energy(REFERENCES[symbol], {symbol: amount}, REFERENCES) == pytest.approx(0, abs=1e-12)


@given(st.integers(1, 20), st.floats(-10, 0))
def test_only_the_proportions_matter(multiple: int, energy: float) -> None:
    unit = {"Li": 3, "P": 1, "O": 4}
    many = {symbol: multiple * n for symbol, n in unit.items()}
    assert formation_energy(energy, many, REFERENCES) == pytest.approx(formation_energy(energy, unit, REFERENCES))


def test_missing_references_are_named() -> None:
    with pytest.raises(InputError, match=r"no reference energy for Cl, S;"):
        formation_energy(-4.0, {"Li": 6, "S": 5, "P": 1, "Cl": 1}, REFERENCES)


@pytest.mark.parametrize("composition", [{}, {"Li": 0}, {"Li": 2, "O": -1}])
def test_a_composition_without_atoms_is_refused(composition: dict[str, int]) -> None:
    with pytest.raises(InputError, match="positive amounts"):
        formation_energy(-1.0, composition, REFERENCES)


def test_density_of_rock_salt_and_copper() -> None:
    # lattice parameters 5.6402 A and 3.6149 A (CRC Handbook): 2.163 and 8.935 g/cm^3
    assert density([22.98977, 35.453] * 4, 5.6402**3) == pytest.approx(2.1636, abs=2e-3)
    assert density([63.546] * 4, 3.6149**3) == pytest.approx(8.935, abs=3e-3)


@pytest.mark.parametrize("volume", [0.0, -3.0, math.nan])
def test_a_cell_without_volume_has_no_density(volume: float) -> None:
    with pytest.raises(InputError, match="not positive"):
        density([1.0], volume)


def test_the_lowest_snapshot_is_the_limit() -> None:
    limit = amorphous_limit([-2.0, -2.2, -2.1, -1.9])
    assert limit.lowest == -2.2
    assert limit.mean.value == pytest.approx(-2.05)
    assert limit.mean.error == pytest.approx(math.sqrt(0.05 / 3 / 4))
    assert amorphous_limit([-2.0]).mean.error == math.inf


@pytest.mark.parametrize("energies", [[], [math.nan], [-1.0, math.inf]])
def test_no_energies_give_no_limit(energies: list[float]) -> None:
    with pytest.raises(InputError, match="at least one"):
        amorphous_limit(energies)
