"""Transport and structure of trajectories from anywhere, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from tests.reference_data import require

from tachylite.cli import main

PUBLISHED = {"671.0": 1.272e-4, "763.5": 1.605e-4}
"""Liquid sodium, cm^2/s, by block averaging of these trajectories (mpmorph's test data)."""

Result = tuple[int, str, str]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: str) -> Result:
        code = main(["analyze", *words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def random_walk(path: Path, n_frames: int = 400, step_a: float = 0.2) -> Path:
    """Eight independent walkers; D = step^2 / 2 per frame."""
    rng = np.random.default_rng(3)
    positions = np.cumsum(rng.normal(scale=step_a, size=(n_frames, 8, 3)), axis=0)
    write(path, [Atoms("Li4O4", positions=p, cell=[9, 9, 9], pbc=True) for p in positions])
    return path


@pytest.mark.parametrize("temperature", ["671.0", "763.5"])
def test_liquid_sodium_agrees_with_the_published_diffusivity(command: Callable[..., Result], temperature: str) -> None:
    file = require(f"liquid_na/XDATCAR_{temperature}.gz")
    words = ["transport", str(file), "--species", "Na", "--timestep", "2", "--temperature", temperature]
    code, out, _ = command(*words, "--json")
    document = json.loads(out)
    interval = document["diffusivity_interval_cm2_s"]
    assert code == 0
    assert document["diffusive"] is True
    assert interval["low"] < PUBLISHED[temperature] < interval["high"]
    assert interval["high"] / interval["low"] < 2
    assert document["n_independent"] > 50


def test_a_diffusivity_is_printed_in_one_line(command: Callable[..., Result], tmp_path: Path) -> None:
    walk = str(random_walk(tmp_path / "walk.extxyz"))
    code, out, _ = command("transport", walk, "--species", "Li", "--timestep", "1", "--temperature", "300")
    assert code == 0
    assert out.startswith("D(Li, 300 K) = ")
    assert "cm²/s (95 %)" in out


def test_structure_of_a_walk(command: Callable[..., Result], tmp_path: Path) -> None:
    walk = str(random_walk(tmp_path / "walk.extxyz", 50))
    code, out, _ = command("structure", walk, "--json")
    assert code == 0
    document = json.loads(out)
    assert document["n_frames"] == 50
    assert [partial["pair"] for partial in document["partials"]] == ["Li-Li", "Li-O", "O-O"]
    code, out, _ = command("structure", walk)
    assert code == 0
    assert "Li-O" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["transport", "walk.extxyz", "--species", "Na", "--timestep", "1", "--temperature", "300"], "no Na in"),
        (["transport", "walk.extxyz", "--species", "Li", "--temperature", "300"], "--timestep, in fs"),
        (
            ["transport", "walk.extxyz", "--species", "Li", "--timestep", "-1", "--temperature", "300"],
            "--timestep -1 must be greater than 0",
        ),
        (["transport", "walk.extxyz", "--species", "Li", "--timestep", "1"], "Missing option '--temperature'"),
        (["transport", "one.extxyz", "--species", "Li", "--timestep", "1", "--temperature", "300"], "has one frame"),
        (["transport", "none", "--species", "Li", "--timestep", "1", "--temperature", "300"], "none does not exist"),
        (
            ["transport", "walk.extxyz", "walk.extxyz", "--species", "Li", "--timestep", "1", "--temperature", "300"],
            "2 files, 1 temperatures; give --temperature once for each file",
        ),
        (
            ["transport", "walk.extxyz", "--species", "Li", "--timestep", "1", "--temperature", "3", "--charge", "1"],
            "--charge '1' is not ELEMENT=CHARGE",
        ),
        (["structure", "none"], "none does not exist"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    command: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    random_walk(tmp_path / "walk.extxyz", 3)
    random_walk(tmp_path / "one.extxyz", 1)
    code, out, err = command(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err


def test_two_temperatures_of_liquid_sodium_give_the_activation_energy(command: Callable[..., Result]) -> None:
    files = [require(f"liquid_na/XDATCAR_{temperature}.gz") for temperature in PUBLISHED]
    temperatures = [word for temperature in PUBLISHED for word in ("--temperature", temperature)]
    words = ["transport", *map(str, files), "--species", "Na", "--timestep", "2", *temperatures]
    code, out, _ = command(*words, "--json")
    document = json.loads(out)
    energy = document["arrhenius"]["activation_energy_ev"]
    cold, hot = PUBLISHED.values()
    published = 8.617333e-5 * np.log(hot / cold) / (1 / 671.0 - 1 / 763.5)
    assert code == 0
    assert abs(energy["value"] - published) < 1.96 * energy["error"]
    assert [diffusivity["temperature_k"] for diffusivity in document["diffusivities"]] == [671.0, 763.5]
    assert "two temperatures" not in (document["reason"] or "")
    assert "need four" in document["vft"]["reason"]
    code, out, _ = command(*words)
    assert "Ea(Na) = " in out


def test_charge_and_viscosity_can_be_given(command: Callable[..., Result], tmp_path: Path) -> None:
    walk = str(random_walk(tmp_path / "walk.extxyz"))
    words = ["transport", walk, "--species", "Li", "--timestep", "1", "--temperature", "300"]
    code, out, _ = command(*words, "--charge", "Li=0.9", "--viscosity", "0.001", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["conductivity"]["charge"] == 0.9
    assert document["finite_size"]["viscosity_pa_s"] == 0.001
    code, out, _ = command(*words, "--charge", "Li=0.9", "--viscosity", "0.001")
    assert "(charge +0.9, given)" in out
    assert "of an infinite cell" in out


def test_two_temperatures_give_figures_a_page_and_tables(command: Callable[..., Result], tmp_path: Path) -> None:
    walks = [str(random_walk(tmp_path / f"{step}.extxyz", step_a=step)) for step in (0.1, 0.2)]
    words = ["--species", "Li", "--timestep", "1", "--temperature", "500", "--temperature", "900"]
    outputs = ["--csv", str(tmp_path / "csv"), "--figures", str(tmp_path / "figures")]
    code, out, _ = command("transport", *walks, *words, *outputs)
    assert (code, "Ea(Li)" in out) == (0, True)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"msd.png", "arrhenius.png", "index.html"}
    assert "Transport of Li" in (tmp_path / "figures" / "index.html").read_text(encoding="utf-8")
    header, *rows = (tmp_path / "csv" / "diffusivities.csv").read_text().splitlines()
    assert header.startswith("species,temperature_k,diffusivity_cm2_s,low_95_cm2_s,high_95_cm2_s")
    assert [row.split(",")[1] for row in rows] == ["500.0", "900.0"]
