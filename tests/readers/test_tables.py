"""Folders of tables and trajectories, told apart by the compositions in their names."""

from pathlib import Path

import numpy as np
import pytest

from tachylite.analysis.structure import measure_frames
from tachylite.errors import InputError
from tachylite.physics.frames import take_frames
from tachylite.readers.tables import files_by_composition, read_curves
from tachylite.report.csv_tables import structure_tables, write_tables


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_the_last_formula_in_a_name_is_its_composition(tmp_path: Path) -> None:
    names = ("DFT_RDF_Al3Si.csv", "XDATCAR_Li2O.gz", "Si2O4-300K.extxyz", "Li0.5Si0.5.h5", "NaCl_run.csv")
    touch(tmp_path, *names, "README.md", ".Zn.csv", "notes.txt")
    files = files_by_composition(str(tmp_path))
    assert set(files) == {"Al3Si", "Li2O", "SiO2", "LiSi", "NaCl"}
    assert files["SiO2"].name == "Si2O4-300K.extxyz"


def test_two_of_one_composition_need_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "DFT_Al3Si.csv", "M3GNet_SiAl3.csv")
    with pytest.raises(InputError, match=r"both Al3Si.*pattern"):
        files_by_composition(str(tmp_path))
    assert files_by_composition(str(tmp_path / "DFT_*"))["Al3Si"].name == "DFT_Al3Si.csv"


def test_a_folder_without_compositions_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file there has a composition"):
        files_by_composition(str(touch(tmp_path, "README.md")))


def test_our_own_table_is_one_of_the_tables_read(tmp_path: Path) -> None:
    positions = np.random.default_rng(0).random((20, 12, 3)) * 8
    measured = measure_frames(take_frames(positions, 8 * np.eye(3), [3] * 8 + [8] * 4))
    (path,) = write_tables({"rdf": structure_tables(measured)["rdf"]}, tmp_path)
    curves = read_curves(path)
    assert set(curves.values) == {"Li-Li", "Li-O", "O-O"}
    np.testing.assert_allclose(curves.r_a, measured.r_a)
    np.testing.assert_allclose(curves.values["Li-O"], measured.partials[1].g)
