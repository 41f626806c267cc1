"""`tachylite predict --property`: the shipped model, offline, for files of all kinds, broken ones among them."""

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from tests.reference_data import reference

from tachylite.cli import main

Result = tuple[int, str, str]


@pytest.fixture
def predict(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: str | Path) -> Result:
        code = main(["predict", *map(str, words), "--property", "amorphization-enthalpy"])
        return (code, *capfd.readouterr())

    return call


def rock_salt(formula: str, a: float) -> Atoms:
    return bulk(formula, "rocksalt", a=a)


def test_one_file_in_a_fresh_process(tmp_path: Path) -> None:
    write(tmp_path / "MgO.cif", rock_salt("MgO", 4.26))
    words = [
        str(Path(sys.executable).with_name("tachylite")),
        "predict",
        "MgO.cif",
        "--property",
        "amorphization-enthalpy",
    ]
    process = subprocess.run([*words, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    (answer,) = json.loads(process.stdout)
    assert set(answer) >= {"file", "value_ev_per_atom", "interval_ev_per_atom", "warning"}
    interval = answer["interval_ev_per_atom"]
    assert answer["file"] == "MgO.cif"
    assert interval["low"] < answer["value_ev_per_atom"] < interval["high"]


def test_broken_files_are_named_and_the_others_done(predict: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "crystals"
    folder.mkdir()
    for index in range(40):
        write(folder / f"{index:03}.cif", rock_salt(["MgO", "LiF", "NaCl"][index % 3], 4.2 + 0.01 * index))
    (folder / "empty.cif").write_text("")
    write(folder / "water.xyz", molecule("H2O"))
    partial = (folder / "000.cif").read_text().replace("1.0000\n", "0.5000\n")
    (folder / "partial.cif").write_text(partial)
    code, out, err = predict(folder, "--json")
    answers = {answer["file"]: answer for answer in json.loads(out)}
    broken = {name for name, answer in answers.items() if answer["value_ev_per_atom"] is None}
    assert (code, len(answers), broken) == (1, 43, {"empty.cif", "water.xyz", "partial.cif"})
    assert "no periodic cell" in answers["water.xyz"]["warning"]
    assert "partly occupied" in answers["partial.cif"]["warning"]
    assert all(name in err for name in broken)


def test_lines_of_json(predict: Callable[..., Result], tmp_path: Path) -> None:
    entry = {"id": "mine", "cell": [4.2, 4.2, 4.2, 90, 90, 90], "sp": ["Cs", "Cl"], "x": [[0, 0, 0], [0.5, 0.5, 0.5]]}
    strange = entry | {"id": "strange", "sp": ["Xx", "Cl"]}
    with gzip.open(tmp_path / "crystals.jsonl.gz", "wt") as file:
        file.write("\n".join([json.dumps(entry), '{"id": "short"}', json.dumps(strange), "no json"]) + "\n")
    code, out, _ = predict(tmp_path / "crystals.jsonl.gz", "--json")
    first, *others = json.loads(out)
    assert (code, first["file"], first["formula"]) == (1, "mine", "CsCl")
    assert first["warning"].startswith("no training crystal has Cs")
    assert [answer["value_ev_per_atom"] for answer in others] == [None, None, None]
    assert "there is no element 'Xx'" in others[1]["warning"]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("empty.jsonl", "", "is empty: there is no crystal in it"),
        ("water.xyz", "3\n\nO 0 0 0\nH 0 0 1\nH 0 1 0\n", "it has no periodic cell"),
    ],
)
def test_bad_input_is_one_line(
    predict: Callable[..., Result], tmp_path: Path, name: str, content: str, line: str
) -> None:
    (tmp_path / name).write_text(content)
    code, out, err = predict(tmp_path / name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_what_does_not_exist(predict: Callable[..., Result], capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = predict("nowhere.cif")
    assert (code, out) == (2, "")
    assert "nowhere.cif does not exist" in err
    assert main(["predict", "nowhere.cif"]) == 2
    assert "give --property amorphization-enthalpy" in capfd.readouterr().err


def test_the_page_and_the_table(predict: Callable[..., Result], tmp_path: Path) -> None:
    write(tmp_path / "frames.extxyz", [rock_salt("MgO", 4.2 + 0.02 * i) for i in range(5)])
    code, out, _ = predict(tmp_path / "frames.extxyz", "--report", tmp_path / "page")
    assert code == 0
    assert "frames.extxyz:3" in out
    with (tmp_path / "page/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["crystal"] for row in rows] == [f"frames.extxyz:{i}" for i in range(5)]
    page = (tmp_path / "page/index.html").read_text()
    assert "Amorphization enthalpy" in page
    assert (tmp_path / "page/figures/effects.png").stat().st_size > 5000


@pytest.mark.slow
@pytest.mark.reference("yu2025/dft_enthalpy_data.csv")
@pytest.mark.reference("mp_crystals/mp_structures_yu.jsonl.gz")
def test_the_shipped_model_knows_the_published_enthalpies(predict: Callable[..., Result], tmp_path: Path) -> None:
    with reference("yu2025/dft_enthalpy_data.csv").open() as file:
        enthalpies = {row["material_id"]: float(row["Amorphization Enthalpy"]) for row in csv.DictReader(file)}
    with gzip.open(reference("mp_crystals/mp_structures_yu.jsonl.gz"), "rt") as lines:
        chosen = [line for line in lines if json.loads(line)["id"] in enthalpies][::4]
    (tmp_path / "crystals.jsonl").write_text("".join(chosen))
    code, out, _ = predict(tmp_path / "crystals.jsonl", "--json")
    answers = json.loads(out)
    measured = np.array([enthalpies[answer["file"]] for answer in answers])
    predicted = np.array([answer["value_ev_per_atom"] for answer in answers])
    assert code == 0
    assert np.abs(predicted - measured).mean() < 0.03  # it was trained on them
    assert np.corrcoef(predicted, measured)[0, 1] > 0.9
