"""Tabulated properties of the elements, each with its source."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from ase.data import atomic_numbers, covalent_radii

from tachylite.errors import InputError

_LAST_COVALENT_RADIUS = 96


def elemental_property(name: str, symbol: str) -> float:
    """Value of a property of an element: `mass_u`, `cohesive_energy_ev` and the others of `data/elements.json`.

    Raises InputError, naming both, where the tables have no value.
    """
    return float(_entry(name, symbol)["values"][symbol])


def property_source(name: str, symbol: str) -> str:
    """Publication that the value of an element comes from; InputError where the tables have no value."""
    return str(_entry(name, symbol)["source"])


def elements_with_property(name: str) -> tuple[str, ...]:
    """Symbols of the elements for which `elemental_property` has a value."""
    return tuple(symbol for table in _tables()[name]["tables"] for symbol in table["values"])


def covalent_radius(symbol: str) -> float:
    """Covalent radius in A (Cordero 2008, DOI 10.1039/b801115j; Mn, Fe and Co low-spin, C sp3).

    Raises InputError for elements above curium.
    """
    number = atomic_numbers.get(symbol, 0)
    if not 0 < number <= _LAST_COVALENT_RADIUS:
        raise InputError(f"no covalent radius of {symbol} is known; the table ends with Cm")
    return float(covalent_radii[number])


def _entry(name: str, symbol: str) -> dict[str, Any]:
    table = _tables()[name]
    for source in table["tables"]:
        if symbol in source["values"]:
            entry: dict[str, Any] = source
            return entry
    raise InputError(f"no {table['property']} of {symbol} is in the tables, so {symbol} cannot be described")


@cache
def _tables() -> dict[str, Any]:
    text = (files("tachylite") / "descriptors" / "data" / "elements.json").read_text(encoding="utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables
