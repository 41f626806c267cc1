"""A cooling run as a table of numbers, for CSV files."""

import math

from tachylite.report.csv_tables import Columns
from tachylite.schemas.glass import GlassTransition


def glass_tables(found: GlassTransition) -> dict[str, Columns]:
    """The windows of the energy and, where it changes, of the volume, by the name of the table."""
    tables: dict[str, Columns] = {}
    for unit, transition in (("ev_per_atom", found.energy), ("a3_per_atom", found.volume)):
        if transition is not None:
            name = transition.quantity
            tables[f"{name}_windows"] = {
                "temperature_k": transition.window_temperatures_k,
                f"{name}_{unit}": transition.window_values,
                f"{name}_error_{unit}": [math.nan if e is None else e for e in transition.window_errors],
            }
    return tables
