"""Tables of numbers as CSV files."""

import csv
from collections.abc import Mapping
from pathlib import Path

type Columns = dict[str, list[float] | list[str]]
"""By name with its unit."""


def write_tables(tables: Mapping[str, Columns], folder: Path) -> list[Path]:
    """Write every table as a CSV file into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, columns in tables.items():
        paths.append(folder / f"{name}.csv")
        with paths[-1].open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    return paths
