"""Numbers, units and formulas as text: one convention for tables, figures and the page."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

from tachylite.schemas import Interval, Measured

ABSENT = "\N{EN DASH}"
"""Written in place of a missing number."""

NOT_DIFFUSIVE = "not diffusive"
"""Written in place of a diffusivity that cannot be told from 0."""

LOST_CRYSTAL = "the crystal that it began as has lost its order, and what is measured is of a melt or a glass"
"""Written of results that are amorphous where the start was a crystal."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_KELVIN = re.compile(r"(?<=\d)K\b")
_AMOUNT = re.compile(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)")
_LONGEST_PLAIN = 6
_SMALLEST_PLAIN = -3
_MOST_DECIMALS = 15


def quantity(
    value: float | Measured | None,
    error: float | None = None,
    *,
    unit: str = "",
    interval: Interval | None = None,
    digits: int = 4,
) -> str:
    """Write a number with its error and unit: `15.92 ± 0.31 Å³/atom`, `1.27 [1.03, 1.52] × 10⁻⁴ cm²/s`.

    The error (one standard error) or the half width of the interval (95 %) is given to two significant
    digits and sets the decimals of the value; a value without either has `digits` significant digits. An
    error that is not known (not finite or not positive) is written as `± ?`; a value that is not finite as a dash.
    """
    if isinstance(value, Measured):
        error, value = value.error, value.value
    if value is None or not math.isfinite(value):
        return ABSENT
    if interval is not None and _is_wide(interval):
        ends = ", ".join(quantity(end, digits=2) for end in (interval.low, interval.high))
        return f"{quantity(value, digits=2)} [{ends}] {unit}".rstrip()
    low, high = (interval.low, interval.high) if interval is not None else (math.nan, math.nan)
    has_interval = math.isfinite(low) and math.isfinite(high)
    spread = (high - low) / 2 if has_interval else error
    exponent = _exponent(value, spread)
    decimals = _decimals(_scaled(value, exponent), None if spread is None else _scaled(spread, exponent), digits)

    def write(number: float) -> str:
        return fixed(_scaled(number, exponent), decimals)

    text = write(value)
    if has_interval:
        text += f" [{write(low)}, {write(high)}]"
    elif error is not None:
        known = math.isfinite(error) and error > 0
        text += f" ± {write(error) if known else '?'}"
    if exponent:
        brackets = error is not None and not has_interval
        text = f"({text})" if brackets else text
        text += f" \N{MULTIPLICATION SIGN} 10{str(exponent).translate(_SUPERSCRIPTS)}"
    return f"{text} {unit}" if unit else text


def shares(values: Mapping[int, Measured] | Mapping[str, Measured]) -> str:
    """Write several numbers with what each is of: `Q2: 0.96 ± 0.02, Q3: 0.04 ± 0.02`."""
    return ", ".join(f"{name}: {quantity(share)}" for name, share in values.items())


def fixed(number: float, decimals: int) -> str:
    """Write a number with a fixed count of decimals (negative: rounded to tens, hundreds) and a true minus."""
    text = f"{round(number, decimals):.{max(decimals, 0)}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


def _is_wide(interval: Interval) -> bool:
    """Whether the ends are so far apart that with one power of ten the lower one would be rounded to 0."""
    return 0 < 30 * interval.low < interval.high < math.inf


def _scaled(number: float, exponent: int) -> float:
    """Divide by a power of ten, also where that power overflows a float."""
    return float(Decimal(number).scaleb(-exponent)) if math.isfinite(number) else number


def _exponent(value: float, spread: float | None) -> int:
    """Power of ten to write as a factor, 0 where the plain number is short enough."""
    largest = max(abs(value), spread if spread is not None and math.isfinite(spread) else 0.0)
    if largest == 0:
        return 0
    power = math.floor(math.log10(largest))
    return 0 if _SMALLEST_PLAIN <= power < _LONGEST_PLAIN else power


def _decimals(value: float, spread: float | None, digits: int) -> int:
    """Number of decimals that keeps two significant digits of the spread or, without one, `digits` of the value."""
    if spread is not None and math.isfinite(spread) and spread > 0:
        # rounding first: 0.0996 is 0.10, with its two digits one place earlier
        return min(_MOST_DECIMALS, 1 - math.floor(math.log10(float(f"{spread:.1e}"))))
    if value == 0:
        return 0
    return digits - 1 - math.floor(math.log10(float(f"{abs(value):.{digits - 1}e}")))


def plain_formula(formula: str) -> str:
    """Write a formula with subscripts in plain text: Li₃PO₄."""
    return _AMOUNT.sub(lambda match: match[1].translate(_SUBSCRIPTS), formula)


def spaced(title: str) -> str:
    """Write the title of a result with a space before the unit: `anneal, 1500K` becomes `anneal, 1500 K`."""
    return _KELVIN.sub(" K", title)


def heading(title: str) -> str:
    """Write the title of a step or a result as a heading: `amorphous-limit` becomes `Amorphous limit`."""
    words = spaced(title.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:]


def pair_label(pair: str) -> str:
    """Write a pair of elements with the dash of a range: Li\N{EN DASH}O."""
    return pair.replace("-", "\N{EN DASH}")


def formula_parts(formula: str) -> list[tuple[str, bool]]:
    """Split a formula into pieces, each with whether it is a subscript: [("Li", False), ("3", True), ...]."""
    # a pattern with one group: every second piece is an amount
    pieces = enumerate(_AMOUNT.split(formula))
    return [(piece, number % 2 == 1) for number, piece in pieces if piece]


def duration(seconds: float) -> str:
    """Write a wall time: `42 s`, `3 min 20 s`, `5 h 7 min`."""
    if not math.isfinite(seconds):
        return ABSENT
    total = round(seconds)
    if total < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{total} s"
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


_ERRORS_OF_MODELS = {
    "chgnet": "energies of melts above glasses by CHGNet were 1 to 34 % too small, its pressures up to 5 GPa off",
    "nequix": "energies of melts above glasses by Nequix were within 8 %, its pressures within 3 GPa",
}
"""Beside PBE, in ten compositions: benchmarks/against_dft.py."""


def error_of_model(engine: str) -> str | None:
    """What the errors of a page do not contain, of an engine that was held against density functional theory."""
    known = _ERRORS_OF_MODELS.get(engine)
    if known is None:
        return None
    return (
        f"Errors are those of sampling. In ten compositions beside PBE, {known}: volumes, diffusivities and "
        "enthalpies carry that beside their errors."
    )
