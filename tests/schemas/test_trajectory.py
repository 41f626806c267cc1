import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monty.json import MontyDecoder
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.schemas import Trajectory

RESOLUTION_A = 5e-6

MAKE = """
import numpy as np
from tachylite.schemas import Trajectory
rng = np.random.default_rng(1)
trajectory = Trajectory.from_arrays(
    numbers=[11, 17], positions=rng.normal(size=(40, 2, 3)), cells=np.eye(3) * 5, times_fs=np.arange(40) * 2.0,
    series={"step": np.arange(9), "energy_ev": rng.normal(size=9), "pressure_total_gpa": [np.nan] * 9})
"""


def random_walk(frames: int, atoms: int, step_a: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(7)
    return rng.uniform(0, 12, (atoms, 3)) + np.cumsum(rng.normal(0, step_a, (frames, atoms, 3)), axis=0)


def small(frames: int = 5, cells: NDArray[np.float64] | None = None) -> Trajectory:
    return Trajectory.from_arrays(
        numbers=[3, 3, 8],
        positions=random_walk(frames, 3, 0.2),
        cells=np.diag([5.0, 6.0, 7.0]) if cells is None else cells,
        times_fs=np.arange(frames) * 20.0,
        series={"temperature_k": np.linspace(300, 400, 7), "energy_ev": -1e4 + np.arange(7) / 3},
    )


def test_ten_thousand_hot_frames_of_a_hundred_atoms_fit_into_15_megabytes() -> None:
    # D = 1e-4 cm^2/s and a frame every 20 fs: steps of sqrt(2 D t) = 0.2 A; thermodynamics at every step of 2 fs
    rng = np.random.default_rng(0)
    positions = random_walk(10_000, 100, 0.2)
    noise = {name: rng.normal(size=100_000) for name in ("temperature_k", "energy_ev", "pressure_virial_gpa")}
    trajectory = Trajectory.from_arrays(
        numbers=np.repeat([3, 15, 8], [38, 12, 50]),
        positions=positions,
        cells=np.eye(3) * 12,
        times_fs=np.arange(10_000) * 20.0,
        series={"step": np.arange(100_000), **noise},
    )
    assert len(trajectory.h5md) <= 15e6
    assert np.abs(trajectory.positions - positions).max() <= RESOLUTION_A * 1.001
    assert len(trajectory.atoms()) == 10_000


@settings(deadline=None, max_examples=60)
@given(
    positions=st.tuples(st.integers(1, 9), st.integers(1, 4)).flatmap(
        lambda shape: arrays(np.float64, (*shape, 3), elements=st.floats(-1e4, 1e4))
    )
)
def test_positions_come_back_within_the_resolution(positions: NDArray[np.float64]) -> None:
    trajectory = Trajectory.from_arrays(
        numbers=[1] * positions.shape[1],
        positions=positions,
        cells=np.eye(3),
        times_fs=np.arange(len(positions)),
        series={},
    )
    assert np.abs(trajectory.positions - positions).max() <= RESOLUTION_A * 1.001


@pytest.mark.parametrize("frames", [1, 999, 1000, 1001, 2001])
def test_frames_do_not_depend_on_how_they_fill_the_chunks(frames: int) -> None:
    # a thousandth of an angstrom per step: every value would vanish into a coarser grid
    positions = random_walk(frames, 3, 1e-3) * 1e-3
    trajectory = Trajectory.from_arrays(
        numbers=[1, 1, 1], positions=positions, cells=np.eye(3), times_fs=np.arange(frames), series={}
    )
    assert trajectory.n_frames == frames
    assert np.abs(trajectory.positions - positions).max() <= RESOLUTION_A * 1.001


def test_series_keep_their_precision_and_their_gaps() -> None:
    energies = -1e4 + np.arange(6) * 1e-9
    pressures = np.array([np.nan, 1.5, np.nan, -2.25, 0.0, 3.0])
    series = {"step": np.arange(6) * 10, "time_fs": np.arange(6) * 20.0, "kinetic_ev": energies}
    trajectory = Trajectory.from_arrays(
        numbers=[8],
        positions=np.zeros((2, 1, 3)),
        cells=np.eye(3),
        times_fs=[0, 1],
        series={**series, "pressure_total_gpa": pressures},
    )
    assert list(trajectory.series) == ["step", "time_fs", "kinetic_ev", "pressure_total_gpa"]
    for name, values in series.items():
        np.testing.assert_array_equal(trajectory.series[name], values)
    np.testing.assert_array_equal(trajectory.series["pressure_total_gpa"], pressures)


def test_a_series_without_steps_is_counted() -> None:
    np.testing.assert_array_equal(small().series["step"], np.arange(7))


def test_cells_may_be_constant_or_change() -> None:
    assert small().cells.shape == (5, 3, 3)
    changing = np.eye(3) * np.linspace(5, 6, 5)[:, None, None]
    np.testing.assert_array_equal(small(cells=changing).cells, changing)
    assert not small(cells=changing).pymatgen().constant_lattice


def test_frames_convert_to_ase_pymatgen_and_states() -> None:
    trajectory = small()
    last = trajectory.positions[-1]
    atoms = trajectory.atoms()[-1]
    np.testing.assert_allclose(atoms.positions, last)
    assert atoms.get_chemical_formula() == "Li2O"
    assert atoms.pbc.all()
    structures = trajectory.pymatgen()
    assert len(structures) == 5
    assert structures.time_step == 20.0
    fractional = structures.coords[-1]
    np.testing.assert_allclose(fractional @ trajectory.cells[-1], last, atol=1e-9)
    state = trajectory.frame(-1)
    np.testing.assert_allclose(state.positions, last)
    assert state == trajectory.frame(4)
    assert state.volume_a3 == pytest.approx(210)
    with pytest.raises(IndexError):
        trajectory.frame(5)


def test_equal_input_gives_equal_bytes_in_any_process() -> None:
    command = [sys.executable, "-c", MAKE + "print(trajectory.sha256)"]
    names = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    here: dict[str, Trajectory] = {}
    exec(MAKE, {}, here)  # noqa: S102 - our own text, run as the other process runs it
    assert names == {here["trajectory"].sha256 + "\n"}
    assert small().sha256 != here["trajectory"].sha256


def test_the_saved_file_is_plain_h5md(tmp_path: Path) -> None:
    trajectory = small()
    trajectory.save(tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5") as file:
        assert list(file["h5md"].attrs["version"]) == [1, 1]
        assert file["particles/all/position/value"].attrs["unit"] == b"Angstrom"
        assert file["particles/all/position/time"].attrs["unit"] == b"fs"
        assert file["particles/all/species"][:].tolist() == [3, 3, 8]
        assert [bytes(b) for b in file["particles/all/box"].attrs["boundary"]] == [b"periodic"] * 3
        np.testing.assert_array_equal(file["particles/all/box/edges"], np.diag([5, 6, 7]))
        assert file["observables/temperature_k/value"].attrs["unit"] == b"K"
        assert file["observables/energy_ev/step"].shape == file["observables/energy_ev/value"].shape
    assert Trajectory.load(tmp_path / "run.h5") == trajectory


def test_json_keeps_the_bytes_and_notices_damage() -> None:
    trajectory = small()
    text = json.dumps(trajectory.as_dict())
    again = MontyDecoder().decode(text)
    assert isinstance(again, Trajectory)
    assert again == trajectory
    damaged = json.loads(text)
    damaged["h5md"] = damaged["h5md"][:500] + "Zebra123" + damaged["h5md"][508:]
    assert damaged["h5md"] != json.loads(text)["h5md"]
    with pytest.raises(InputError, match="damaged"):
        Trajectory.from_dict(damaged)


def test_decoded_arrays_cannot_be_changed() -> None:
    trajectory = small()
    for values in (trajectory.positions, trajectory.cells, trajectory.times_fs, trajectory.series["step"]):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((4, 2, 3))}, "shape"),
        ({"positions": np.zeros((0, 3, 3)), "times_fs": []}, "at least one frame"),
        ({"cells": np.eye(2)}, "cells"),
        ({"positions": np.full((5, 3, 3), np.nan)}, "not finite"),
        ({"series": {"a_ev": [1, 2], "b_ev": [1]}}, "common length"),
        ({"series": {"a_ev": [[1, 2]]}}, "common length"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    good = {
        "numbers": [3, 3, 8],
        "positions": np.zeros((5, 3, 3)),
        "cells": np.eye(3),
        "times_fs": np.arange(5),
        "series": {},
    }
    with pytest.raises(InputError, match=message) as caught:
        Trajectory.from_arrays(**{**good, **changes})  # type: ignore[arg-type]  # wrong ones on purpose
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n", None])
def test_files_that_are_no_trajectory_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "run.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.h5"):
        Trajectory.load(path)
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match=r"other\.h5"):
        Trajectory.load(other)
