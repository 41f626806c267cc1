"""`tachylite learn` and `tachylite predict`, from a table to an answer."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from tests.descriptors.crystals import antifluorite
from tests.jobs.learning_rows import fill
from tests.learning.learning_samples import ANIONS, PUBLISHED_COLUMNS, known_law

from tachylite.cli import main
from tachylite.learning.dataset import load_dataset
from tachylite.learning.model_file import load_model
from tachylite.learning.sisso import load_models
from tachylite.stores import open_store

pytest.importorskip("sklearn")

Result = tuple[int, str, str]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*words: str) -> Result:
        code = main([*words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four compositions at three temperatures; all descriptors but two are constant."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    generator = np.random.default_rng(0)
    lines = [",".join(("formula", "temperature", "D", *PUBLISHED_COLUMNS))]
    for index in range(24):
        features = generator.normal(size=(1, 2))
        for temperature in (1000.0, 1500.0, 2000.0):
            target = known_law(features, np.array([temperature]))[0]
            values = [*features[0], *[1.0] * (len(PUBLISHED_COLUMNS) - 2)]
            cells = (f"Li{1 + index // 6}{ANIONS[index % 6]}", temperature, target, *values)
            lines.append(",".join(map(str, cells)))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_from_a_table_to_a_prediction(command: Callable[..., Result], table: Path, tmp_path: Path) -> None:
    model, frozen, report = tmp_path / "m.npz", tmp_path / "table.parquet", tmp_path / "report"
    words = ["learn", str(table), "--learner", "gp", "-o", str(model), "--report", str(report), "--json"]
    code, out, err = command(*words, "--dataset", str(frozen))
    card = json.loads(out)
    assert code == 0, err
    assert (card["kind"], card["learner"], card["data"]["rows"], card["data"]["compositions"]) == (
        "model",
        "gp",
        72,
        24,
    )
    assert [score["split"] for score in card["learners"][0]["scores"]] == ["composition", "chemical system", "random"]
    assert f"model: {model}" in err
    assert (report / "index.html").exists()

    write(tmp_path / "POSCAR", antifluorite())
    code, out, err = command("predict", str(tmp_path / "POSCAR"), "-m", str(model), "-T", "1500", "--json")
    (prediction,) = json.loads(out)
    assert code == 0, err
    assert (prediction["formula"], prediction["unit"], prediction["temperature_k"], prediction["n_frames"]) == (
        "Li2O",
        "cm^2/s",
        1500,
        1,
    )
    assert prediction["interval"]["low"] < prediction["value"] < prediction["interval"]["high"]
    assert prediction["distance"] > prediction["threshold"]
    assert "from the nearest training row" in prediction["warnings"][0]

    code, out, err = command("predict", str(tmp_path / "POSCAR"), "-m", str(model), "-T", "1500")
    assert "Li₂O" in out
    assert "unlike the training set: Li2O:" in err

    formulas = tmp_path / "formulas.json"
    words = ["learn", str(frozen), "--learner", "gp", "-o", str(model), "--report", str(report)]
    code, out, _ = command(*words, "--formulas", str(formulas))
    assert code == 0
    assert "Formulas for ln D" in out
    assert "Formulas for ln D" in (report / "index.html").read_text()
    assert len(load_models(formulas)) == len(load_model(model).card.formulas) > 3
    assert "composition held out" in out
    assert card["model_id"] in out  # the frozen table gives the same model


def test_a_store_is_described_once_and_gives_its_table(command: Callable[..., Result], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    store, frozen, model = tmp_path / "store", tmp_path / "table.parquet", tmp_path / "m.npz"
    fill(open_store(store))
    words = ["learn", "--learner", "gp", "-o", str(model), "--json"]
    code, out, err = command(*words, "--store", str(store), "--dataset", str(frozen))
    assert code == 0, err
    assert "describing: 24/24 states" in err
    assert "gp: split by composition" in err
    assert "Warning" not in err
    card = json.loads(out)
    assert (card["data"]["rows"], card["data"]["fingerprint"]) == (24, load_dataset(frozen).fingerprint)
    code, out, err = command(*words, "--store", str(store))
    assert (code, json.loads(out)["model_id"]) == (0, card["model_id"])
    assert "describing" not in err
    code, out, err = command(*words, str(frozen))
    assert (code, json.loads(out)["model_id"]) == (0, card["model_id"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["learn", "absent.csv"], "cannot read absent.csv"),
        (["learn", "{table}", "--learner", "svm"], "there is no learner 'svm'"),
        (["learn", "{table}", "--species", "Na"], "there is no Na in row 1"),
        (["learn", "{table}", "--without", "LNCC"], "LNCC is no descriptor"),
        (["learn", "{table}", "--target", "hardness"], "no column hardness"),
        (["learn", "--store", "absent_store"], "absent_store"),
        (["learn"], "there is no store to learn from"),
        (["learn", "--target", "hardness"], "--target is for tables"),
        (["predict", "Li2O", "-m", "absent.npz", "-T", "1000"], "`tachylite learn` makes models"),
    ],
)
def test_bad_input_is_one_line(
    command: Callable[..., Result],
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    code, out, err = command(*(word.format(table=table) for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_single_composition_is_refused(command: Callable[..., Result], table: Path, tmp_path: Path) -> None:
    head, *lines = table.read_text().splitlines()
    single = [line for line in lines if line.startswith("Li1O,")] * 8
    (tmp_path / "one.csv").write_text("\n".join([head, *single]) + "\n")
    code, _, err = command("learn", str(tmp_path / "one.csv"), "--learner", "gp", "-o", str(tmp_path / "m.npz"))
    assert code == 2
    assert "the rows are of 1 composition; 5 folds that keep each on one side need at least 5" in err
