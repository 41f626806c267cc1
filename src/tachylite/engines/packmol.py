"""Random packing of atoms by PACKMOL (DOI 10.1002/jcc.21224), an external program, in a periodic cubic cell."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.engines.potentials.soft_sphere import remove_overlaps
from tachylite.errors import InputError, MissingPackageError
from tachylite.physics.packing import pair_diameters
from tachylite.schemas import State

_PACKING_FRACTION = 0.05
"""Fraction of the cell that spheres of PACKMOL's tolerance as diameter fill.

PACKMOL's distances are periodic, its box is not: atoms that are pushed out of the cell stay at a face. At 0.3 the
layer at a face holds 9 % more atoms than the middle, at 0.05 no more than 1 %; the relaxation with soft spheres, for
which the cell has no faces, removes the rest.
"""

_JITTER = 0.1

_LOWER_TOLERANCE = 0.9
_ATTEMPTS = 12
_ATTEMPT_LIMIT_S = 20.0
_NO_ROOM_CODE = 173


class PackingError(RuntimeError):
    """PACKMOL could not place the atoms, or its output is not their positions."""


def find_packmol() -> Path:
    """Find the executable beside the running interpreter, then on the PATH.

    Raises MissingPackageError, with the command that installs it.
    """
    beside = shutil.which("packmol", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("packmol")
    if program is None:
        raise MissingPackageError("the program packmol is not installed; install it with: pip install packmol")
    return Path(program)


def pack(counts: Mapping[str, int], volume_a3: float, seed: int, *, time_limit_s: float = 120.0) -> State:
    """Place atoms at random in a periodic cube, without overlaps; the same seed gives the same structure.

    PACKMOL keeps all atoms a common tolerance apart, soft spheres then push every pair to its own diameter
    (`tachylite.physics.packing.pair_diameters`). `volume_a3` is that of the cell in A^3. Raises InputError for no
    atoms, a volume that is not positive or a negative seed, MissingPackageError without the program, PackingError
    where it fails or takes longer than the limit.
    """
    if not (np.isfinite(volume_a3) and volume_a3 > 0):
        raise InputError(f"the volume of the cell is {volume_a3} A^3; it must be positive")
    return pack_cell(counts, volume_a3 ** (1 / 3) * np.eye(3), seed, time_limit_s=time_limit_s)


def pack_cell(counts: Mapping[str, int], cell: Array, seed: int, *, time_limit_s: float = 120.0) -> State:
    """Place atoms as `pack` does in a periodic cell of any shape, lattice vectors as rows, in A, (3, 3).

    PACKMOL's periodic cells have right angles: it packs a cube of the same volume, which is deformed to the cell before
    the soft spheres push.
    """
    volume_a3 = float(abs(np.linalg.det(cell)))
    if not counts or min(counts.values()) < 1:
        raise InputError(f"nothing to pack in {dict(counts)}; every element needs at least one atom")
    if seed < 0:
        raise InputError(f"the seed is {seed}; it must not be negative")
    symbols, diameters = pair_diameters(counts, volume_a3)
    side = volume_a3 ** (1 / 3)
    sphere_a3 = _PACKING_FRACTION * volume_a3 / sum(counts.values())
    tolerance = min(float(diameters.min()), (6 * sphere_a3 / np.pi) ** (1 / 3))
    positions = place(counts, side, tolerance, seed, time_limit_s=time_limit_s)
    # atoms that PACKMOL left at a face lie exactly in one plane, and no force would take them out of it
    positions += np.random.default_rng(seed).normal(scale=_JITTER * tolerance, size=positions.shape)
    numbers = [atomic_numbers[symbol] for symbol in symbols for _ in range(counts[symbol])]
    packed = State(numbers=numbers, positions=(positions / side @ cell).tolist(), cell=cell.tolist())
    return remove_overlaps(packed, symbols, diameters)


def place(
    counts: Mapping[str, int], side_a: float, tolerance_a: float, seed: int, *, time_limit_s: float = 120.0
) -> NDArray[np.float64]:
    """Positions in A, shape (atoms, 3), elements in alphabetical order, no two nearer than the tolerance.

    Distances are periodic. The tolerance, in A, is lowered by a tenth as often as PACKMOL finds no room.
    Raises MissingPackageError and PackingError.
    """
    program = find_packmol()
    deadline = time.monotonic() + time_limit_s
    for attempt in range(_ATTEMPTS):
        limit = min(_ATTEMPT_LIMIT_S, deadline - time.monotonic())
        if limit <= 0:
            break
        with TemporaryDirectory(prefix="packmol-") as folder:
            tolerance = tolerance_a * _LOWER_TOLERANCE**attempt
            positions = _run(program, Path(folder), _input(counts, side_a, tolerance, seed), limit, counts)
        if positions is not None:
            return np.asarray(positions % side_a)
    atoms = ", ".join(f"{count} {symbol}" for symbol, count in sorted(counts.items()))
    raise PackingError(
        f"packmol found no room for {atoms} in a cube of {side_a:.3f} A, tolerance {tolerance:.3f} A; "
        "take a larger volume or fewer atoms"
    )


def _input(counts: Mapping[str, int], side: float, tolerance: float, seed: int) -> str:
    # a seed of -1 would mean the clock, and Fortran's integers end at 2^31
    packmol_seed = int(np.random.SeedSequence(seed).generate_state(1)[0] % (2**31 - 2)) + 1
    lines = [
        f"tolerance {tolerance:.6f}",
        f"seed {packmol_seed}",
        "filetype xyz",
        "output packed.xyz",
        f"pbc {side:.8f} {side:.8f} {side:.8f}",
    ]
    for symbol in sorted(counts):
        lines += [f"structure {symbol}.xyz", f"  number {counts[symbol]}", "end structure"]
    return "\n".join(lines) + "\n"


def _run(
    program: Path, folder: Path, text: str, limit_s: float, counts: Mapping[str, int]
) -> NDArray[np.float64] | None:
    """Positions, or None where PACKMOL finds no solution, or none in time."""
    for symbol in counts:
        (folder / f"{symbol}.xyz").write_text(f"1\n\n{symbol} 0.0 0.0 0.0\n", encoding="ascii")
    # a file and no pipe: PACKMOL rewinds its input
    (folder / "packmol.inp").write_text(text, encoding="ascii")
    try:
        with (folder / "packmol.inp").open(encoding="ascii") as stdin:
            process = subprocess.run(  # noqa: S603 - the program was looked up, the input is ours
                [program], stdin=stdin, cwd=folder, capture_output=True, text=True, timeout=limit_s, check=False
            )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise PackingError(f"packmol at {program} cannot be run: {error.strerror}") from error
    if process.returncode == _NO_ROOM_CODE:
        return None
    if process.returncode != 0 or "Success!" not in process.stdout:
        raise PackingError(f"packmol at {program} stopped with code {process.returncode}: {_last_line(process)}")
    return _read(folder / "packed.xyz", counts)


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (process.stdout + process.stderr).splitlines()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or [line for line in lines if line] or ["it said nothing"])[0]


def _read(path: Path, counts: Mapping[str, int]) -> NDArray[np.float64]:
    expected = [symbol for symbol in sorted(counts) for _ in range(counts[symbol])]
    try:
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()[2:]]
        positions = np.array([[float(value) for value in row[1:4]] for row in rows])
    except (OSError, ValueError) as error:
        raise PackingError(f"packmol wrote no readable positions: {error}") from error
    if [row[0] for row in rows if row] != expected or positions.shape != (len(expected), 3):
        raise PackingError(f"packmol wrote {len(rows)} atoms that are not the {len(expected)} asked for")
    if not np.isfinite(positions).all():
        raise PackingError("packmol wrote positions that are not finite")
    return positions
