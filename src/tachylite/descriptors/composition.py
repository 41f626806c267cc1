"""Descriptors of the composition alone: averages of elemental properties."""

from collections.abc import Mapping

from tachylite.descriptors.elemental import elemental_property
from tachylite.descriptors.registry import Convention
from tachylite.errors import InputError
from tachylite.physics.volume import electronegativity

_PUBLISHED_SHEAR_MODULUS_GPA = {"Ti": 1287.0}
"""The published averages hold for this value, thirty times the measured one."""


def compute_composition_descriptors(
    counts: Mapping[str, float], species: str = "Li", convention: Convention = "exact"
) -> dict[str, float]:
    r"""Descriptors of a composition by name, in the units of the registry, for a mobile species.

    $$ \bar p = \sum_i x_i p_i, \quad \bar p^{\,\prime} = \sum_{i \neq s} x_i p_i / (1 - x_s) $$

    | symbol | meaning |
    |---|---|
    | x_i | atomic fraction of element i, from numbers or fractions of atoms |
    | p_i | its bulk modulus, shear modulus, cohesive energy, atomic radius, mass, electronegativity |
    | s | the mobile species; the primed mean leaves it out |

    Definitions from Zheng et al., DOI 10.1038/s41524-024-01469-2. Raises InputError for a composition without
    the species, or of nothing else, for amounts that are not positive, and for an element without data, named
    with the property.
    """
    fractions = _fractions(counts, species)
    share = fractions[species]
    rest = {symbol: x / (1 - share) for symbol, x in fractions.items() if symbol != species}
    values = {"Li_percentage": share}
    names = {
        "B": ("avg_B_with_Li", "avg_B_wiout_Li"),
        "G": ("avg_G_with_Li", "avg_G_wiout_Li"),
        "E": ("avg_Ecoh_with_Li", "avg_Echo_wiout_Li"),
        "R": ("atomic_radius_avg", "atomic_radius_avg_exclude_Li"),
        "m": ("avg_m_with_Li", "avg_m_wiout_Li"),
        "X": ("avg_X_with_Li", "avg_X_wiout_Li"),
    }
    for number, (parts, suffix) in enumerate(((fractions, "with_Li"), (rest, "without_Li"))):
        mean = _means(parts, convention)
        values |= {names[key][number]: value for key, value in mean.items()}
        values[f"BR5_M_{suffix}"] = mean["R"] ** 2 * (mean["B"] * mean["R"] / mean["m"]) ** 0.5
        values[f"GR5_M_{suffix}"] = mean["R"] ** 2 * (mean["G"] * mean["R"] / mean["m"]) ** 0.5
        values[f"ER2_m_{suffix}"] = (mean["E"] * mean["R"] ** 2 / mean["m"]) ** 0.5
    values["ratio_r_without_Li_with"] = values["atomic_radius_avg_exclude_Li"] / values["atomic_radius_avg"]
    values["avg_diff_of_X_Li_rest"] = share * (values["avg_X_wiout_Li"] - electronegativity(species))
    return values


def choose_anion(symbols: Mapping[str, float], species: str = "Li", convention: Convention = "exact") -> str:
    """Choose the anion: the most electronegative element besides the mobile species, whatever its charge.

    Of equally electronegative ones it is the first in the alphabet. In the published table it is the last in the
    alphabet of all elements besides lithium. Raises InputError where there is no other element.
    """
    others = sorted(symbol for symbol in symbols if symbol != species)
    if not others:
        raise InputError(f"all atoms are {species}: there is no anion, and no other atom to describe it against")
    return others[-1] if convention == "zheng2024" else max(others, key=electronegativity)


def _fractions(counts: Mapping[str, float], species: str) -> dict[str, float]:
    if species not in counts:
        raise InputError(f"there is no {species} among {', '.join(counts) or 'no elements'}; name the mobile species")
    choose_anion(counts, species)
    total = float(sum(counts.values()))
    if min(counts.values()) <= 0 or not total < float("inf"):
        raise InputError(f"the amounts {dict(counts)} are not all positive numbers")
    return {symbol: count / total for symbol, count in counts.items()}


def _means(fractions: Mapping[str, float], convention: Convention) -> dict[str, float]:
    def mean(name: str) -> float:
        return sum(x * elemental_property(name, symbol) for symbol, x in fractions.items())

    means = {
        "B": mean("bulk_modulus_gpa"),
        "G": mean("shear_modulus_gpa"),
        "E": mean("cohesive_energy_ev"),
        "R": mean("atomic_radius_a"),
        "m": mean("mass_u"),
        "X": sum(x * electronegativity(symbol) for symbol, x in fractions.items()),
    }
    if convention == "zheng2024":
        for symbol in fractions.keys() & _PUBLISHED_SHEAR_MODULUS_GPA:
            published = _PUBLISHED_SHEAR_MODULUS_GPA[symbol]
            means["G"] += fractions[symbol] * (published - elemental_property("shear_modulus_gpa", symbol))
    return means
