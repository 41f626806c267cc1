"""Trajectories of other programs come in unwrapped, with their times."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from tests.reference_data import require

from tachylite.errors import InputError
from tachylite.readers import read_trajectory
from tachylite.schemas import Trajectory

NA = "liquid_na/XDATCAR_671.0.gz"


def walk(n_frames: int = 20, wrap: bool = True) -> list[Atoms]:
    """Two atoms; the first moves by 0.7 A a frame in a cell of 5 A."""
    frames = [
        Atoms("NaCl", positions=[[0.7 * i, 0, 0], [2, 2, 2]], cell=[5.0, 6.0, 7.0], pbc=True) for i in range(n_frames)
    ]
    if wrap:
        for frame in frames:
            frame.wrap()
    return frames


@pytest.mark.parametrize("name", ["walk.extxyz", "walk.traj", "XDATCAR", "XDATCAR_300.gz", "walk.extxyz.gz"])
def test_every_format_gives_the_same_walk(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    plain = tmp_path / "XDATCAR" if "XDATCAR" in name else tmp_path / name.removesuffix(".gz")
    write(plain, walk(), format="vasp-xdatcar" if "XDATCAR" in name else None)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
    trajectory = read_trajectory(path, timestep_fs=2.0)
    assert trajectory.n_frames == 20
    assert trajectory.numbers.tolist() == [11, 17]
    np.testing.assert_allclose(trajectory.times_fs, 2.0 * np.arange(20))
    np.testing.assert_allclose(trajectory.positions[:, 0, 0], 0.7 * np.arange(20), atol=1e-4)
    np.testing.assert_allclose(trajectory.positions[:, 1], 2.0, atol=1e-4)
    np.testing.assert_allclose(trajectory.cells[0], np.diag([5.0, 6.0, 7.0]))


def test_our_own_format_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "walk.extxyz", walk())
    trajectory = read_trajectory(tmp_path / "walk.extxyz", 2.0)
    trajectory.save(tmp_path / "walk.h5")
    assert read_trajectory(tmp_path / "walk.h5") == trajectory


def test_liquid_sodium() -> None:
    trajectory = read_trajectory(require(NA), 2.0)
    assert trajectory.positions.shape == (2000, 100, 3)
    jumps = np.abs(np.diff(trajectory.positions, axis=0)).max()
    assert jumps < 1.0


def refusal(path: Path, timestep_fs: float | None = 2.0) -> str:
    with pytest.raises(InputError) as caught:
        read_trajectory(path, timestep_fs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_read_gets_one_line(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.extxyz")
    (tmp_path / "text.extxyz").write_text("not a trajectory\nat all\n", encoding="utf-8")
    assert "cannot be read" in refusal(tmp_path / "text.extxyz")
    (tmp_path / "unknown.bin").write_bytes(bytes(range(256)))
    assert "cannot be read" in refusal(tmp_path / "unknown.bin")
    write(tmp_path / "molecule.xyz", Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.7]]), format="xyz")
    assert "without a periodic cell" in refusal(tmp_path / "molecule.xyz")
    write(tmp_path / "changing.extxyz", [*walk(2), Atoms("Na", cell=[5, 5, 5], pbc=True)])
    assert "other atoms" in refusal(tmp_path / "changing.extxyz")
    assert "cannot read a trajectory" in refusal(_broken(tmp_path), None)


def _broken(folder: Path) -> Path:
    path = folder / "broken.h5"
    path.write_bytes(b"nothing of the kind")
    return path


def test_our_own_format_refuses_another_timestep(tmp_path: Path) -> None:
    trajectory = Trajectory.from_arrays(
        numbers=[1], positions=np.zeros((2, 1, 3)), cells=np.eye(3) * 5, times_fs=[0, 1], series={}
    )
    trajectory.save(tmp_path / "own.h5")
    assert "leave --timestep out" in refusal(tmp_path / "own.h5", 2.0)
