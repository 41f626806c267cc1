"""Read frames that are labelled with energies and forces."""

import base64
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.errors import InputError
from tachylite.readers.files import plain_file
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.run import State


def read_labelled_frames(path: Path, at_most: int | None = None) -> list[LabelledFrame]:
    """Read structures with energy (eV), forces (eV/A) and, where there is one, stress (eV/A^3, positive under tension).

    Extended XYZ (`energy=` in the comment line, a `forces` column, `stress=`) and what else ASE reads them from. The
    comment line may also have `trajectory` (else the name of the file), `level` (of theory) and `temperature_k`.
    `at_most` takes that many, evenly spread over the file. Raises InputError, with the frame, for what is no file of
    labelled periodic structures.
    """
    from ase.io import iread

    if not path.is_file():
        raise InputError(f"there is no file {path} with labelled frames")
    try:
        with plain_file(path) as plain:
            frames = list(iread(plain, index=":"))
    except Exception as error:  # every parser fails in its own way
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path} cannot be read as labelled frames ({reason}); give extended XYZ") from error
    if not frames:
        raise InputError(f"{path} has no frames")
    chosen = list(range(len(frames)))
    if at_most is not None and at_most < len(frames):
        chosen = np.linspace(0, len(frames) - 1, at_most).round().astype(int).tolist()
    return [labelled_frame(frames[index], f"{path}, frame {index + 1}:", path.name) for index in chosen]


def labelled_frame(atoms: Any, where: str, trajectory: str) -> LabelledFrame:
    """One frame from ASE atoms; `where` begins the message of an error, `trajectory` is taken where they name none."""
    results = {} if atoms.calc is None else atoms.calc.results
    missing = [name for name in ("energy", "forces") if name not in results]
    if missing:
        raise InputError(
            f"{where} no {' and no '.join(missing)}; extended XYZ has energy= in the comment line (eV) and a column "
            "forces (eV/A)"
        )
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        raise InputError(f"{where} it is not periodic in all directions, which engines need")
    stress = atoms.get_stress(voigt=False) if "stress" in results else None
    label = SinglePoint(float(results["energy"]), np.asarray(results["forces"], dtype=np.float64), stress)
    if not (np.isfinite(label.energy_ev) and np.isfinite(label.forces_ev_a).all()):
        raise InputError(f"{where} energy or forces are not finite; take the frame out")
    temperature_k = float(atoms.info.get("temperature_k", "nan"))
    return LabelledFrame(
        State.from_atoms(atoms),
        label,
        trajectory=str(atoms.info.get("trajectory", trajectory)),
        level=str(atoms.info["level"]) if "level" in atoms.info else None,
        temperature_k=temperature_k if np.isfinite(temperature_k) else None,
    )


def pack_frames(frames: Sequence[LabelledFrame]) -> str:
    """Write frames with all their labels, compressed, in base64."""
    from ase.io import write

    text = io.StringIO()
    write(text, [frame.atoms for frame in frames], format="extxyz")
    return base64.b64encode(gzip.compress(text.getvalue().encode(), mtime=0)).decode()


def unpack_frames(archive: str) -> list[LabelledFrame]:
    """Read what `pack_frames` wrote."""
    from ase.io import iread

    text = gzip.decompress(base64.b64decode(archive)).decode()
    if not text:
        return []
    frames = iread(io.StringIO(text), index=":", format="extxyz")
    return [labelled_frame(atoms, f"frame {number}:", "") for number, atoms in enumerate(frames, 1)]
