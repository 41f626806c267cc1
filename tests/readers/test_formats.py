"""Every format gives the same walk in a skewed cell that changes, with its times; what is broken is named."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase.io import write
from pymatgen.core import Element
from pymatgen.core.trajectory import Trajectory as PymatgenTrajectory
from tests.readers.reader_samples import (
    NUMBERS,
    SYMBOLS,
    TRICLINIC,
    frames_of,
    walk,
    wrapped,
    write_dump,
    write_h5md,
    write_vasprun,
)

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.readers import open_trajectory, read_trajectory
from tachylite.readers.frames import spacing_fs
from tachylite.schemas import Trajectory


def extxyz(path: Path, positions: Array, cells: Array) -> None:
    frames = frames_of(positions, cells)
    for index, frame in enumerate(frames):
        frame.info["time"] = 4.0 * index
    write(path, frames)


def pymatgen(path: Path, positions: Array, cells: Array) -> None:
    scaled = wrapped(positions, cells) @ np.linalg.inv(cells)
    trajectory = PymatgenTrajectory(
        [Element(symbol) for symbol in SYMBOLS], scaled, lattice=cells, constant_lattice=False, time_step=4.0
    )
    trajectory.to_displacements()
    path.write_text(trajectory.to_json(), encoding="utf-8")


def emmet(path: Path, positions: Array, cells: Array) -> None:
    document = {
        "elements": NUMBERS.tolist(),
        "cart_coords": wrapped(positions, cells).tolist(),
        "lattice": cells.tolist(),
        "time_step": 4.0,
        "num_ionic_steps": len(cells),
    }
    path.write_text(json.dumps(document), encoding="utf-8")


WRITERS: dict[str, Callable[[Path, Array, Array], None]] = {
    "XDATCAR": lambda path, x, cells: write(path, frames_of(x, cells), format="vasp-xdatcar"),
    "vasprun.xml": lambda path, x, cells: write_vasprun(path, x, cells, potim_fs=4.0),
    "walk.extxyz": extxyz,
    "walk.traj": lambda path, x, cells: write(path, frames_of(x, cells)),
    "walk.lammpstrj": lambda path, x, cells: write_dump(path, x, cells, "id type element x y z"),
    "unwrapped.dump": lambda path, x, cells: write_dump(path, x, cells, "id element xu yu zu"),
    "scaled.dump": lambda path, x, cells: write_dump(path, x, cells, "id element xs ys zs"),
    "scaled_unwrapped.dump": lambda path, x, cells: write_dump(path, x, cells, "element id xsu ysu zsu"),
    "images.dump": lambda path, x, cells: write_dump(path, x, cells, "id element x y z ix iy iz"),
    "pymatgen.json": pymatgen,
    "emmet.json": emmet,
    "others.h5": lambda path, x, cells: write_h5md(path, x, cells, images=False),
    "images.h5md": lambda path, x, cells: write_h5md(path, x, cells, images=True),
}
TIMESTEP_FS = {"XDATCAR": 4.0, "walk.traj": 4.0} | {
    name: 0.4 for name in WRITERS if ".dump" in name or "lammps" in name
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    "": bytes,
}


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_walk(tmp_path: Path, name: str, packing: str) -> None:
    positions, cells = walk()
    path = tmp_path / name
    WRITERS[name](path, positions, cells)
    if packing:
        path = tmp_path / (name + packing)
        path.write_bytes(PACKERS[packing]((tmp_path / name).read_bytes()))
    frames = open_trajectory(path, TIMESTEP_FS.get(name))
    blocks = list(frames.blocks())
    read = np.concatenate([block.positions for block in blocks])
    times = np.concatenate([block.times_fs for block in blocks])
    assert frames.numbers.tolist() == NUMBERS.tolist()
    assert spacing_fs(times, path) == pytest.approx(4.0)
    np.testing.assert_allclose(np.concatenate([block.cells for block in blocks]), cells, atol=1e-5)
    # what differs is the lattice vector each atom starts in, and the origin
    scaled = (read - positions) @ np.linalg.inv(cells)
    np.testing.assert_allclose(scaled[1:] - scaled[0], 0, atol=0.01 if "dump" in name or "lammps" in name else 2e-5)


def test_blocks_of_one_frame_are_those_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    positions, cells = walk()
    extxyz(tmp_path / "walk.extxyz", positions, cells)
    frames = open_trajectory(tmp_path / "walk.extxyz")
    (whole,) = frames.blocks()
    monkeypatch.setattr("tachylite.readers.frames._BLOCK_BYTES", 1)
    single = list(frames.blocks())
    assert len(single) == len(positions)
    np.testing.assert_allclose(np.concatenate([b.positions for b in single]), whole.positions, atol=1e-10)
    assert [b.times_fs[0] for b in single] == whole.times_fs.tolist()
    raw = np.concatenate([b.positions for b in frames.blocks(unwrap=False)])
    np.testing.assert_allclose(raw, wrapped(positions, cells), atol=1e-6)


def test_times_of_lammps_in_the_file_win(tmp_path: Path) -> None:
    positions, cells = walk(2)
    write_dump(tmp_path / "t.dump", positions[:1], cells[:1], "id element x y z", "ITEM: UNITS\nmetal\nITEM: TIME\n0.5")
    (block,) = open_trajectory(tmp_path / "t.dump").blocks()
    assert block.times_fs.tolist() == [500.0]


def test_types_of_lammps_need_their_elements(tmp_path: Path) -> None:
    positions, cells = walk()
    write_dump(tmp_path / "a.dump", positions, cells, "id type x y z")
    assert open_trajectory(tmp_path / "a.dump", types=["Li", "O"]).numbers.tolist() == NUMBERS.tolist()
    assert "--types Li,O" in refusal(tmp_path / "a.dump")
    with pytest.raises(InputError, match="types up to 2, but --types names 1: Li"):
        open_trajectory(tmp_path / "a.dump", types=["Li"])
    write_dump(tmp_path / "b.dump", positions, cells, "type x y z")
    assert "no column id" in refusal(tmp_path / "b.dump")


def test_a_timestep_rescales_the_times_of_a_file(tmp_path: Path) -> None:
    positions, cells = walk()
    extxyz(tmp_path / "walk.extxyz", positions, cells)
    (block,) = open_trajectory(tmp_path / "walk.extxyz", 1.5).blocks()
    np.testing.assert_allclose(block.times_fs, 1.5 * np.arange(30))


def test_frames_that_are_not_equally_spaced_are_named(tmp_path: Path) -> None:
    positions, cells = walk()
    frames = frames_of(positions, cells)
    for index, frame in enumerate(frames):
        frame.info["Time"] = 2.0 * index + (6.0 if index > 20 else 0.0)
    write(tmp_path / "gap.extxyz", frames)
    times = read_trajectory(tmp_path / "gap.extxyz").times_fs
    with pytest.raises(InputError, match="not equally spaced in time: 8 fs between frames 21 and 22, 2 fs elsewhere"):
        spacing_fs(times, Path("gap.extxyz"))


def test_chunks_of_one_run_are_joined_in_their_order(tmp_path: Path) -> None:
    positions, cells = walk()
    for name, part in {"XDATCAR_2": slice(0, 8), "XDATCAR_10": slice(7, 20), "XDATCAR": slice(20, 30)}.items():
        write(tmp_path / name, frames_of(positions[part], cells[part]), format="vasp-xdatcar")
    joined = read_trajectory(tmp_path, 1.0)
    assert joined.n_frames == 30
    whole = tmp_path / "whole" / "XDATCAR"
    whole.parent.mkdir()
    write(whole, frames_of(positions, cells), format="vasp-xdatcar")
    np.testing.assert_allclose(joined.positions, read_trajectory(whole, 1.0).positions, atol=2e-5)


def test_chunks_of_vasprun_continue_their_times(tmp_path: Path) -> None:
    positions, cells = walk()
    for name, part in {"run1": slice(0, 10), "run2": slice(9, 20), "run3": slice(20, 30)}.items():
        (tmp_path / name).mkdir()
        write_vasprun(tmp_path / name / "vasprun.xml", positions[part], cells[part])
    np.testing.assert_allclose(read_trajectory(tmp_path).times_fs, 2.0 * np.arange(30))


def test_chunks_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    positions, cells = walk()
    slow = positions[0] + 0.05 * (positions - positions[0])
    for name, part in {"XDATCAR_1": slice(0, 10), "XDATCAR_2": slice(20, 30), "XDATCAR_3": slice(10, 20)}.items():
        write(tmp_path / name, frames_of(slow[part], cells[part]), format="vasp-xdatcar")
    assert "XDATCAR_2 does not go on where the run before it ended" in refusal(tmp_path)


def test_a_frame_written_twice_at_a_restart_counts_once(tmp_path: Path) -> None:
    positions, cells = walk()
    twice = [*range(12), 11, *range(12, 30)]
    frames = [frame for i in twice for frame in frames_of(positions[i : i + 1], cells[i : i + 1])]
    for i, frame in zip(twice, frames, strict=True):
        frame.info["time"] = 4.0 * i
    write(tmp_path / "walk.extxyz", frames)
    assert read_trajectory(tmp_path / "walk.extxyz").n_frames == 30


def refusal(path: Path, timestep_fs: float | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_trajectory(path, timestep_fs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["XDATCAR", "vasprun.xml", "walk.extxyz", "walk.lammpstrj"])
def test_a_file_that_ends_inside_a_frame_says_where(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, *walk())
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: int(0.47 * len(text))], encoding="utf-8")
    line = refusal(path)
    assert "ends inside frame 1" in line
    assert "truncated" in line


def test_a_compressed_file_that_is_cut_is_named(tmp_path: Path) -> None:
    WRITERS["XDATCAR"](tmp_path / "XDATCAR", *walk())
    for suffix, pack in PACKERS.items():
        if suffix:
            cut = tmp_path / f"XDATCAR{suffix}"
            data = pack((tmp_path / "XDATCAR").read_bytes())
            cut.write_bytes(data[: len(data) // 2])
            assert "truncated" in refusal(cut)


def test_atoms_in_another_order_are_refused(tmp_path: Path) -> None:
    positions, cells = walk()
    frames = frames_of(positions, cells)
    frames[7] = frames[7][[2, 0, 1]]
    write(tmp_path / "a.extxyz", frames)
    assert "frame 8: other atoms than in the first frame, or in another order" in refusal(tmp_path / "a.extxyz")


def test_a_cell_that_flips_is_refused(tmp_path: Path) -> None:
    positions, cells = walk(changing=False)
    cells[15:, 1] -= TRICLINIC[0]
    write(tmp_path / "flip.extxyz", frames_of(positions, cells))
    assert "the cell changes by" in refusal(tmp_path / "flip.extxyz")


def test_boxes_that_are_not_periodic_are_refused(tmp_path: Path) -> None:
    write_dump(tmp_path / "a.dump", *walk(), "id element x y z")
    text = (tmp_path / "a.dump").read_text(encoding="utf-8")
    (tmp_path / "a.dump").write_text(text.replace("pp pp pp", "pp pp ff"), encoding="utf-8")
    assert "not periodic in all directions: pp pp ff" in refusal(tmp_path / "a.dump")
    write_h5md(tmp_path / "a.h5", *walk(), images=False)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["particles/atoms/box"].attrs["boundary"] = np.array([b"none"] * 3)
    assert "not periodic" in refusal(tmp_path / "a.h5")


def test_lengths_without_a_unit_are_refused(tmp_path: Path) -> None:
    write_h5md(tmp_path / "a.h5", *walk(), images=False, unit="")
    assert "no unit; set its attribute unit" in refusal(tmp_path / "a.h5")


def test_our_own_positions_are_never_folded(tmp_path: Path) -> None:
    """A jump of a whole cell in our own file is a jump, not a face."""
    positions = np.zeros((4, 1, 3))
    positions[2:] = 6.0
    trajectory = Trajectory.from_arrays(
        numbers=[1], positions=positions, cells=TRICLINIC, times_fs=np.arange(4), series={}
    )
    trajectory.save(tmp_path / "own.h5")
    (block,) = open_trajectory(tmp_path / "own.h5").blocks()
    np.testing.assert_allclose(block.positions, positions, atol=1e-5)


def test_json_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}', encoding="utf-8")
    assert "neither a pymatgen Trajectory nor emmet's" in refusal(tmp_path / "a.json")
