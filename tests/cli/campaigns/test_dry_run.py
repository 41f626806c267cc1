"""`tachylite run --dry-run` writes what VASP would read first, and computes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.core import SETTINGS
from pymatgen.io.vasp.inputs import Incar, Poscar
from tests.engines.vasp.vasp_samples import install

from tachylite.cli import main

type Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    install(monkeypatch, tmp_path / "machine")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*words: str) -> tuple[int, str, str]:
        code = main([*words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_first_inputs_and_what_would_follow(command: Command) -> None:
    words = ("--protocol", "zheng2024", "--engine", "vasp", "--atoms", "8", "--dry-run", "look")
    code, out, err = command("run", "Cu", "CuAl", *words)
    assert (code, err) == (0, "")
    assert sorted(path.name for path in Path().rglob("*") if path.is_file()) == sorted(
        ["INCAR", "KPOINTS", "POSCAR", "POTCAR"] * 2
    ), "nothing but the inputs, and no store"
    incar = Incar.from_file("look/Cu/INCAR")
    assert (incar["MDALGO"], incar["TEBEG"], incar["NSW"], incar["EDIFF"]) == (3, 5000, 500, pytest.approx(8e-5))
    poscar = Poscar.from_file("look/AlCu/POSCAR")
    assert len(poscar.structure) == 8
    assert poscar.velocities is not None
    assert "look/Cu: volume at 5000 K: scan, " in out
    search = "0.8, 1, 1.2 of the volume before, each 1 ps Langevin and 4 ps Nose-Hoover; then at most 15 rounds more"
    assert f"melt-volume: at 5000 K: {search}" in out
    assert "anneal-2500K: at 2500 K: 20 ps, 10,000 steps" in out
    assert "amorphous-limit: 10 snapshots, each relaxed with its cell" in out
    assert "reference crystals of Al, Cu" in out
    assert "in VASP: a call for every 2,000 steps; a relaxation is relax, relax, static" in out


def test_a_protocol_that_keeps_the_volume_begins_with_the_hold(command: Command) -> None:
    Path("mine.yaml").write_text("steps: [{kind: hold, name: melt, temperature_k: 700, time_ps: 1}]", "utf-8")
    code, out, _ = command("run", "Cu", "-p", "mine.yaml", "-e", "vasp", "--atoms", "4", "--dry-run", "look")
    assert code == 0
    assert "look/Cu: melt at 700 K" in out
    assert Incar.from_file("look/Cu/INCAR")["MDALGO"] == 2


def test_a_protocol_that_begins_without_dynamics_is_one_line(command: Command) -> None:
    Path("mine.yaml").write_text("steps: [{kind: relax, name: glass}]", "utf-8")
    code, out, err = command("run", "Cu", "-p", "mine.yaml", "-e", "vasp", "--atoms", "4", "--dry-run", "look")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--dry-run writes inputs of molecular dynamics, and step glass begins with none" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("Cu", "--engine", "lennard-jones"), "error: the lennard-jones model does not know Cu"),
        (("Ar", "--engine", "lennard-jones"), "error: --dry-run writes input files, and the lennard-jones engine has"),
        (("Cu", "--engine", "vasp", "--option", "encut=400"), "has no option 'encut'; did you mean 'encut_ev'?"),
        (("Cu", "--engine", "vasp", "--option", "encut_ev=-1"), "option encut_ev = '-1' must be greater than 0"),
        (("Cu", "--engine", "vasp", "--option", "potcar_functional=LDA"), "option potcar_functional = 'LDA' must be"),
    ],
)
def test_what_cannot_be_written_is_one_line(command: Command, words: tuple[str, ...], expected: str) -> None:
    code, out, err = command("run", *words, "--atoms", "4", "--dry-run", "look")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err


def test_without_a_folder_of_potcars_a_dry_run_names_them_and_a_run_refuses(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(SETTINGS, "PMG_VASP_PSP_DIR")
    words = ("run", "Li3PO4", "CuAl", "--engine", "vasp", "--atoms", "16")
    code, out, err = command(*words, "--dry-run", "look")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in Path().rglob("*") if path.is_file()) == sorted(
        ["INCAR", "KPOINTS", "POSCAR", "POTCAR.spec"] * 2
    )
    assert Poscar.from_file("look/Li3PO4/POSCAR").site_symbols == ["Li", "O", "P"]
    assert Path("look/Li3PO4/POTCAR.spec").read_text("utf-8").split("\n") == ["Li_sv", "O", "P"]
    (line,) = [line for line in out.splitlines() if line.startswith("POTCAR.spec: ")]
    assert line.startswith("POTCAR.spec: no POTCARs are set up here; it names the potentials of POTCAR, one a line")
    assert "set PMG_VASP_PSP_DIR" in line
    assert "then, for every member:" in out
    code, out, err = command(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "error: no folder of POTCARs: set PMG_VASP_PSP_DIR" in err


def test_a_missing_potcar_is_named_by_a_dry_run_and_refused_by_a_run(command: Command) -> None:
    code, out, _ = command("run", "Fe", "Cu", "--engine", "vasp", "--atoms", "4", "--dry-run", "look")
    assert code == 0
    assert Path("look/Fe/POTCAR.spec").read_text("utf-8") == "Fe_pv"
    assert Path("look/Cu/POTCAR").exists()
    assert "(no PBE POTCAR of Fe in " in out
    code, out, err = command("run", "Fe", "--engine", "vasp", "--atoms", "4")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "error: no PBE POTCAR of Fe in " in err


def test_an_element_without_any_potential_is_one_line(command: Command) -> None:
    code, out, err = command("run", "Po", "--engine", "vasp", "--atoms", "4", "--dry-run", "look")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "error: no PBE POTCAR of Po in " in err


def test_a_dry_run_needs_no_vasp_and_a_run_does(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CMD", "not_here")
    words = ("run", "Cu", "--engine", "vasp", "--atoms", "4")
    assert command(*words, "--dry-run", "look")[0] == 0
    code, out, err = command(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no VASP command: 'not_here' is not on the PATH" in err


def test_the_doctor_says_what_is_missing_and_where_it_looked(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tachylite.cli.doctor import check_vasp

    found = {check.name: check for check in check_vasp()}
    assert [check.status for check in found.values()] == ["ok", "ok"]
    assert found["VASP POTCARs"].detail == str(tmp_path / "machine" / "potcars")
    monkeypatch.setattr("atomate2.SETTINGS.VASP_CMD", "not_here")
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(tmp_path / "none"))
    found = {check.name: check for check in check_vasp()}
    assert [check.status for check in found.values()] == ["optional", "optional"]
    assert "no VASP command: 'not_here' is not on the PATH" in found["VASP command"].detail
    assert "ATOMATE2_VASP_CMD" in found["VASP command"].remedy
    assert ".atomate2.yaml" in found["VASP command"].remedy
    assert f"PMG_VASP_PSP_DIR={tmp_path / 'none'} does not exist" in found["VASP POTCARs"].detail


def test_without_atomate2_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from tachylite.cli.doctor import check_vasp

    monkeypatch.setattr("tachylite.engines.vasp.setup.find_spec", lambda _: None)
    (check,) = check_vasp()
    assert (check.status, check.detail) == (
        "optional",
        "the vasp engine needs atomate2: pip install 'tachylite[vasp]'",
    )
