"""Estimate the volume per atom of a composition from tabulated volumes of the elements."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tachylite.errors import InputError
from tachylite.physics.elements import reference_crystal

_SMALLEST_VOLUME_A3 = 4.5
"""Volume per atom that no solid at ambient pressure falls below (diamond has 5.7)."""

_FULL_CHEMISTRY = 0.4
"""Fraction of anions from which on a compound counts as an oxide, halide or chalcogenide, and not as partly metal."""

_OUTSIDE_DATA_ERROR = 0.3
"""Relative error of elements that were not in the fit, where none can be measured."""


@dataclass(frozen=True)
class VolumeEstimate:
    """A volume per atom in A^3, its relative standard error, and where it comes from."""

    volume_a3_per_atom: float
    relative_error: float
    source: str


def estimate_volume_per_atom(counts: Mapping[str, float]) -> VolumeEstimate:
    """Estimate the crystal's volume per atom of a composition, given by amounts or fractions.

    An element has the volume of its reference crystal. A compound has

        V / N = sum_i x_i [a_i + b_i (chi_i - sum_j x_j chi_j) + w c_i]

    =======  ================================================================================
    x_i      atomic fraction
    a_i      volume of element i among metals, in A^3
    chi_i    electronegativity (Pauling)
    b_i      change of the volume with the electronegativity around it, in A^3
    c_i      further change in an oxide, halide or chalcogenide, in A^3
    w        min(1, x_anion / 0.4), x_anion the fraction of that chemistry's anions
    =======  ================================================================================

    The most electronegative element names the chemistry. Coefficients were fitted to volumes by PBE, see
    `data/volumes.json`; the error is the one that 68 % of held-out compounds of that chemistry do not exceed.
    Raises InputError without atoms and for elements above plutonium.
    """
    if not counts or min(counts.values()) <= 0:
        raise InputError(f"no volume for the composition {dict(counts)}; every amount must be positive")
    table = _table()
    unknown = [symbol for symbol in counts if symbol not in table["elements"]]
    if unknown:
        raise InputError(f"no volume is known for {', '.join(unknown)}; the table ends with Pu")
    if len(counts) == 1:
        return _element(next(iter(counts)))
    total = sum(counts.values())
    fractions = {symbol: count / total for symbol, count in counts.items()}
    chemistry, weight = _chemistry(fractions)
    volume = sum(x * _volume(symbol, fractions, chemistry, weight) for symbol, x in fractions.items())
    error = table["errors"]["values"][chemistry]["q68"]
    if table["other_elements"]["values"].keys() & counts.keys():
        error = _OUTSIDE_DATA_ERROR
    return VolumeEstimate(max(volume, _SMALLEST_VOLUME_A3), error, f"additive volumes, chemistry: {chemistry}")


def electronegativity(symbol: str) -> float:
    """Pauling's electronegativity (of He, Ne and Ar Allen's); InputError for elements above plutonium."""
    if symbol not in _table()["elements"]:
        raise InputError(f"no electronegativity is known for {symbol}; the table ends with Pu")
    return float(_table()["elements"][symbol]["electronegativity"])


def _element(symbol: str) -> VolumeEstimate:
    table = _table()
    without_crystal = table["other_elements"]["values"]
    if symbol in without_crystal:
        return VolumeEstimate(without_crystal[symbol], _OUTSIDE_DATA_ERROR, "table of elements")
    error = table["errors"]["values"]["element"]["q68"]
    return VolumeEstimate(reference_crystal(symbol).volume_a3_per_atom, error, "crystal of the element")


def _chemistry(fractions: Mapping[str, float]) -> tuple[str, float]:
    rows = _table()["elements"]
    anion = max(fractions, key=lambda symbol: float(rows[symbol]["electronegativity"]))
    for name, anions in _table()["chemistries"].items():
        if anion in anions:
            return name, min(1.0, sum(fractions.get(a, 0.0) for a in anions) / _FULL_CHEMISTRY)
    return "other", 0.0


def _volume(symbol: str, fractions: Mapping[str, float], chemistry: str, weight: float) -> float:
    rows = _table()["elements"]
    mean = sum(x * rows[s]["electronegativity"] for s, x in fractions.items())
    row = rows[symbol]
    volume = row["volume_a3"] + row["slope_a3"] * (row["electronegativity"] - mean)
    names = list(_table()["chemistries"])
    if chemistry in names:
        volume += weight * row["in_chemistry_a3"][names.index(chemistry)]
    return float(volume)


@cache
def _table() -> dict[str, Any]:
    text = (files("tachylite") / "physics" / "data" / "volumes.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
