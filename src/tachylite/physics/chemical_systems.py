"""Chemical systems and the compositions of a grid in them."""

from collections.abc import Collection, Iterator
from fractions import Fraction
from itertools import combinations
from math import gcd

from tachylite.errors import InputError
from tachylite.physics.composition import SYMBOLS

METALS = (
    *("Ac", "Ag", "Al", "Au", "Ba", "Be", "Bi", "Ca", "Cd", "Ce", "Co", "Cr", "Cs", "Cu", "Dy", "Er", "Eu", "Fe"),
    *("Ga", "Gd", "Hf", "Hg", "Ho", "In", "Ir", "K", "La", "Li", "Lu", "Mg", "Mn", "Mo", "Na", "Nb", "Nd", "Ni"),
    *("Np", "Os", "Pa", "Pb", "Pd", "Pm", "Pr", "Pt", "Pu", "Rb", "Re", "Rh", "Ru", "Sc", "Sm", "Sn", "Sr", "Ta"),
    *("Tb", "Tc", "Th", "Ti", "Tl", "Tm", "U", "V", "W", "Y", "Yb", "Zn", "Zr"),
)
"""The 67 metals of Aykol et al. (ICML workshop on Synergy of Scientific and Machine Learning Modeling, 2023)."""

NONMETALS = ("As", "B", "Br", "C", "Cl", "F", "Ge", "N", "O", "P", "S", "Sb", "Si", "Te")
"""The 14 nonmetals of the same."""

_CHEMISTRIES = {
    "F": "fluorides",
    "O": "oxides",
    "Cl": "chlorides",
    "N": "nitrides",
    "Br": "bromides",
    "S": "sulfides",
    "C": "carbides",
    "P": "phosphides",
    "As": "arsenides",
    "Te": "tellurides",
    "B": "borides",
    "Sb": "antimonides",
    "Ge": "germanides",
    "Si": "silicides",
}
"""Kinds of compounds by their nonmetal, those first that name a compound of two."""

_SOLID_WITH = {
    "Br": ("Ge", "As", "Sb", "Te", "P"),
    "Cl": ("Ge", "Sb", "Te", "P"),
    "F": ("Ge", "Sb", "Te"),
    "N": ("B", "Ge", "P", "S", "Si"),
    "O": ("As", "B", "Ge", "P", "Sb", "Si", "Te"),
}
"""Partners of the nonmetals that are gases or liquids, with which a compound is solid at 25 C and 1 bar.

GeBr4, AsBr3, SbBr3, TeBr4, PBr5; GeCl2, SbCl3, TeCl4, PCl5; GeF2, SbF3, TeF4; BN, Ge3N4, P3N5, S4N4, Si3N4; As2O3,
B2O3, GeO2, P4O10, Sb2O3, SiO2, TeO2 (melting points of the CRC Handbook of Chemistry and Physics).
"""


def parse_system(text: str) -> tuple[str, ...]:
    """The elements of a system as written, `Li-Si`, sorted; InputError for anything else."""
    elements = tuple(sorted(text.strip().split("-")))
    unknown = [symbol for symbol in elements if symbol not in SYMBOLS]
    if unknown:
        raise InputError(f"system {text!r}: {unknown[0]!r} is no element; write systems like Li-Si or Li-P-S")
    if len(elements) == 1:
        raise InputError(f"system {text!r} has one element; a composition takes two or more, like Li-Si")
    if len(set(elements)) < len(elements):
        raise InputError(f"system {text!r} names an element twice")
    return elements


def binary_systems(metals: Collection[str], nonmetals: Collection[str]) -> list[tuple[str, ...]]:
    """Metal with metal, metal with nonmetal, and those pairs of nonmetals that form solids.

    Two nonmetals count where both elements are solid, or one of their compounds is (at 25 C and 1 bar).
    """
    pairs = [*combinations(metals, 2), *((metal, nonmetal) for metal in metals for nonmetal in nonmetals)]
    pairs += [pair for pair in combinations(nonmetals, 2) if _form_solids(*pair)]
    return [tuple(sorted(pair)) for pair in pairs]


def chemistry_of(elements: Collection[str]) -> str:
    """The kind of compound that elements form: `oxides`, `silicides`, ...; `alloys` without a nonmetal."""
    return next((kind for nonmetal, kind in _CHEMISTRIES.items() if nonmetal in elements), "alloys")


def _form_solids(first: str, second: str) -> bool:
    if first in _SOLID_WITH or second in _SOLID_WITH:
        return second in _SOLID_WITH.get(first, ()) or first in _SOLID_WITH.get(second, ())
    return True


def grid_formulas(elements: tuple[str, ...], spacing: float) -> list[str]:
    """Formulas of all compositions on a grid that hold every element, in whole numbers: `LiSi9`, `LiSi4`, ...

    Raises InputError where the spacing is not a whole part of 1, or too wide for so many elements.
    """
    parts = Fraction(1) / Fraction(str(spacing)) if spacing > 0 else Fraction(0)
    if parts.denominator != 1 or parts < 2:
        raise InputError(f"a grid of {spacing:g} does not divide 1; take 0.1, 0.05, 0.25 or the like")
    if parts < len(elements):
        raise InputError(f"a grid of {spacing:g} has no composition with all of {'-'.join(elements)}; take a finer one")
    return [_formula(elements, numbers) for numbers in _shares(int(parts), len(elements))]


def _formula(elements: tuple[str, ...], numbers: tuple[int, ...]) -> str:
    reduced = [number // gcd(*numbers) for number in numbers]
    return "".join(f"{s}{n if n > 1 else ''}" for s, n in zip(elements, reduced, strict=True))


def _shares(total: int, number: int) -> Iterator[tuple[int, ...]]:
    """All ways to share a total among so many, each at least 1."""
    if number == 1:
        yield (total,)
        return
    for first in range(1, total - number + 2):
        for rest in _shares(total - first, number - 1):
            yield (first, *rest)
