"""The density functional that the data of published models were computed with, by the names of their weights."""

import re

_FUNCTIONALS = {
    "chgnet": [(r"r2scan$", "r2SCAN"), (r" 0\.[23]\.0$", "PBE")],
    "lennard-jones": [("", "Lennard-Jones")],
    "matgl": [("r2scan", "r2SCAN"), ("pbe|mp-2021|mptrj", "PBE")],
    "mace": [
        ("r2scan", "r2SCAN"),
        ("omol|off|spice|rgd1", "wB97M with dispersion"),
        ("mpa|omat|matpes.pbe|mace (small|medium|large)(-0b[23]?)?$", "PBE"),
    ],
    "sevennet": [
        ("r2scan", "r2SCAN"),
        ("spice|omol", "wB97M with dispersion"),
        ("odac", "PBE with dispersion"),
        ("oc20", "RPBE"),
        ("pet_mad", "PBEsol"),
        ("7net-0|7net-l3i5|@pbe|mpa|omat|matpes_pbe", "PBE"),
    ],
    "orb": [
        ("omol", "wB97M with dispersion"),
        ("d3", "PBE with dispersion"),
        ("orb-v[123]|orb-mptraj|omat|mpa", "PBE"),
    ],
    "mattersim": [("mattersim-v1", "PBE")],
    "fairchem": [
        ("@omol|esen.*omol", "wB97M with dispersion"),
        ("@(odac|omc|oc25)", "a functional with dispersion"),
        ("@oc20", "RPBE"),
        ("@omat|(uma|omat|oam)[^@]*$", "PBE"),
    ],
    "nequix": [("(mp|omat|oam)-1", "PBE")],
}
"""Patterns of the model's name by family, the first that matches counts."""


def functional_of(family: str, name: str) -> str | None:
    """Functional of a model's training data, from the name that provenance records; None where it is not known.

    `PBE` includes PBE+U. For models that have dispersion already the name says so.
    """
    for pattern, functional in _FUNCTIONALS.get(family, []):
        if re.search(pattern, name, re.IGNORECASE):
            return functional
    return None
