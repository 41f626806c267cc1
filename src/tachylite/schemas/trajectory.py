"""Trajectories: a compressed H5MD file in memory, named by its checksum."""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from monty.json import MSONable
from numpy.typing import ArrayLike, NDArray

from tachylite.errors import InputError
from tachylite.schemas.h5md import LABELS, pack
from tachylite.schemas.run import State

if TYPE_CHECKING:
    import h5py
    from ase import Atoms
    from pymatgen.core.trajectory import Trajectory as PymatgenTrajectory

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SERIES_AXES = {"step": "step", "time_fs": "time"}


class Trajectory(MSONable):
    """Frames and thermodynamic series of one run, held as the bytes of an H5MD file.

    The layout is H5MD 1.1 (DOI 10.1016/j.cpc.2014.01.018), so any HDF5 tool reads a saved file:
    `particles/all/position`, `particles/all/species` (atomic numbers), `particles/all/box/edges` (lattice
    vectors as rows) and `observables/<name>` for the series; where frames have labels, `particles/all/force`,
    `observables/all/potential_energy` and `observables/all/stress`. Positions are fixed-point numbers with a
    resolution of 1e-5 A, forces of 1e-4 eV/A (the scale-offset filter of HDF5). Equal input gives equal bytes,
    hence equal `sha256`. Arrays are decoded at first use, cached and read-only.
    """

    def __init__(self, h5md: bytes) -> None:
        if not h5md.startswith(_SIGNATURE):
            raise InputError(f"not a trajectory: {len(h5md)} bytes that do not start as an HDF5 file")
        self.h5md = h5md

    @classmethod
    def from_arrays(
        cls,
        *,
        numbers: ArrayLike,
        positions: ArrayLike,
        cells: ArrayLike,
        times_fs: ArrayLike,
        series: Mapping[str, ArrayLike],
        energies: ArrayLike | None = None,
        forces: ArrayLike | None = None,
        stresses: ArrayLike | None = None,
    ) -> Self:
        """Make a trajectory from arrays.

        `numbers` (N,); `positions` (F, N, 3) in A, unwrapped; `cells` (3, 3) or (F, 3, 3) in A, vectors as
        rows; `times_fs` (F,); `series` maps names with their unit, like `temperature_k`, to arrays of one
        common length, which may differ from F. A series `step` counts 0, 1, 2, ... if none is given.
        Potential `energies` (F,) in eV, `forces` (F, N, 3) in eV/A and `stresses` (F, 3, 3) in eV/A^3, tension
        positive, without the kinetic part, are those of the frames.
        Times and energies are kept as float64, other series as float32; they may hold NaN, frames may not.
        Raises InputError where shapes disagree or a frame is not finite.
        """
        labels = {"energies": energies, "forces": forces, "stresses": stresses}
        given = {name: values for name, values in labels.items() if values is not None}
        return cls(pack(numbers, positions, cells, times_fs, series, given))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal: the name of the trajectory."""
        return hashlib.sha256(self.h5md).hexdigest()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.times_fs)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Atomic numbers, (N,)."""
        return self._read("particles/all/species").astype(np.int64)

    @cached_property
    def positions(self) -> NDArray[np.float64]:
        """Unwrapped Cartesian positions in A, (F, N, 3)."""
        return self._read("particles/all/position/value")

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """Lattice vectors as rows in A, (F, 3, 3), also where the cell is constant."""
        if self._constant_cell:
            edges = self._read("particles/all/box/edges")
            return np.broadcast_to(edges, (self.n_frames, 3, 3))
        return self._read("particles/all/box/edges/value")

    @cached_property
    def times_fs(self) -> NDArray[np.float64]:
        """Times of the frames in fs, (F,)."""
        return self._read("particles/all/position/time")

    @cached_property
    def energies_ev(self) -> NDArray[np.float64] | None:
        """Potential energies of the frames in eV, (F,); None where they were not recorded."""
        return self._label("energies")

    @cached_property
    def forces(self) -> NDArray[np.float64] | None:
        """Forces in eV/A, (F, N, 3); None where they were not recorded."""
        return self._label("forces")

    @cached_property
    def stresses(self) -> NDArray[np.float64] | None:
        """Stresses in eV/A^3, (F, 3, 3), tension positive, without the kinetic part; None if not recorded."""
        return self._label("stresses")

    @cached_property
    def series(self) -> dict[str, NDArray[Any]]:
        """The thermodynamic series by name, with `step` and, if stored, `time_fs`; all of one length."""
        with self._open() as file:
            axes = file["parameters/series"]
            columns = {name: _frozen(axes[key]) for name, key in _SERIES_AXES.items() if key in axes}
            columns |= {name: _frozen(group["value"]) for name, group in _series_of(file)}
        return columns

    @property
    def temperatures_k(self) -> NDArray[np.float64]:
        """Temperature in K at the times of the frames, (F,); NaN where it was not recorded."""
        series = self.series
        if not {"time_fs", "temperature_k"} <= set(series):
            return np.full(self.n_frames, np.nan)
        temperatures: NDArray[np.float64] = np.interp(self.times_fs, series["time_fs"], series["temperature_k"])
        return temperatures

    def atoms(self) -> "list[Atoms]":
        """All frames as periodic ASE atoms, with energy, forces and stress where these were recorded."""
        from ase import Atoms
        from ase.calculators.singlepoint import SinglePointCalculator

        frames = [
            Atoms(numbers=self.numbers, positions=positions, cell=cell, pbc=True)
            for positions, cell in zip(self.positions, self.cells, strict=True)
        ]
        parts = {"energy": self.energies_ev, "forces": self.forces, "stress": self.stresses}
        labels = {name: values for name, values in parts.items() if values is not None}
        for i, frame in enumerate(frames if labels else ()):
            frame.calc = SinglePointCalculator(frame, **{name: values[i] for name, values in labels.items()})
        return frames

    def pymatgen(self) -> "PymatgenTrajectory":
        """All frames as a pymatgen trajectory, with unwrapped fractional coordinates."""
        from pymatgen.core.periodic_table import Element
        from pymatgen.core.trajectory import Trajectory as PymatgenTrajectory

        return PymatgenTrajectory(
            species=[Element.from_Z(int(z)) for z in self.numbers],
            coords=np.einsum("fni,fij->fnj", self.positions, np.linalg.inv(self.cells)),
            lattice=self.cells[0] if self._constant_cell else self.cells,
            constant_lattice=self._constant_cell,
            time_step=float(self.times_fs[1] - self.times_fs[0]) if self.n_frames > 1 else None,
        )

    def frame(self, i: int) -> State:
        """Frame i as a state without velocities; negative i counts from the end; raises IndexError beyond."""
        return State(numbers=self.numbers.tolist(), positions=self.positions[i].tolist(), cell=self.cells[i].tolist())

    def save(self, path: str | Path) -> None:  # type: ignore[override]  # MSONable writes JSON, with its options
        """Write the H5MD file."""
        Path(path).write_bytes(self.h5md)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read an H5MD file that `save` wrote; raises InputError for any other file."""
        try:
            trajectory = cls(Path(path).read_bytes())
            with trajectory._open() as file:
                file["particles/all/position/value"]
        except (OSError, KeyError, InputError) as error:
            raise InputError(f"cannot read a trajectory from {path}: {_first_line(error)}") from error
        return trajectory

    def as_dict(self) -> dict[str, Any]:
        """MSON form: the file in base64 with its SHA-256."""
        return {
            "@module": type(self).__module__,
            "@class": type(self).__name__,
            "sha256": self.sha256,
            "h5md": base64.b64encode(self.h5md).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Read the MSON form; raises InputError where the bytes do not match their SHA-256."""
        trajectory = cls(base64.b64decode(d["h5md"]))
        if trajectory.sha256 != d["sha256"]:
            raise InputError(f"trajectory {d['sha256']} is damaged: its bytes have SHA-256 {trajectory.sha256}")
        return trajectory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trajectory) and self.h5md == other.h5md

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"Trajectory({self.sha256[:12]}, {len(self.h5md)} bytes)"

    @cached_property
    def _constant_cell(self) -> bool:
        import h5py

        with self._open() as file:
            return isinstance(file["particles/all/box/edges"], h5py.Dataset)

    def _open(self) -> "h5py.File":
        import h5py

        return h5py.File(io.BytesIO(self.h5md), "r")

    def _label(self, name: str) -> NDArray[np.float64] | None:
        with self._open() as file:
            return _frozen(file[LABELS[name]]["value"]) if LABELS[name] in file else None

    def _read(self, name: str) -> NDArray[Any]:
        with self._open() as file:
            return _frozen(file[name])


def _series_of(file: "h5py.File") -> Iterator[tuple[str, "h5py.Group"]]:
    """Observables of every step, and not those of the frames."""
    yield from ((name, group) for name, group in file.get("observables", {}).items() if "value" in group)


def _frozen(dataset: "h5py.Dataset") -> NDArray[Any]:
    values: NDArray[Any] = dataset[()]
    values.setflags(write=False)
    return values


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
