"""`tachylite analyze glass` and `tachylite analyze elastic`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from tests.analysis.glass_samples import ATOMS, log, quenched

from tachylite.cli import main
from tachylite.schemas import Trajectory


@pytest.fixture
def table(tmp_path: Path) -> Path:
    run = log(volume=True)
    assert run.volumes_a3 is not None
    assert run.times_fs is not None
    path = tmp_path / "cooling.csv"
    columns = [run.times_fs / 1000, run.temperatures_k, run.energies_ev, run.volumes_a3]
    header = "time_ps,temperature_k,energy_ev,volume_a3"
    np.savetxt(path, np.column_stack(columns), delimiter=",", header=header, comments="")
    return path


def test_a_log_gives_document_tables_and_figure(table: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--atoms", str(ATOMS), "--csv", str(tmp_path / "csv"), "--figures", str(tmp_path / "png"), "--json"]
    assert main(["analyze", "glass", str(table), *words]) == 0
    document = json.loads(capfd.readouterr().out)
    interval = document["energy"]["temperature_interval_k"]
    assert interval["low"] < 700 < interval["high"]
    assert document["glass_expansion"]["coefficient_per_k"]["value"] == pytest.approx(4e-5, rel=0.2)
    with (tmp_path / "csv" / "energy_windows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["energy_ev_per_atom"]) for row in rows] == document["energy"]["window_values"]
    assert (tmp_path / "png" / "glass_transition.png").stat().st_size > 10_000


def test_a_quench_file_needs_no_options(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    quenched().save(tmp_path / "quench.h5")
    assert main(["analyze", "glass", str(tmp_path / "quench.h5")]) == 0
    out = capfd.readouterr().out
    assert "glass transition, energy" in out
    assert "c_V, from the slope" in out


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("temperature_k,energy_ev\n300,1\n", [], "give --atoms"),
        ("temperature_k,volume_a3\n300,1\n", ["--atoms", "5"], "one of energy_ev, total_energy_ev, enthalpy_ev"),
        ("temperature_k,energy_ev\n300,x\n", ["--atoms", "5"], "column energy_ev"),
        ("temperature_k,energy_ev\n300,nan\n", ["--atoms", "5"], "not finite; leave those rows out"),
        ("", ["--atoms", "5"], "no CSV with a line of names"),
        ("temperature_k,energy_ev\n300,1\n200,1\n", ["--atoms", "5"], "give a ramp"),
    ],
)
def test_a_table_that_does_not_serve_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, words: list[str], message: str
) -> None:
    (tmp_path / "log.csv").write_text(text)
    assert main(["analyze", "glass", str(tmp_path / "log.csv"), *words]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_trajectory_without_a_ramp_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = quenched()
    held = Trajectory.from_arrays(
        numbers=whole.numbers,
        positions=whole.positions,
        cells=whole.cells[0],
        times_fs=whole.times_fs,
        series={"energy_ev": np.zeros(9), "target_temperature_k": np.full(9, 300.0), "time_fs": np.arange(9.0)},
    )
    held.save(tmp_path / "hold.h5")
    assert main(["analyze", "glass", str(tmp_path / "hold.h5")]) == 2
    assert "its thermostat never cools" in capfd.readouterr().err


def test_elastic_constants_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TACHYLITE_WORKDIR", str(tmp_path / "work"))
    write(tmp_path / "argon.cif", bulk("Ar", "fcc", 5.25, cubic=True))
    assert main(["analyze", "elastic", str(tmp_path / "argon.cif"), "--engine", "lennard-jones", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["reason"] is None
    assert document["constants_gpa"][0][0] > document["constants_gpa"][3][3] > 0
    assert main(["analyze", "elastic", str(tmp_path / "nothing.cif"), "--engine", "lennard-jones"]) == 2
    assert "nothing.cif cannot be read" in capfd.readouterr().err
