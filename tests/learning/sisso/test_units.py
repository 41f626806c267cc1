from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.learning.sisso.units import NUMBER, SYMBOLS, Unit, parse_unit

exponents = st.fractions(min_value=-4, max_value=4, max_denominator=6).filter(bool)
units = st.dictionaries(st.sampled_from(sorted(SYMBOLS)), exponents, max_size=3).map(
    lambda powers: Unit(tuple(sorted(powers.items())))
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", {}),
        ("atom", {}),
        ("A^3", {"A": 3}),
        ("A**3", {"A": 3}),
        ("eV/atom", {"eV": 1}),
        ("1/eV", {"eV": -1}),
        ("eV^-1", {"eV": -1}),
        ("GPa", {"GPa": 1}),
        (" u ", {"u": 1}),
        ("eV / A^3", {"eV": 1, "A": -3}),
        ("eV/A/A", {"eV": 1, "A": -2}),
        ("u*A^2 / fs^2", {"u": 1, "A": 2, "fs": -2}),
        ("A/A", {}),
        ("A^(5/2) GPa^(1/2) u^(-1/2)", {"A": Fraction(5, 2), "GPa": Fraction(1, 2), "u": Fraction(-1, 2)}),
        ("A^2 (GPa A/u)^1/2", {"A": Fraction(5, 2), "GPa": Fraction(1, 2), "u": Fraction(-1, 2)}),
        ("g/cm^3", {"g": 1, "cm": -3}),
        ("1/(A (u/K)^2)", {"A": -1, "u": -2, "K": 2}),
        ("A^2.5·GPa^0.5", {"A": Fraction(5, 2), "GPa": Fraction(1, 2)}),
    ],
)
def test_units_are_read(text: str, expected: dict[str, Fraction]) -> None:
    assert dict(parse_unit(text).exponents) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("furlong", "unknown symbol 'furlong'"),
        ("eV/mile", "unknown symbol 'mile'"),
        ("", "cannot read ''"),
        ("A^", "cannot read '^'"),
        ("A^(1/0)", "cannot read"),
        ("A+u", "cannot read '+u'"),
        ("A//u", "cannot read '/'"),
        ("A/", "cannot read 'A/'"),
        ("3 A", "cannot read '3 A'"),
        ("(A", "cannot read '('"),
        ("A)", "cannot read ')'"),
        ("()", "cannot read '()'"),
        ("^2", "cannot read '^2'"),
    ],
)
def test_what_is_no_unit_is_named(text: str, named: str) -> None:
    with pytest.raises(InputError, match="unit") as error:
        parse_unit(text)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@given(units)
def test_a_unit_is_read_back_from_its_text(unit: Unit) -> None:
    assert parse_unit(str(unit)) == unit


@given(units, units, exponents)
def test_units_are_a_group_with_powers(a: Unit, b: Unit, power: Fraction) -> None:
    assert a * b == b * a
    assert a / a == NUMBER
    assert a * b / b == a
    assert (a * b) ** power == a**power * b**power
    assert (a**power) ** (1 / power) == a
