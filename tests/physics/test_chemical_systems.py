from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.chemical_systems import (
    METALS,
    NONMETALS,
    binary_systems,
    chemistry_of,
    grid_formulas,
    parse_system,
)
from tachylite.physics.composition import parse_formula


def test_the_published_screen_has_its_size() -> None:
    """About 3,200 systems and close to 28,800 compositions (Aykol et al. 2023)."""
    systems = binary_systems(METALS, NONMETALS)
    assert (len(METALS), len(NONMETALS)) == (67, 14)
    assert len(set(systems)) == len(systems) == 67 * 66 // 2 + 67 * 14 + 60
    assert len({formula for system in systems[:50] for formula in grid_formulas(system, 0.1)}) == 450


def test_pairs_of_nonmetals_count_where_they_form_solids() -> None:
    pairs = binary_systems((), NONMETALS)
    assert {("O", "Si"), ("B", "N"), ("C", "Si"), ("Ge", "Te")} <= set(pairs)
    assert not {("C", "O"), ("F", "S"), ("Cl", "O"), ("F", "Si")} & set(pairs)


@given(parts=st.sampled_from([4, 5, 8, 10, 16, 20]), number=st.integers(2, 4))
def test_a_grid_holds_every_composition_once(parts: int, number: int) -> None:
    elements = ("Al", "Li", "O", "P")[:number]
    formulas = grid_formulas(elements, 1 / parts)
    assert len(set(formulas)) == len(formulas) == comb(parts - 1, number - 1)
    for formula in formulas:
        fractions = parse_formula(formula).fractions
        assert set(fractions) == set(elements)
        assert all(abs(parts * share - round(parts * share)) < 1e-9 for share in fractions.values())


@pytest.mark.parametrize(
    ("spacing", "elements", "said"),
    [
        (0.3, ("Li", "Si"), "a grid of 0.3 does not divide 1"),
        (1.0, ("Li", "Si"), "a grid of 1 does not divide 1"),
        (-0.1, ("Li", "Si"), "a grid of -0.1 does not divide 1"),
        (0.5, ("Li", "P", "S"), "has no composition with all of Li-P-S"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(spacing: float, elements: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        grid_formulas(elements, spacing)


@pytest.mark.parametrize(
    ("text", "said"), [("Li", "has one element"), ("Li-Xx", "'Xx' is no element"), ("Li-Li", "an element twice")]
)
def test_what_is_no_system_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_system(text)


def test_compounds_are_named_by_their_nonmetal() -> None:
    kinds = {"Al-O": "oxides", "O-Si": "oxides", "Li-Si": "silicides", "Cu-Zr": "alloys", "B-N": "nitrides"}
    assert {system: chemistry_of(parse_system(system)) for system in kinds} == kinds
