"""Trends in a table without a model: correlations with the target, means by anion, activation energies."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tachylite.arrays import Array
from tachylite.descriptors.composition import choose_anion
from tachylite.descriptors.elemental import elemental_property, elements_with_property
from tachylite.learning.dataset import Dataset
from tachylite.learning.evaluation import mean_with_error
from tachylite.learning.tables import DIFFUSIVITY
from tachylite.physics.composition import parse_formula
from tachylite.physics.transport.arrhenius import arrhenius
from tachylite.schemas import Measured
from tachylite.schemas.learning import AnionTrend, Correlation, Trends

_MIN_TEMPERATURES = 3
"""An activation energy from fewer has no error."""
_MIN_COMPOSITIONS = 3
"""The error of a mean of fewer is too uncertain."""
_ALWAYS_SHOWN = ("F", "Cl", "Br", "I", "O", "S", "Se", "Te")
"""Anions that are shown however few compositions have them."""

_CM2_S = 1e-3
"""The unit of the diffusivities, in cm^2/s."""

_PUBLISHED_PEARSON: Mapping[str, float] = MappingProxyType(
    {
        "avg_Ecoh_with_Li": -0.81,
        "SPF": -0.76,
        "density": -0.67,
        "LNC": -0.64,
        "avg_B_with_Li": -0.64,
        "avg_X_with_Li": -0.64,
        "SNC": -0.63,
        "LBI": -0.61,
        "AFC": -0.54,
        "avg_Echo_wiout_Li": -0.53,
        "SLPE": -0.51,
        "PF": -0.46,
        "SDLI": -0.34,
        "avg_m_with_Li": -0.32,
        "avg_G_with_Li": -0.29,
        "ENS": -0.29,
        "avg_X_wiout_Li": -0.29,
        "avg_B_wiout_Li": -0.28,
        "LLSD": -0.27,
        "RBI": -0.24,
        "avg_G_wiout_Li": -0.10,
        "SDLC": -0.08,
        "ratio_r_without_Li_with": -0.04,
        "BR5_M_without_Li": -0.01,
        "Li_percentage": 0.77,
        "SLPW_pp": 0.59,
        "AAV": 0.58,
        "atomic_radius_avg": 0.56,
        "avg_diff_of_X_Li_rest": 0.54,
        "LLB": 0.49,
        "LASD": 0.49,
        "SLPW": 0.48,
        "VPA": 0.44,
        "AASD": 0.36,
        "atomic_radius_avg_exclude_Li": 0.35,
        "ER2_m_with_Li": 0.29,
        "SBI": 0.26,
        "avg_m_wiout_Li": 0.21,
        "BR5_M_with_Li": 0.18,
        "GR5_M_with_Li": 0.06,
        "RNC": 0.01,
    }
)
"""With the lithium diffusivity of 5000 K melts (Zheng et al. 2024, DOI 10.1038/s41524-024-01469-2, Table 1)."""

PUBLISHED_FIRST = ("temperature", "RBI", "AAV")
"""The most important inputs of boosting in the same paper."""


def find_trends(dataset: Dataset) -> Trends:
    """Find correlations, means by anion and activation energies in a dataset.

    Activation energies are those of compositions with three temperatures or more, where the target is a diffusivity.
    """
    temperature = _common_temperature(dataset)
    there = dataset.rows(np.flatnonzero(dataset.temperature_k == temperature))
    energies = _activation_energies(dataset) if dataset.target_name == DIFFUSIVITY else {}
    products = {text: _fraction_times_radius(text, dataset.species) for text in energies}
    binaries = {text: product for text, product in products.items() if product is not None}
    of_binaries = [energies[text] for text in binaries]
    return Trends(
        temperature_k=temperature,
        published_first=list(PUBLISHED_FIRST) if _is_comparable(dataset) else [],
        correlations=_correlations(there),
        anions=_anions(there, energies),
        activation_against_radius=pearson(np.array(list(binaries.values())), np.array(of_binaries)),
        activation_compositions=list(binaries),
        activation_energies_ev=of_binaries,
        fraction_times_radius_a=list(binaries.values()),
    )


def pearson(x: Array, y: Array) -> Measured | None:
    """Pearson's r of two columns (n,) with its standard error, (1 - r^2) / sqrt(n - 3); None where it is undefined."""
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    r = float(np.corrcoef(x, y)[0, 1])
    return Measured(value=r, error=(1 - r**2) / (len(x) - 3) ** 0.5)


def _is_comparable(dataset: Dataset) -> bool:
    """Whether the published table had this target."""
    return dataset.target_name == DIFFUSIVITY and dataset.species == "Li"


def _common_temperature(dataset: Dataset) -> float:
    """Find the highest temperature that half of the compositions have."""
    compositions = dataset.compositions
    half = len(np.unique(compositions)) / 2
    temperatures = [float(kelvin) for kelvin in np.unique(dataset.temperature_k)[::-1]]
    counts = {t: len(np.unique(compositions[dataset.temperature_k == t])) for t in temperatures}
    return next((t for t in temperatures if counts[t] >= half), max(counts, key=counts.__getitem__))


def _correlations(dataset: Dataset) -> list[Correlation]:
    published = _PUBLISHED_PEARSON if _is_comparable(dataset) else {}
    correlations = []
    for name, column in zip(dataset.names, dataset.features.T, strict=True):
        r = pearson(column, dataset.target)
        if r is not None:
            correlations.append(Correlation(feature=name, pearson=r, published=published.get(name)))
    return sorted(correlations, key=lambda correlation: correlation.pearson.value)


def _activation_energies(dataset: Dataset) -> dict[str, float]:
    compositions = dataset.compositions
    energies = {}
    for text in np.unique(compositions).tolist():
        own = (compositions == text) & (dataset.target > 0)
        temperatures = dataset.temperature_k[own]
        if len(np.unique(temperatures)) >= _MIN_TEMPERATURES:
            equal = np.ones(own.sum())  # the table has no errors, so every point counts alike
            energies[text] = arrhenius(temperatures, _CM2_S * dataset.target[own], equal).activation_energy_ev.value
    return energies


def _anions(dataset: Dataset, energies: Mapping[str, float]) -> list[AnionTrend]:
    anions = np.array([choose_anion(parse_formula(text).unit, dataset.species) for text in dataset.formulas])
    compositions = dataset.compositions
    trends = []
    for anion in np.unique(anions).tolist():
        own = anions == anion
        if own.sum() < _MIN_COMPOSITIONS and anion not in _ALWAYS_SHOWN:
            continue
        known = [energies[text] for text in compositions[own].tolist() if text in energies]
        trends.append(
            AnionTrend(
                anion=anion,
                compositions=int(own.sum()),
                target=mean_with_error(dataset.target[own].tolist()),
                activation_energy_ev=mean_with_error(known) if known else None,
            )
        )
    return sorted(trends, key=lambda trend: trend.target.value)


def _fraction_times_radius(text: str, species: str) -> float | None:
    """Fraction of the species times atomic radius of the other element of a binary compound, in A.

    None for other compounds, and where the radius is not known.
    """
    fractions = parse_formula(text).fractions
    others = [symbol for symbol in fractions if symbol != species]
    if len(others) != 1 or others[0] not in elements_with_property("atomic_radius_a"):
        return None
    return fractions[species] * elemental_property("atomic_radius_a", others[0])
