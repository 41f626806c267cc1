"""Structures from files: every frame, with a name; what cannot begin a run is named in one line."""

from pathlib import Path

import pytest
from ase.build import bulk, molecule
from ase.io import write
from pymatgen.core import Lattice, Structure

from tachylite.errors import InputError
from tachylite.readers.structures import read_structures

COPPER = bulk("Cu", cubic=True)


@pytest.mark.parametrize("name", ["cu.cif", "POSCAR_cu", "cu.extxyz", "cu.traj"])
def test_one_structure_has_the_name_of_its_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, COPPER, format="vasp" if "POSCAR" in name else None)
    ((label, structure),) = read_structures(tmp_path / name)
    assert (label, len(structure)) == (name, 4)
    assert structure.lattice.abc == pytest.approx(COPPER.cell.lengths())


def test_frames_are_numbered(tmp_path: Path) -> None:
    write(tmp_path / "frames.extxyz", [COPPER, COPPER.repeat(2)])
    assert [(name, len(s)) for name, s in read_structures(tmp_path / "frames.extxyz")] == [
        ("frames.extxyz:0", 4),
        ("frames.extxyz:1", 32),
    ]


def test_what_cannot_begin_a_run_is_refused(tmp_path: Path) -> None:
    Structure(Lattice.cubic(4), [{"Ge": 0.5, "Si": 0.5}], [[0, 0, 0]]).to(filename=str(tmp_path / "partial.cif"))
    write(tmp_path / "water.xyz", molecule("H2O"))
    (tmp_path / "broken.cif").write_text("hello", encoding="utf-8")
    for name, message in (
        ("partial.cif", r"partial.cif has partly occupied sites \(Si:0.5, Ge:0.5\); give an ordered structure"),
        ("water.xyz", "it has no periodic cell"),
        ("broken.cif", "broken.cif cannot be read: it does not hold what its name says"),
        ("absent.cif", "absent.cif does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            read_structures(tmp_path / name)
