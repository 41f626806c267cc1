"""Trajectories from other programs, and our own."""

from pathlib import Path

import numpy as np
from ase import Atoms

from tachylite.errors import InputError
from tachylite.physics.transport import unwrap
from tachylite.schemas import Trajectory

OWN = {".h5", ".h5md"}


def read_trajectory(path: Path, timestep_fs: float | None = None) -> Trajectory:
    """Read XDATCAR, extended XYZ, ASE trajectories (all also gzipped) and tachylite's H5MD files.

    `timestep_fs` is the time between two frames; our own files know their times. Without it the frames of other
    files are 1 fs apart, which only a static analysis may use. Wrapped positions are unwrapped. Raises InputError
    for a file that cannot be read, has no periodic cell, changes its atoms on the way, or in which they move too
    far between frames to be followed.
    """
    if not path.is_file():
        raise InputError(f"trajectory {path} does not exist")
    if path.suffix in OWN:
        if timestep_fs is not None:
            raise InputError(f"trajectory {path} knows its own times; leave --timestep out")
        return Trajectory.load(path)
    frames = _read_frames(path)
    numbers = frames[0].numbers
    cells = np.array([frame.cell.array for frame in frames])
    if not (np.abs(np.linalg.det(cells)) > 0).all():
        raise InputError(f"trajectory {path} has frames without a periodic cell")
    if any(not np.array_equal(frame.numbers, numbers) for frame in frames):
        raise InputError(f"trajectory {path} has frames with other atoms than the first, or in another order")
    return Trajectory.from_arrays(
        numbers=numbers,
        positions=unwrap(np.array([frame.positions for frame in frames]), cells),
        cells=cells[0] if (cells == cells[0]).all() else cells,
        times_fs=np.arange(len(frames)) * (timestep_fs if timestep_fs is not None else 1.0),
        series={},
    )


def _read_frames(path: Path) -> list[Atoms]:
    from ase.io import read

    try:
        frames = read(path, index=":", format="vasp-xdatcar" if "XDATCAR" in path.name else None)
    except Exception as error:  # every format of ASE fails in its own way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"trajectory {path} cannot be read: {reason}") from None
    if not frames:
        raise InputError(f"trajectory {path} has no frames")
    return list(frames)
