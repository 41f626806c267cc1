"""Read tables of temperature, energy and volume along a run, as molecular dynamics programs log them."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.units import FS_PER_PS

EnergyKind = Literal["potential", "total", "enthalpy"]

_ENERGIES: dict[str, EnergyKind] = {
    "energy_ev": "potential",
    "total_energy_ev": "total",
    "enthalpy_ev": "enthalpy",
}
_TIMES = {"time_fs": 1.0, "time_ps": FS_PER_PS}


@dataclass(frozen=True)
class ThermoTable:
    """Columns of a log, each (n,), in the order of time; energies and volumes are those of the cell."""

    temperatures_k: Array
    energies_ev: Array
    energy_kind: EnergyKind
    volumes_a3: Array | None
    times_fs: Array | None


def read_thermo(path: Path) -> ThermoTable:
    """Read a CSV with a line of names: `temperature_k`, one of `energy_ev`, `total_energy_ev` and `enthalpy_ev`.

    `energy_ev` is the potential energy. `volume_a3` and `time_fs` or `time_ps` are read where they are there; other
    columns are left out. Raises InputError for a file that is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = csv.reader(file)
    except OSError as error:
        raise InputError(f"table {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no line at all, or bytes that are no text
        raise InputError(f"table {path} is no CSV with a line of names: {error}") from error
    names = [name.strip() for name in header]
    kinds = [name for name in _ENERGIES if name in names]
    if "temperature_k" not in names or len(kinds) != 1:
        raise InputError(
            f"table {path} has {', '.join(names)}; temperature_k and one of {', '.join(_ENERGIES)} are needed"
        )
    times = next((name for name in _TIMES if name in names), None)

    def column(name: str) -> Array:
        try:
            values = np.array([row[names.index(name)] for row in rows], dtype=np.float64)
        except (ValueError, IndexError) as error:
            raise InputError(f"table {path}, column {name}: {error}") from error
        if not np.isfinite(values).all():
            raise InputError(f"table {path}, column {name} has values that are not finite; leave those rows out")
        return values

    return ThermoTable(
        temperatures_k=column("temperature_k"),
        energies_ev=column(kinds[0]),
        energy_kind=_ENERGIES[kinds[0]],
        volumes_a3=column("volume_a3") if "volume_a3" in names else None,
        times_fs=column(times) * _TIMES[times] if times is not None else None,
    )
