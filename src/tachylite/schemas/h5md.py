"""Writing trajectories as H5MD 1.1 (DOI 10.1016/j.cpc.2014.01.018)."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tachylite.errors import InputError

if TYPE_CHECKING:
    import h5py

_POSITION_DECIMALS = 5
"""Decimals of positions in A: they are read back within 5e-6 A."""

_FORCE_DECIMALS = 4
"""Decimals of forces in eV/A: they are read back within 5e-5 eV/A, below the noise of any calculation."""

_CHUNK_VALUES = 1000
"""Frames of one atom in a chunk: longer chunks span a larger range of positions, shorter ones have more overhead."""

_FILL = 1e30
"""Fill value far from any position or force, as the filter replaces values close to it by it."""

_UNITS = {"k": "K", "ev": "eV", "fs": "fs", "gpa": "GPa", "a3": "Angstrom3"}


def pack(
    numbers: ArrayLike,
    positions: ArrayLike,
    cells: ArrayLike,
    times_fs: ArrayLike,
    series: Mapping[str, ArrayLike],
    labels: Mapping[str, ArrayLike],
) -> bytes:
    """Write the arrays of `Trajectory.from_arrays` to the bytes of an H5MD file; the same for equal input.

    `labels` are `energies`, `forces` and `stresses` of the frames, or empty.
    """
    import h5py

    frames = _Frames(numbers, positions, cells, times_fs)
    columns = _columns(series)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _write_header(file)
        frames.write(file)
        frames.write_labels(file, labels)
        _write_series(file, columns)
    return buffer.getvalue()


class _Frames:
    """Arrays of the frames, checked, and writing them."""

    def __init__(self, numbers: ArrayLike, positions: ArrayLike, cells: ArrayLike, times_fs: ArrayLike) -> None:
        self.numbers = np.asarray(numbers, dtype=np.int32)
        self.positions = np.asarray(positions, dtype=np.float64)
        self.cells = np.asarray(cells, dtype=np.float64)
        self.times_fs = np.asarray(times_fs, dtype=np.float64)
        shape = (len(self.times_fs), len(self.numbers), 3)
        if self.positions.shape != shape or 0 in shape:
            raise InputError(
                f"positions have shape {self.positions.shape}; {shape[0]} times and {shape[1]} atoms need {shape}"
                " with at least one frame and one atom"
            )
        if self.cells.shape not in ((3, 3), (shape[0], 3, 3)):
            raise InputError(f"cells have shape {self.cells.shape} instead of (3, 3) or ({shape[0]}, 3, 3)")
        if not (np.isfinite(self.positions).all() and np.isfinite(self.cells).all()):
            raise InputError("positions or cells are not finite; leave such frames out")
        if self.cells.ndim == 3 and (self.cells == self.cells[0]).all():
            self.cells = self.cells[0]

    def write(self, file: "h5py.File") -> None:
        group = file.create_group("particles/all/position")
        _write_vectors(group, self.positions, _POSITION_DECIMALS, "Angstrom")
        count = len(self.positions)
        _write_axes(group, np.arange(count), self.times_fs)
        file["particles/all"].create_dataset("species", data=self.numbers, track_times=False)
        box = file.create_group("particles/all/box")
        box.attrs["dimension"] = 3
        box.attrs["boundary"] = np.array([b"periodic"] * 3)
        if self.cells.ndim == 2:
            edges = box.create_dataset("edges", data=self.cells, track_times=False)
        else:
            element = box.create_group("edges")
            edges = _write(element, "value", self.cells)
            element["step"], element["time"] = group["step"], group["time"]
        edges.attrs["unit"] = np.bytes_("Angstrom")

    def write_labels(self, file: "h5py.File", labels: Mapping[str, ArrayLike]) -> None:
        """Write what a model or a calculation says of every frame."""
        if not labels:
            return
        position = file["particles/all/position"]
        count, atoms, _ = self.positions.shape
        shapes = {"energies": (count,), "forces": (count, atoms, 3), "stresses": (count, 3, 3)}
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in labels.items()}
        for name, values in arrays.items():
            if values.shape != shapes[name] or not np.isfinite(values).all():
                raise InputError(f"{name} of shape {values.shape} instead of {shapes[name]}, or not finite")
        groups = {name: file.create_group(LABELS[name]) for name in arrays}
        for name, group in groups.items():
            group["step"], group["time"] = position["step"], position["time"]
            if name == "forces":
                _write_vectors(group, arrays[name], _FORCE_DECIMALS, "eV Angstrom-1")
            else:
                unit = "eV" if name == "energies" else "eV Angstrom-3"
                _write(group, "value", arrays[name]).attrs["unit"] = np.bytes_(unit)


LABELS = {
    "energies": "observables/all/potential_energy",
    "forces": "particles/all/force",
    "stresses": "observables/all/stress",
}
"""Where a file holds what is said of its frames."""


def _write_vectors(group: "h5py.Group", values: NDArray[np.float64], decimals: int, unit: str) -> None:
    """Write vectors of atoms, (F, N, 3), as fixed-point numbers."""
    count, atoms, _ = values.shape
    # chunks of equal length, so that the padding of the last one neither takes space nor widens its range
    length = -(-count // -(-count // _CHUNK_VALUES))
    dataset = group.create_dataset(
        "value",
        data=values,
        chunks=(length, min(atoms, max(1, _CHUNK_VALUES // length)), 3),
        scaleoffset=decimals,
        fillvalue=_FILL,
        track_times=False,
    )
    dataset.attrs["unit"] = np.bytes_(unit)


def _columns(series: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    columns = {
        name: np.asarray(values, dtype=np.int64 if name == "step" else np.float64)
        for name, values in sorted(series.items())
    }
    shapes = {name: values.shape for name, values in columns.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise InputError(f"series are not arrays of one common length: {shapes}")
    if shapes:
        columns.setdefault("step", np.arange(len(next(iter(columns.values())))))
    return columns


def _write_header(file: "h5py.File") -> None:
    header = file.create_group("h5md")
    header.attrs["version"] = np.array([1, 1])
    header.create_group("author").attrs["name"] = np.bytes_("tachylite")
    creator = header.create_group("creator")
    creator.attrs["name"] = np.bytes_("tachylite")
    # the version of this layout, not of the package: the same frames keep their SHA-256 over releases
    creator.attrs["version"] = np.bytes_("1")
    header.create_group("modules/units").attrs["version"] = np.array([1, 0])


def _write_series(file: "h5py.File", columns: Mapping[str, NDArray[Any]]) -> None:
    # every observable shares these two by hard links
    axes = file.create_group("parameters/series")
    if columns:
        _write_axes(axes, columns["step"], columns.get("time_fs"))
    for name in sorted(columns.keys() - {"step", "time_fs"}):
        group = file.create_group(f"observables/{name}")
        unit = name.rsplit("_", 1)[-1]
        values = columns[name] if unit == "ev" else columns[name].astype(np.float32)
        dataset = _write(group, "value", values)
        if unit in _UNITS:
            dataset.attrs["unit"] = np.bytes_(_UNITS[unit])
        for axis in axes:
            group[axis] = axes[axis]


def _write_axes(group: "h5py.Group", steps: NDArray[Any], times_fs: NDArray[np.float64] | None) -> None:
    _write(group, "step", steps)
    if times_fs is not None:
        _write(group, "time", times_fs).attrs["unit"] = np.bytes_("fs")


def _write(group: "h5py.Group", name: str, values: NDArray[Any]) -> "h5py.Dataset":
    packing = {"compression": "gzip", "shuffle": True} if values.size else {}
    return group.create_dataset(name, data=values, track_times=False, **packing)
