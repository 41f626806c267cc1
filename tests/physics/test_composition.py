from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.errors import InputError
from tachylite.physics.composition import atom_counts, composition_deviation, parse_formula


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Li3PO4", {"Li": 3, "P": 1, "O": 4}),
        ("Al2O3", {"Al": 2, "O": 3}),
        ("(Li2S)3(P2S5)", {"Li": 6, "S": 8, "P": 2}),
        ("Li0.75Si0.25", {"Li": 3, "Si": 1}),
        ("Cu64Zr36", {"Cu": 16, "Zr": 9}),
        ("Ca10(PO4)6(OH)2", {"Ca": 5, "P": 3, "O": 13, "H": 1}),
        ("Na[Al{SiO2}3]0.5", {"Na": 2, "Al": 1, "Si": 3, "O": 6}),
        (" Li₃ PO₄ ", {"Li": 3, "P": 1, "O": 4}),
        ("Co", {"Co": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Li.5Na.5Cl1.", {"Li": 1, "Na": 1, "Cl": 2}),
    ],
)
def test_formula_is_read(text: str, unit: dict[str, int]) -> None:
    divisor = 2 if text == "(Li2S)3(P2S5)" else 1
    assert parse_formula(text).unit == {symbol: count // divisor for symbol, count in unit.items()}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("Xx", "unknown element 'Xx'"),
        ("D2O", "unknown element 'D'"),
        ("Li0", "no atoms of Li"),
        ("(Li)0O", "no atoms of Li"),
        ("Li-1", "'-1'"),
        ("Li+", "'+'"),
        ("li3po4", "capital letter"),
        ("Li3PO4!", "'!'"),
        ("CaSO4·2H2O", "'·2H2O'"),
        ("Li1e3", "'e3'"),
        ("3Li", "the amount 3 follows no element"),
        ("Li1.2.3", "the amount .3 follows no element"),
        ("(Li", "'(' is not closed"),
        ("Li)", "')' closes nothing"),
        ("(Li]", "']' closes nothing"),
        ("()", "')' closes nothing"),
    ],
)
def test_what_is_no_formula_is_named_in_one_line(text: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_formula(text)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        formula = parse_formula(text)
    except InputError:
        return
    assert sum(formula.fractions.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "target", "counts"),
    [
        ("Li3PO4", 100, {"Li": 36, "P": 12, "O": 48}),
        ("Li3PO4", 1, {"Li": 3, "P": 1, "O": 4}),
        ("SiO2", 100, {"Si": 33, "O": 66}),
        ("Cu64Zr36", 100, {"Cu": 64, "Zr": 36}),
        ("Si", 1, {"Si": 1}),
        ("Li0.75Si0.25", 100, {"Li": 75, "Si": 25}),
    ],
)
def test_whole_units_nearest_to_the_target(text: str, target: int, counts: dict[str, int]) -> None:
    formula = parse_formula(text)
    assert atom_counts(formula, target) == counts
    assert composition_deviation(formula, counts) == 0


def test_decimals_that_need_a_huge_unit_are_approximated() -> None:
    formula = parse_formula("Li0.333Si0.667")
    counts = atom_counts(formula, 100)
    assert counts == {"Li": 33, "Si": 66}
    assert composition_deviation(formula, counts) == pytest.approx(1 / 3 - 0.333)


def test_a_trace_element_keeps_an_atom() -> None:
    counts = atom_counts(parse_formula("Li0.001Si0.999"), 50)
    assert counts["Li"] == 1


def test_sizes_out_of_reach_are_refused() -> None:
    with pytest.raises(InputError, match="100000000 atoms"):
        atom_counts(parse_formula("Li99999999O"), 100)
    with pytest.raises(InputError, match="at least 1"):
        atom_counts(parse_formula("Li"), 0)


_AMOUNTS = st.dictionaries(st.sampled_from(["Li", "P", "O", "Si", "Cu", "Zr"]), st.integers(1, 30), min_size=1)


@given(_AMOUNTS, st.integers(1, 2000))
def test_no_other_number_of_units_is_nearer(amounts: dict[str, int], target: int) -> None:
    formula = parse_formula("".join(f"{symbol}{amount}" for symbol, amount in amounts.items()))
    size = sum(formula.unit.values())
    counts = atom_counts(formula, target)
    total = sum(counts.values())
    assert composition_deviation(formula, counts) == 0
    assert all(abs(total - target) <= abs(units * size - target) for units in range(1, 2 + target // size))


@given(st.lists(st.integers(1, 9999), min_size=2, max_size=4), st.integers(10, 500))
def test_approximation_stays_near_target_and_composition(parts: list[int], target: int) -> None:
    text = "".join(f"{s}{Fraction(p, 10000):.4f}" for s, p in zip("OPSN", parts, strict=False))
    formula = parse_formula(text)
    counts = atom_counts(formula, target)
    total = sum(counts.values())
    assert all(count >= 1 for count in counts.values())
    assert total <= 1.1 * target + 1
    assert composition_deviation(formula, counts) <= len(parts) / total
