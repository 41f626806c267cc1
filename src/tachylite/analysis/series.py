"""What results at several temperatures say together: activation energies and thermal expansion of a material."""

from collections.abc import Iterator, Sequence

import numpy as np

from tachylite.analysis.laws import activation
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.heat import thermal_expansion
from tachylite.schemas import Result
from tachylite.schemas.material import Activation, Expansion, Series
from tachylite.schemas.steps.volume import VolumeResult


def activations_of(results: Sequence[Result], species: Sequence[str]) -> list[Activation]:
    """Arrhenius and VFT laws of every species over the temperatures of each series that has several.

    Where none has, and the states follow one another, those of all steps are taken together.
    """
    states = [result for result in results if result.measured_diffusivities]
    several = [
        series for series, group in _series(results).items() if len({result.temperature_k for result in group}) > 1
    ]
    groups = [(series, group) for series, group in _series(states).items() if series in several]
    follow = not any(state.variant for state in states)
    if not groups and follow and len({state.temperature_k for state in states}) > 1:
        groups = [(Series(), states)]
    return [_activation(series, symbol, group) for series, group in groups for symbol in species]


def expansions_of(results: Sequence[Result]) -> list[Expansion]:
    """Thermal expansion from the volumes of zero pressure of each search at several temperatures."""
    searches = [result for result in results if isinstance(result, VolumeResult)]
    expansions = (_expansion(series, group) for series, group in _series(searches).items())
    return [expansion for expansion in expansions if expansion is not None]


def _series[R: Result](results: Sequence[R]) -> dict[Series, list[R]]:
    """Results that differ in temperature only together, in order."""
    together: dict[Series, list[R]] = {}
    for result in results:
        together.setdefault(Series(step=result.step, variant=result.series_variant), []).append(result)
    return together


def _activation(series: Series, species: str, states: Sequence[Result]) -> Activation:
    diffusivities = [d for state in states for d in state.measured_diffusivities if d.species == species]
    return activation(species, diffusivities).model_copy(update=series.model_dump())


def _expansion(series: Series, searches: Sequence[VolumeResult]) -> Expansion | None:
    points = list(_volumes(searches))
    if len({temperature for temperature, _ in points}) < 2:
        return None
    line = thermal_expansion(
        [temperature for temperature, _ in points], [v.value for _, v in points], [v.error for _, v in points]
    )
    return Expansion(**series.model_dump(), **dict(line))


def _volumes(searches: Sequence[VolumeResult]) -> Iterator[tuple[float, Measured]]:
    """Temperatures, and volumes per atom whose error is known."""
    for search in searches:
        volume = search.volume_a3
        if search.status == "completed" and volume is not None and np.isfinite(volume.error) and volume.error > 0:
            yield search.temperature_k, volume / search.n_atoms
