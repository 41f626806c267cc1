"""Read trajectories of pymatgen and emmet from JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.readers.files import open_text
from tachylite.readers.frames import Frame


def read_json(path: Path) -> Iterator[Frame]:
    """Frames of a pymatgen Trajectory or an emmet trajectory; the whole file is read at once, as JSON must be.

    emmet's needs no package: its fields are lists (elements, cart_coords, lattice, time_step).
    """
    with open_text(path) as file:
        document = json.load(file)
    if isinstance(document, dict) and document.get("@module", "").startswith("pymatgen"):
        yield from _pymatgen(document)
    elif isinstance(document, dict) and {"elements", "cart_coords"} <= document.keys():
        yield from _emmet(document)
    else:
        raise InputError("JSON, but neither a pymatgen Trajectory nor emmet's elements and cart_coords")


def _pymatgen(document: dict[str, Any]) -> Iterator[Frame]:
    from monty.json import MontyDecoder

    trajectory = MontyDecoder().process_decoded(document)
    if type(trajectory).__name__ != "Trajectory":
        raise InputError(f"a {type(trajectory).__name__} of pymatgen; a Trajectory is needed")
    if trajectory.lattice is None:
        raise InputError("a pymatgen Trajectory without a lattice; a periodic cell is needed")
    numbers = np.array([species.Z for species in trajectory.species], dtype=np.int64)
    trajectory.to_positions()
    lattices = np.asarray(trajectory.lattice, dtype=np.float64)
    cells = np.broadcast_to(lattices, (len(trajectory), 3, 3))
    yield from _timed(numbers, np.matmul(np.asarray(trajectory.coords), cells), cells, trajectory.time_step)


def _emmet(document: dict[str, Any]) -> Iterator[Frame]:
    positions = np.array(document["cart_coords"], dtype=np.float64)
    if not document.get("lattice"):
        raise InputError("an emmet trajectory without a lattice; a periodic cell is needed")
    cells = np.broadcast_to(np.array(document["lattice"], dtype=np.float64), (len(positions), 3, 3))
    yield from _timed(np.array(document["elements"], dtype=np.int64), positions, cells, document.get("time_step"))


def _timed(
    numbers: NDArray[np.int64], positions: NDArray[np.float64], cells: NDArray[np.float64], step_fs: float | None
) -> Iterator[Frame]:
    for index, (frame, cell) in enumerate(zip(positions, cells, strict=True)):
        yield Frame(numbers, frame, cell, None if step_fs is None else index * step_fs)
