# the true minus and the multiplication sign are what is tested
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tachylite.report.text import ABSENT, duration, formula_parts, plain_formula, quantity
from tachylite.schemas import Interval, Measured

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


def read(text: str) -> tuple[float, float]:
    """The value and the error as a reader takes them from the text."""
    plain = text.translate(SUPERSCRIPTS)
    match = re.fullmatch(r"\(?(-?[\d.]+) ± ([\d.]+)\)?(?: × 10(-?\d+))?", plain)
    assert match, text
    factor = 10.0 ** int(match[3] or 0)
    return float(match[1]) * factor, float(match[2]) * factor


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (15.92, 0.31, "15.92 ± 0.31"),
        (15.9249, 0.0996, "15.92 ± 0.10"),
        (-0.0000001, 0.21, "0.00 ± 0.21"),
        (-2.6162, 0.0074, "−2.6162 ± 0.0074"),
        (5003.4, 120.0, "5000 ± 120"),
        (1.27e-4, 1.2e-5, "(1.27 ± 0.12) × 10⁻⁴"),
        (9.4e14, 3e13, "(9.40 ± 0.30) × 10¹⁴"),
        (15.92, math.nan, "15.92 ± ?"),
        (15.92, 0.0, "15.92 ± ?"),
        (15.92, None, "15.92"),
        (0.0, None, "0"),
        (math.nan, 0.1, ABSENT),
        (math.inf, None, ABSENT),
        (None, None, ABSENT),
    ],
)
def test_quantity_writes_two_digits_of_the_error(value: float | None, error: float | None, written: str) -> None:
    assert quantity(value, error) == written


def test_quantity_takes_documents_units_and_intervals() -> None:
    assert quantity(Measured(value=15.92, error=0.31), unit="Å³/atom") == "15.92 ± 0.31 Å³/atom"
    sodium = quantity(1.272e-4, unit="cm²/s", interval=Interval(low=1.03e-4, high=1.52e-4))
    assert sodium == "1.27 [1.03, 1.52] × 10⁻⁴ cm²/s"


def test_a_lower_end_far_below_is_not_rounded_to_zero() -> None:
    text = quantity(1e-10, interval=Interval(low=3.2e-12, high=3.2e-9), unit="cm²/s")
    assert text == "1.0 × 10⁻¹⁰ [3.2 × 10⁻¹², 3.2 × 10⁻⁹] cm²/s"


@given(st.floats(-1e12, 1e12), st.floats(1e-12, 1e9))
def test_what_is_written_is_the_value_within_its_error(value: float, error: float) -> None:
    assume(abs(value) < 1e8 * error)
    written, spread = read(quantity(value, error))
    assert abs(spread - error) <= 0.0501 * error
    assert abs(written - value) <= 0.0501 * error


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_breaks_it(value: float, error: float) -> None:
    text = quantity(value, error, unit="eV")
    assert "nan" not in text
    assert "inf" not in text


def test_formulas_get_subscripts() -> None:
    assert plain_formula("Li3PO4") == "Li₃PO₄"
    assert plain_formula("Ca(OH)2") == "Ca(OH)₂"
    assert formula_parts("Li3PO4") == [("Li", False), ("3", True), ("PO", False), ("4", True)]
    assert formula_parts("Na0.5Cl") == [("Na", False), ("0.5", True), ("Cl", False)]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.5, "0.5 s"),
        (42, "42 s"),
        (59.9, "1 min 0 s"),
        (1290, "21 min 30 s"),
        (18420, "5 h 7 min"),
        (math.nan, ABSENT),
    ],
)
def test_durations(seconds: float, written: str) -> None:
    assert duration(seconds) == written
