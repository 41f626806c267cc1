"""Diffusivities as tables of numbers."""

import math
from collections.abc import Sequence

from tachylite.report.csv_tables import Columns
from tachylite.schemas import Diffusivity


def transport_tables(found: Sequence[Diffusivity]) -> dict[str, Columns]:
    """Diffusivities, a row for each trajectory, and the mean squared displacements they are from."""
    intervals = [one.diffusivity_interval_cm2_s for one in found]
    diffusivities: Columns = {
        "species": [one.species for one in found],
        "temperature_k": [one.temperature_k for one in found],
        "diffusivity_cm2_s": [_number(one.diffusivity_cm2_s) for one in found],
        "low_95_cm2_s": [math.nan if ends is None else ends.low for ends in intervals],
        "high_95_cm2_s": [math.nan if ends is None else ends.high for ends in intervals],
        "upper_bound_cm2_s": [_number(one.upper_bound_cm2_s) for one in found],
        "n_independent": [one.n_independent for one in found],
    }
    displacements: Columns = {
        "temperature_k": [one.temperature_k for one in found for _ in one.lags_fs],
        "lag_fs": [lag for one in found for lag in one.lags_fs],
        "msd_a2": [msd for one in found for msd in one.msd_a2],
        "msd_error_a2": [error for one in found for error in one.msd_error_a2],
    }
    return {"diffusivities": diffusivities, "msd": displacements}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
