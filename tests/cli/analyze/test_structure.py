"""`tachylite analyze structure`: documents, tables and figures of a distorted crystal."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from tests.physics.crystals import cristobalite

from tachylite.cli import main


@pytest.fixture
def file(tmp_path: Path) -> Path:
    crystal = cristobalite() * (2, 2, 2)
    frames = []
    for seed in range(6):
        frames.append(crystal.copy())
        frames[-1].positions += np.random.default_rng(seed).normal(0, 0.05, crystal.positions.shape)
    write(tmp_path / "cristobalite.extxyz", frames)
    return tmp_path / "cristobalite.extxyz"


def test_everything_about_a_crystal(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [
        "--rings",
        "--polyhedra",
        "--group",
        "Si:O",
        "--cutoff",
        "Si-O=2.0",
        "--q-max",
        "8",
        "--csv",
        str(tmp_path / "csv"),
    ]
    words += ["--figures", str(tmp_path / "png"), "--json"]
    assert main(["analyze", "structure", str(file), *words]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["n_frames"] == 6
    assert (document["crystalline"], document["crystallinity"]) == (True, 1.0)
    assert document["diffraction_contrast"] > 3
    assert [(bond["center"], bond["neighbor"], bond["cutoff_a"]) for bond in document["coordinations"]] == [
        ("O", "Si", 2.0),
        ("Si", "O", 2.0),
    ]
    assert document["coordinations"][1]["fractions"] == {"4": {"value": 1.0, "error": 0.0}}
    assert {angle["triplet"] for angle in document["angles"]} == {"O-Si-O", "Si-O-Si"}
    assert document["rings"]["network"] == "Si(O)"
    (silicate,) = document["orientations"]
    assert (silicate["group"], silicate["fraction"]["value"]) == ("Si:O", 1.0)
    assert 0.9 < silicate["tetrahedrality"]["value"] < 1
    assert document["rings"]["rings_per_vertex"]["6"]["value"] == pytest.approx(2)
    (oxygen,), (silicon,) = document["network"]["anions"], document["network"]["formers"]
    assert oxygen["bridges"] == {"Si-O-Si": {"value": 1.0, "error": 0.0}}
    assert silicon["q"] == {"4": {"value": 1.0, "error": 0.0}}
    names = {"rdf", "coordination", "angles", "anions", "qn", "structure_factors", "rings", "polyhedra"}
    assert {path.stem for path in (tmp_path / "csv").glob("*.csv")} == names
    with (tmp_path / "csv" / "structure_factors.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [float(row["neutron_f_barn_sr"]) for row in rows] == document["scattering"]["neutron_f_barn_sr"]["values"]
    assert {path.stem for path in (tmp_path / "png").glob("*.png")} == {
        "partial_rdf",
        "coordination",
        "bond_angles",
        "structure_factors",
    }


def test_tables_on_the_terminal(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "structure", str(file), "--rings", "--polyhedra", "--q-max", "0"]) == 0
    out = capfd.readouterr().out
    said = ("Si-O-Si", "4: 1.000", "rings of Si(O)", "Q4: 1.000", "Si-O-Si: 1.000", "Voronoi faces")
    assert all(words in out for words in said)
    assert "last frame: crystalline (100% of the atoms have repeated surroundings, contrast of the diffraction" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--cutoff", "Si-O"], "--cutoff 'Si-O' is not PAIR=LENGTH"),
        (["--cutoff", "Si-O=2", "--cutoff", "O-Si=3"], "is given twice"),
        (["--cutoff", "Si-C=2"], "C-Si is no pair"),
        (["--cutoff", "Si-O=-2"], "must be greater than 0"),
        (["--group", "Si"], "--group 'Si' is not CENTRE:LIGANDS"),
        (["--group", "Si:O", "--group", "Si:O"], "is given twice"),
        (["--group", "Si:N"], "group Si:N: N of ['O', 'Si']"),
        (["--network", "Si"], "--network 'Si' is not FORMERS:ANIONS"),
        (["--network", "Si:O,Si"], "--network 'Si:O,Si' is not FORMERS:ANIONS"),
        (["--network", "Si:N", "--cutoff", "Si-O=2"], "N-Si has no bond length"),
    ],
)
def test_bad_words_get_one_line(file: Path, capfd: pytest.CaptureFixture[str], words: list[str], expected: str) -> None:
    assert main(["analyze", "structure", str(file), *words]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err
