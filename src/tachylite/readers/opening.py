"""Open a trajectory with the reader of its format, and turn the errors of the parsers into one line."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from lzma import LZMAError
from pathlib import Path

import numpy as np

from tachylite.errors import InputError
from tachylite.readers.ase_files import is_extxyz, read_any, read_extxyz
from tachylite.readers.files import TruncatedError, plain_name
from tachylite.readers.frames import Frame, TrajectoryReader
from tachylite.readers.hdf5 import read_h5md
from tachylite.readers.lammps import read_dump
from tachylite.readers.msonable import read_json
from tachylite.readers.vasp import folder_frames, read_vasprun, read_xdatcar
from tachylite.schemas import Trajectory

OWN = (".h5", ".h5md")
"""Suffixes of the trajectories that this package writes."""


def open_trajectory(
    path: Path, timestep_fs: float | None = None, types: Sequence[str] | None = None
) -> TrajectoryReader:
    """Open a trajectory of any known format; its frames are read, a few megabytes at a time, by `blocks`.

    XDATCAR, vasprun.xml and folders of them, extended XYZ, ASE's .traj, LAMMPS dumps (names with .dump, .lammpstrj
    or that start with dump), H5MD (.h5, .h5md), JSON of pymatgen and emmet; with .gz, .bz2 or .xz. What ASE
    recognises besides these is read too.

    `timestep_fs` is the time between frames, of a LAMMPS dump between steps; `types` are the elements of the
    types 1, 2, ... of LAMMPS and H5MD files without elements. Raises InputError for what cannot be read.
    """
    if not path.exists():
        raise InputError(f"trajectory {path} does not exist")
    if timestep_fs is not None and timestep_fs <= 0:
        raise InputError(f"--timestep {timestep_fs:g} must be greater than 0 (fs between two frames)")
    if timestep_fs is not None and path.suffix in OWN and path.is_file() and _is_own(path):
        raise InputError(f"trajectory {path} knows its own times; leave --timestep out")
    read, timestep_fs = _reader(path, timestep_fs, types)
    return TrajectoryReader.from_file(path, partial(_with_readable_errors, path, read), timestep_fs)


def read_trajectory(path: Path, timestep_fs: float | None = None, types: Sequence[str] | None = None) -> Trajectory:
    """Read a whole trajectory of any format that `open_trajectory` knows, unwrapped, into memory.

    Without `timestep_fs`, frames of files without times are 1 fs apart, which only a static analysis may
    use. Files of this package hold their times. Raises InputError for a file that cannot be read, has no periodic
    cell, changes its atoms on the way, or in which they move too far between frames to be followed.
    """
    if path.suffix in OWN and path.is_file() and _is_own(path) and timestep_fs is None:
        return Trajectory.load(path)
    frames = open_trajectory(path, timestep_fs, types)
    blocks = list(frames.blocks())
    return Trajectory.from_arrays(
        numbers=frames.numbers,
        positions=np.concatenate([block.positions for block in blocks]),
        cells=np.concatenate([block.cells for block in blocks]),
        times_fs=np.concatenate([block.times_fs for block in blocks]),
        series={},
    )


def _reader(
    path: Path, timestep_fs: float | None, types: Sequence[str] | None
) -> tuple[Callable[[], Iterator[Frame]], float | None]:
    """The reader of a file, and the timestep, None where the reader has applied it to the times already."""
    name = plain_name(path).lower()
    if path.is_dir():
        return folder_frames(path), timestep_fs
    if "xdatcar" in name:
        return partial(read_xdatcar, path), timestep_fs
    if "vasprun" in name and ".xml" in name:
        return partial(read_vasprun, path), timestep_fs
    if ".lammpstrj" in name or ".dump" in name or name.startswith("dump"):
        return partial(read_dump, path, types, timestep_fs), None
    if name.endswith(OWN):
        return partial(read_h5md, path, types), timestep_fs
    if name.endswith(".json"):
        return partial(read_json, path), timestep_fs
    return partial(read_extxyz if is_extxyz(path) else read_any, path), timestep_fs


def _with_readable_errors(path: Path, read: Callable[[], Iterator[Frame]]) -> Iterator[Frame]:
    """Turn every error of a parser into an InputError of one line that names the file."""
    try:
        yield from read()
    except TruncatedError as error:
        done = error.args[0]
        raise InputError(
            f"trajectory {path} ends inside frame {done + 1}, truncated; cut it after frame {done} to use the rest"
        ) from None
    except (EOFError, zlib.error, LZMAError):
        raise InputError(f"trajectory {path} ends inside its compressed data, it is truncated; copy it again") from None
    except InputError as error:
        message = str(error)
        raise InputError(message if str(path) in message else f"trajectory {path} cannot be read: {message}") from None
    except Exception as error:  # every parser fails in its own way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"trajectory {path} cannot be read: {reason}") from None


def _is_own(path: Path) -> bool:
    """Whether a file was written by this package, or is no HDF5, for which our reader has the best message."""
    import h5py

    if not h5py.is_hdf5(path):
        return True
    with h5py.File(path, "r") as file:
        name = file["h5md/creator"].attrs.get("name", b"") if "h5md/creator" in file else b""
    return bool(name in (b"tachylite", "tachylite"))
