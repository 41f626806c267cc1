"""Slabs and interfaces on the command line: one changed word is another face, and what is refused in one line."""

from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from ase.io import write

from tachylite.cli import main
from tachylite.cli.campaigns.plan import Plan, make_plan
from tachylite.cli.campaigns.surfaces import SurfaceOptions, parse_face
from tachylite.errors import InputError


@pytest.fixture
def copper(tmp_path: Path) -> str:
    write(tmp_path / "cu.cif", bulk("Cu", "fcc", 3.6))
    return str(tmp_path / "cu.cif")


def plan(copper: str, face: str, **changes: Any) -> Plan:
    hold = Path(copper).with_name("hold.yaml")
    hold.write_text("steps: [{kind: hold, temperature_k: 300, pressure_gpa: 0, cell: normal}]", encoding="utf-8")
    options = SurfaceOptions(interface=copper, face=face, **changes)
    return make_plan(["CuAu"], str(hold), "ase:emt", surfaces=options, options={})


def test_one_changed_word_is_another_face(copper: str) -> None:
    members = [plan(copper, face).members[0] for face in ("110", "111", "111")]
    assert [member.start.title for member in members] == [f"cu.cif ({f}) | CuAu" for f in ("110", "111", "111")]
    assert members[0].material_id != members[1].material_id == members[2].material_id


def test_two_hundred_and_thirteen_hundred_atoms_can_be_reached(copper: str) -> None:
    small = plan(copper, "110", thickness_a=8.0, width_a=8.0).members[0]
    large = plan(copper, "110", thickness_a=20.0, width_a=18.0).members[0]
    assert 120 < small.n_atoms < 250
    assert 1000 < large.n_atoms < 1700


def test_miller_indices() -> None:
    assert [parse_face(text) for text in ("110", "1-10", "10,1,-2")] == [(1, 1, 0), (1, -1, 0), (10, 1, -2)]
    for text in ("11", "1100", "abc", "1-1", "1,0", ""):
        with pytest.raises(InputError, match="three Miller indices"):
            parse_face(text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("CuAu --interface CU --face 000", "there is no face (000)"),
        ("CuAu --interface CU --face 11", "--face '11' is not three Miller indices"),
        ("CuAu --interface CU --face 111 --thickness 1", "one layer of (111) has 2.08 A"),
        ("CuAu --interface CU --face 111 --partner-thickness 0.01", "no atom of CuAu has room"),
        ("CuAu --interface CU --face 111 --gap -1", "--gap -1 is no length"),
        ("CuAu --interface CU --face 111", "step melt-volume of protocol quickstart scales the whole cell"),
        ("CuAu --interface CU", "a slab needs its face"),
        ("CuAu --face 111", "--face is that of a crystal"),
        ("CuAu --interface CU --face 111 --molecule CO2=8", "give one with --slab"),
        ("--interface CU --face 111", "--interface needs what is put on the crystal"),
        ("--slab CU --face 111 --molecule XO2=8", "unknown molecule 'XO2'"),
        ("--slab CU --face 111 --molecule CO2", "--molecule 'CO2' is not MOLECULE=NUMBER"),
        ("--slab CU --face 111 --vacuum -3", "--vacuum -3 is no length"),
        ("--structure CU --interface CU --face 100 --moduli 1", "--moduli '1' is not two moduli"),
        ("--structure CU --interface CU --face 211 --mismatch 1e-9", "no supercell of the crystal's face fits"),
    ],
)
def test_what_is_refused(
    copper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    line = [copper if word == "CU" else word for word in words.split()]
    assert main(["run", *line, "--engine", "ase:emt", "--store", f"{tmp_path}/store"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
