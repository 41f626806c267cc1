"""Read H5MD files (DOI 10.1016/j.cpc.2014.01.018) of this package and of other programs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.readers.files import plain_file
from tachylite.readers.frames import Frame

if TYPE_CHECKING:
    import h5py

_ANGSTROM = {"angstrom": 1.0, "a": 1.0, "å": 1.0, "nm": 10.0, "pm": 0.01, "m": 1e10, "bohr": 0.529177210903}
_FS = {"fs": 1.0, "ps": 1e3, "ns": 1e6, "s": 1e15}
_FRAMES_AT_ONCE_BYTES = 4_000_000


def read_h5md(path: Path, types: Sequence[str] | None = None) -> Iterator[Frame]:
    """Frames of the only group of particles; `types` are the elements of the species 1, 2, ...

    Raises InputError for several groups, a box that is not periodic, and lengths without a unit.
    """
    import h5py

    with plain_file(path) as plain, h5py.File(plain, "r") as file:
        groups = [group for group in file.get("particles", {}).values() if "position" in group]
        if len(groups) != 1:
            raise InputError(f"{len(groups)} groups with positions under /particles; one is needed")
        yield from _frames(groups[0], types)


def _frames(group: "h5py.Group", types: Sequence[str] | None) -> Iterator[Frame]:
    position = group["position/value"]
    n_frames, n_atoms, _ = position.shape
    boundary = [_text(word) for word in np.atleast_1d(group["box"].attrs.get("boundary", ["none"]))]
    if set(boundary) != {"periodic"}:
        raise InputError(f"the box is not periodic in all directions: {' '.join(boundary)}")
    numbers = _numbers(group, types)
    scale = _unit(position, _ANGSTROM, "Angstrom")
    image = group.get("image/value")
    # our own files promise unwrapped positions; others only with their images
    is_own = (
        _text(group.file["h5md/creator"].attrs.get("name", "")) == "tachylite"
        if "h5md/creator" in group.file
        else False
    )
    times = _times_fs(group["position"], n_frames)
    size = max(1, _FRAMES_AT_ONCE_BYTES // (24 * n_atoms))
    for start in range(0, n_frames, size):
        part = slice(start, min(start + size, n_frames))
        cells = _cells(group["box/edges"], part, scale)
        positions = np.asarray(position[part], dtype=np.float64) * scale
        if image is not None:
            positions = positions + np.matmul(np.asarray(image[part], dtype=np.float64), cells)
        for i in range(len(positions)):
            time_fs = None if times is None else float(times[start + i])
            yield Frame(numbers, positions[i], cells[i], time_fs, wrapped=image is None and not is_own)


def _cells(edges: "h5py.Dataset | h5py.Group", part: slice, scale: float) -> NDArray[np.float64]:
    n = part.stop - part.start
    constant = not hasattr(edges, "keys")
    dataset = edges if constant else edges["value"]
    values = np.asarray(dataset[()] if constant else dataset[part], dtype=np.float64)
    if "unit" in dataset.attrs:
        scale = _unit(dataset, _ANGSTROM, "Angstrom")
    if values.shape[-1:] == (3,) and values.ndim == (1 if constant else 2):
        values = values[..., None, :] * np.eye(3)
    return np.broadcast_to(values * scale, (n, 3, 3))


def _numbers(group: "h5py.Group", types: Sequence[str] | None) -> NDArray[np.int64]:
    import h5py

    species = group.get("species")
    if species is None:
        raise InputError("no species under its particles")
    if hasattr(species, "keys"):
        raise InputError("species that change with time cannot be followed")
    values = species[()]
    names = h5py.check_enum_dtype(species.dtype)
    if names is not None:
        symbol = {number: name for name, number in names.items()}
        return _symbols([symbol[int(value)] for value in values])
    if values.dtype.kind in "SO":
        return _symbols([_text(value) for value in values])
    if types is None:
        return np.asarray(values, dtype=np.int64)
    if values.min() < 1 or values.max() > len(types):
        raise InputError(f"species {values.min()} to {values.max()}, but --types names {len(types)}: {','.join(types)}")
    return _symbols([types[int(value) - 1] for value in values])


def _symbols(symbols: list[str]) -> NDArray[np.int64]:
    unknown = sorted(set(symbols) - atomic_numbers.keys())
    if unknown:
        raise InputError(f"species {', '.join(unknown)} are no elements")
    return np.array([atomic_numbers[symbol] for symbol in symbols], dtype=np.int64)


def _times_fs(element: "h5py.Group", n_frames: int) -> NDArray[np.float64] | None:
    """Times of the frames, from a list or from a fixed distance between frames; None where there is no unit."""
    time = element.get("time")
    if time is None or "unit" not in time.attrs:
        return None
    values = np.asarray(time[()], dtype=np.float64)
    if values.ndim == 0:
        values = np.arange(n_frames) * values + float(time.attrs.get("offset", 0.0))
    return values * _unit(time, _FS, "fs")


def _unit(dataset: "h5py.Dataset", known: dict[str, float], usual: str) -> float:
    name = _text(dataset.attrs.get("unit", ""))
    if name.lower() not in known:
        unit = f"the unit {name!r}" if name else "no unit"
        raise InputError(f"{dataset.name} has {unit}; set its attribute unit, {usual} for example")
    return known[name.lower()]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
