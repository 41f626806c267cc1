"""What is read of VASP's files: whole, cut off, and not a number."""

from pathlib import Path

import numpy as np
import pytest
from tests.engines.vasp.stand_in_files import Inputs, Writer

from tachylite.engines.answers import total_pressure_gpa
from tachylite.engines.vasp.output import read_contcar, read_vasprun

CELL = np.diag([3.0, 4.0, 5.0])
PLACES = np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
STRESS = np.array([[10.0, 1, 2], [1, 20.0, 3], [2, 3, 60.0]])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three steps of two atoms."""
    monkeypatch.chdir(tmp_path)
    inputs = Inputs(
        {"IBRION": "0", "POTIM": "2.0"}, ["Cu"], [2], CELL, PLACES, None, (1, 1, 1), ["PAW_PBE Cu_pv 06Sep2000"]
    )
    writer = Writer(inputs)
    for step in range(3):
        writer.step(
            scaled=PLACES + 0.01 * step,
            cell=CELL,
            energy_ev=-7.0 - step,
            forces=np.ones((2, 3)),
            stress_kbar=STRESS,
            kinetic_ev=0.5 + step,
            temperature_k=1000.0,
            electronic_steps=4 + step,
        )
    writer.contcar(PLACES + 0.03, CELL, np.full((2, 3), 0.015))
    writer.end(PLACES + 0.03, CELL, arrived=False)
    writer.xml.close()
    return tmp_path


def test_a_whole_file(folder: Path) -> None:
    output = read_vasprun(folder / "vasprun.xml")
    assert not output.truncated
    assert output.version == "6.stand-in"
    assert output.potcars == ["PAW_PBE Cu_pv 06Sep2000"]
    assert [step.energy_ev for step in output.steps] == [-7, -8, -9]
    assert [step.kinetic_ev for step in output.steps] == [0.5, 1.5, 2.5]
    assert [step.electronic_steps for step in output.steps] == [4, 5, 6]
    assert np.allclose(output.steps[2].scaled, PLACES + 0.02)
    assert output.steps[0].virial_gpa == pytest.approx(3.0), "30 kbar, a third of the trace"
    assert all(step.finite for step in output.steps)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_gives_its_whole_steps(folder: Path, kept: float) -> None:
    path = folder / "vasprun.xml"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    output = read_vasprun(path)
    assert output.truncated
    assert len(output.steps) == content[: int(kept * len(content))].count(b"</calculation>") < 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    output = read_vasprun(tmp_path / "vasprun.xml")
    assert output.truncated
    assert output.steps == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("      60.00000000 </v>", "             NaN </v>"),
        ("     10.00000000 ", "**************** "),
        ("      1.00000000       1.00000000       1.00000000", "************************************************"),
        ("<i name='e_fr_energy'> -8.00000000 </i>", "<i name='e_fr_energy'> ************ </i>"),
    ],
)
def test_what_is_not_a_number_is_seen(folder: Path, good: str, bad: str) -> None:
    path = folder / "vasprun.xml"
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad), encoding="utf-8")
    steps = read_vasprun(path).steps
    assert len(steps) == 3
    assert not steps[1].finite


def test_the_kinetic_part_is_added_once() -> None:
    """N k T / V of 100 atoms at 5000 K in 1600 A^3: 4.3 GPa, 43 kbar."""
    virial, temperature = np.array([-1.0, 0.0]), np.array([5000.0, 2500.0])
    total = total_pressure_gpa(virial, temperature, 100, 1600.0)
    ideal_gas_gpa = 100 * 1.380649e-23 * temperature / 1600e-30 / 1e9
    assert total - virial == pytest.approx(ideal_gas_gpa, rel=1e-8)
    assert ideal_gas_gpa[0] == pytest.approx(4.3145, rel=1e-4)


def test_where_a_run_would_go_on(folder: Path) -> None:
    contcar = read_contcar(folder / "CONTCAR", 2)
    assert contcar is not None
    assert np.allclose(contcar[0], PLACES + 0.03)
    assert np.allclose(contcar[1], 0.015)


@pytest.mark.parametrize("lines", [0, 5, 9, 12])
def test_half_a_contcar_is_none(folder: Path, lines: int) -> None:
    path = folder / "CONTCAR"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:lines]), encoding="utf-8")
    assert read_contcar(path, 2) is None
