"""Labelled frames: what is read of them, and what is told where a label is missing."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from tachylite.errors import InputError
from tachylite.readers.labels import read_labelled_frames


def frame(energy: float = -1.0, **results: object) -> Atoms:
    atoms = bulk("Cu", cubic=True)
    labels = {"energy": energy, "forces": np.arange(12.0).reshape(4, 3)} | results
    atoms.calc = SinglePointCalculator(atoms, **{name: label for name, label in labels.items() if label is not None})
    return atoms


def test_labels_are_read_with_their_signs(tmp_path: Path) -> None:
    file = tmp_path / "frames.extxyz"
    write(file, [frame(-1.0, stress=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), frame(-2.0)])
    first, second = read_labelled_frames(file)
    assert (first.label.energy_ev, second.label.energy_ev) == (-1.0, -2.0)
    np.testing.assert_allclose(first.label.forces_ev_a, np.arange(12.0).reshape(4, 3))
    assert first.label.stress_ev_a3 is not None
    np.testing.assert_allclose(first.label.stress_ev_a3, [[1, 6, 5], [6, 2, 4], [5, 4, 3]])
    assert second.label.stress_ev_a3 is None
    assert first.state.elements == ["Cu"]


def test_some_are_taken_evenly_spread(tmp_path: Path) -> None:
    file = tmp_path / "frames.extxyz"
    write(file, [frame(float(i)) for i in range(11)])
    assert [f.label.energy_ev for f in read_labelled_frames(file, 3)] == [0.0, 5.0, 10.0]
    assert len(read_labelled_frames(file, 99)) == 11


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (frame(forces=None), "frame 2: no forces; extended XYZ has energy= in the comment line"),
        (bulk("Cu", cubic=True), "frame 2: no energy and no forces"),
        (frame(forces=np.full((4, 3), np.nan)), "frame 2: energy or forces are not finite"),
    ],
)
def test_a_missing_label_is_named_with_its_frame(tmp_path: Path, atoms: Atoms, message: str) -> None:
    file = tmp_path / "frames.extxyz"
    write(file, [frame(), atoms])
    with pytest.raises(InputError, match=message):
        read_labelled_frames(file)


def test_what_is_no_file_of_periodic_frames(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_labelled_frames(tmp_path / "none.xyz")
    (tmp_path / "text.xyz").write_text("nothing\n")
    with pytest.raises(InputError, match="cannot be read as labelled frames") as caught:
        read_labelled_frames(tmp_path / "text.xyz")
    assert "\n" not in str(caught.value)
    molecule = frame()
    molecule.pbc = False
    write(tmp_path / "molecule.extxyz", molecule)
    with pytest.raises(InputError, match="not periodic"):
        read_labelled_frames(tmp_path / "molecule.extxyz")
