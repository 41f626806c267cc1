"""Read crystals and other single structures from files of any common format."""

import warnings
from pathlib import Path

from ase.io import read
from ase.io.formats import UnknownFileTypeError
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from tachylite.errors import InputError


def read_structures(path: Path) -> list[tuple[str, Structure]]:
    """Read the structures of a file (CIF, POSCAR, extxyz with several frames, ...), each with a name for it.

    The name is that of the file, with the number of the frame, from 0, where it holds several: `frames.extxyz:3`.
    Raises InputError for a file that is not there or cannot be read, a structure without a cell, and sites that are
    partly occupied.
    """
    if not path.is_file():
        raise InputError(f"structure file {path} does not exist")
    try:
        structures = _read(path)
    except Exception as error:  # every format fails in its own way
        reason = " ".join(str(error).split()) or "it does not hold what its name says"
        raise InputError(f"structure file {path} cannot be read: {reason}") from None
    names = [path.name if len(structures) == 1 else f"{path.name}:{frame}" for frame in range(len(structures))]
    for name, structure in zip(names, structures, strict=True):
        if not structure.is_ordered:
            partial = next(site for site in structure if not site.is_ordered)
            raise InputError(f"{name} has partly occupied sites ({partial.species_string}); give an ordered structure")
    return list(zip(names, structures, strict=True))


def _read(path: Path) -> list[Structure]:
    try:
        frames = read(path, ":")
    except (UnknownFileTypeError, StopIteration):
        frames = []
    # ASE reads more formats and all frames of them; pymatgen knows occupancies, and names like POSCAR-2
    if len(frames) < 2:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of coordinates like 0.3333 that it takes for 1/3, and of noble gases
                return [Structure.from_file(path)]
        except ValueError:
            if not frames:
                raise
    if not all(frame.pbc.all() and frame.cell.rank == 3 for frame in frames):
        raise ValueError("it has no periodic cell")
    return [AseAtomsAdaptor.get_structure(frame) for frame in frames]
