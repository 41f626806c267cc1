"""Names, units, definitions and sources of the descriptors, in the order of the published table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

type Convention = Literal["exact", "zheng2024"]
"""`exact`: as defined here; `zheng2024`: with the arithmetic of the published table, to use models trained on it."""

ZHENG = "10.1038/s41524-024-01469-2"
SENDEK = "10.1039/C6EE02697D"

CUTOFF_A = 4.0
"""Atoms this near are neighbours, and bonded."""


@dataclass(frozen=True)
class Descriptor:
    """Name, unit, definition and source of a descriptor; `Li` in them stands for the mobile species."""

    name: str
    """That of the column in the published table."""
    unit: str
    definition: str
    source: str
    """DOI."""
    of: Literal["structure", "composition"]


_STRUCTURE = (
    ("AAV", "A^3", "Volume of the cell per atom."),
    ("LBI", "1", "Mean difference of electronegativity between Li atoms and each of their neighbours within 4 A."),
    ("SDLI", "1", "Sample standard deviation of those differences."),
    ("SBI", "1", "Mean difference of electronegativity between the other atoms and each of their neighbours."),
    ("ENS", "1", "Mean electronegativity of the atoms that are not Li."),
    ("RBI", "1", "LBI / SBI."),
    ("AFC", "1", "Anions at r to r + 1 A from an anion, r its own nearest anion distance; mean over anions."),
    ("AASD", "A", "Distance from an anion to the nearest anion; mean over anions."),
    ("VPA", "A^3", "Volume of the cell per anion, the most electronegative element that is not Li."),
    ("LASD", "A", "Distance from a Li atom to the nearest anion; mean over Li."),
    ("LLSD", "A", "Distance from a Li atom to the nearest Li atom; mean over Li."),
    ("LNC", "1", "Neighbours of a Li atom within 4 A; mean over Li."),
    ("SDLC", "1", "Sample standard deviation of that number; 0 for a single Li atom."),
    ("LLB", "1", "Li neighbours of a Li atom within 4 A; mean over Li."),
    ("SNC", "1", "Neighbours of an atom that is not Li within 4 A; mean over these."),
    ("RNC", "1", "LNC / SNC."),
    ("PF", "1", "Fraction of the cell that lies in the sphere of an atom; ionic radius where its bonds are ionic."),
    ("SPF", "1", "The same for the spheres of all atoms but Li."),
    (
        "SLPW",
        "A",
        "From the straight line between a Li atom and its nearest Li to the nearest sphere; mean, not below 0.",
    ),
    ("SLPW_pp", "A", "From that line to the centre of the nearest atom; mean over Li."),
    ("SLPE", "1", "Electronegativity of the atom whose sphere is nearest to that line; mean over Li."),
)

_COMPOSITION = (
    ("Li_percentage", "1", "Atomic fraction of Li."),
    ("avg_B_with_Li", "GPa", "Mean bulk modulus of the elements, by atomic fraction."),
    ("avg_B_wiout_Li", "GPa", "The same without Li."),
    ("avg_G_with_Li", "GPa", "Mean shear modulus of the elements, by atomic fraction."),
    ("avg_G_wiout_Li", "GPa", "The same without Li."),
    ("avg_Ecoh_with_Li", "eV", "Mean cohesive energy per atom of the elements, by atomic fraction."),
    ("avg_Echo_wiout_Li", "eV", "The same without Li."),
    ("BR5_M_with_Li", "A^2 (GPa A/u)^1/2", "R^2 (B R / m)^1/2 of the means of B, R and m."),
    ("BR5_M_without_Li", "A^2 (GPa A/u)^1/2", "The same of the means without Li."),
    ("GR5_M_with_Li", "A^2 (GPa A/u)^1/2", "R^2 (G R / m)^1/2 of the means of G, R and m."),
    ("GR5_M_without_Li", "A^2 (GPa A/u)^1/2", "The same of the means without Li."),
    ("ER2_m_with_Li", "A (eV/u)^1/2", "(E R^2 / m)^1/2 of the means of the cohesive energy E, R and m."),
    ("ER2_m_without_Li", "A (eV/u)^1/2", "The same of the means without Li."),
    ("atomic_radius_avg", "A", "Mean atomic radius (Slater) of the elements, by atomic fraction."),
    ("atomic_radius_avg_exclude_Li", "A", "The same without Li."),
    ("ratio_r_without_Li_with", "1", "Mean atomic radius without Li over that with Li."),
    ("avg_m_with_Li", "u", "Mean atomic mass."),
    ("avg_m_wiout_Li", "u", "The same without Li."),
    ("avg_X_with_Li", "1", "Mean electronegativity (Pauling), by atomic fraction."),
    ("avg_X_wiout_Li", "1", "The same without Li."),
    (
        "avg_diff_of_X_Li_rest",
        "1",
        "Atomic fraction of Li times the mean electronegativity of the rest less that of Li.",
    ),
)

_DENSITY = ("density", "g/cm^3", "Mass over volume; in the paper's table, not in its data.")
_FIRST_IN_ZHENG = {"SLPW_pp", "density"}


def _registry() -> Mapping[str, Descriptor]:
    structural = [
        Descriptor(name, unit, definition, ZHENG if name in _FIRST_IN_ZHENG else SENDEK, "structure")
        for name, unit, definition in (*_STRUCTURE, _DENSITY)
    ]
    composition = [Descriptor(name, unit, definition, ZHENG, "composition") for name, unit, definition in _COMPOSITION]
    ordered = (*structural[:-1], *composition, structural[-1])
    return MappingProxyType({descriptor.name: descriptor for descriptor in ordered})


DESCRIPTORS = _registry()
"""All descriptors by name: the 42 published columns in their order, then `density`."""
