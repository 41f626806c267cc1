"""The tables of the elements: complete, sourced, and in accord with values known elsewhere."""

import pytest
from ase.data import atomic_masses, atomic_numbers

from tachylite.descriptors.elemental import covalent_radius, elemental_property, elements_with_property, property_source
from tachylite.errors import InputError

PROPERTIES = (
    "mass_u",
    "atomic_radius_a",
    "cation_radius_a",
    "anion_radius_a",
    "cohesive_energy_ev",
    "bulk_modulus_gpa",
    "shear_modulus_gpa",
)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_value_has_a_public_source(name: str) -> None:
    symbols = elements_with_property(name)
    assert len(symbols) == len(set(symbols))
    for symbol in symbols:
        assert elemental_property(name, symbol) >= 0
        assert any(mark in property_source(name, symbol) for mark in ("DOI 10.", "arXiv"))


def test_masses_are_those_of_today_but_for_their_last_digits() -> None:
    # Pm: the table of ASE holds another isotope
    for symbol in set(elements_with_property("mass_u")) - {"Pm", "Np", "Pu", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Tc"}:
        assert elemental_property("mass_u", symbol) == pytest.approx(atomic_masses[atomic_numbers[symbol]], rel=1e-3)


@pytest.mark.parametrize(
    ("symbol", "kittel"),
    # Kittel, Introduction to Solid State Physics, 8th edition, table 1 of chapter 3
    [("Li", 1.63), ("Na", 1.113), ("C", 7.37), ("Si", 4.63), ("Cu", 3.49), ("Al", 3.39), ("W", 8.90), ("Ag", 2.95)],
)
def test_cohesive_energies_are_near_the_measured_ones(symbol: str, kittel: float) -> None:
    assert elemental_property("cohesive_energy_ev", symbol) == pytest.approx(kittel, rel=0.17)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="no shear modulus of Xe is in the tables, so Xe cannot be described"):
        elemental_property("shear_modulus_gpa", "Xe")
    with pytest.raises(InputError, match="no covalent radius of Es is known"):
        covalent_radius("Es")
    with pytest.raises(InputError, match="no covalent radius of Q is known"):
        covalent_radius("Q")
