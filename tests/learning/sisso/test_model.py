import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.sisso import SissoModel, SissoSettings, fit_sisso, load_models, save_models

COLUMNS = dict(zip("abc", np.random.default_rng(1).uniform(0.5, 2, (3, 40)), strict=True))


@pytest.fixture(scope="module")
def models() -> tuple[SissoModel, ...]:
    a, b, c = COLUMNS.values()
    target = -2.5 * a / b + 0.3 * np.exp(-c) - 1 + 0.05 * np.random.default_rng(2).normal(size=40)
    features = np.stack([a, b, c], axis=1)
    return fit_sisso(features, target, ("a", "b", "c"), ("A", "eV", "1"), SissoSettings(dimension=2, subspace=10))


@pytest.fixture
def file(models: tuple[SissoModel, ...], tmp_path: Path) -> Path:
    path = tmp_path / "models.json"
    save_models(models, path)
    return path


def test_models_are_read_back_as_they_were(models: tuple[SissoModel, ...], file: Path) -> None:
    assert load_models(file) == models


def test_a_model_works_without_this_package(models: tuple[SissoModel, ...], file: Path, tmp_path: Path) -> None:
    """Another interpreter, with numpy and the file only."""
    np.savez(tmp_path / "columns.npz", **COLUMNS)
    code = """
import json, sys
import numpy as np
table = dict(np.load(sys.argv[2]))
for model in json.load(open(sys.argv[1]))["models"]:
    print(json.dumps(eval(model["formula"], {"np": np}, table).tolist()))
assert not [name for name in sys.modules if name.startswith("tachylite")]
"""
    lines = subprocess.run(
        [sys.executable, "-I", "-c", code, file, tmp_path / "columns.npz"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for model, line in zip(models, lines, strict=True):
        np.testing.assert_allclose(json.loads(line), model.predict(COLUMNS), rtol=1e-12)


def test_the_file_says_what_the_model_is(models: tuple[SissoModel, ...], file: Path) -> None:
    second = json.loads(file.read_text())["models"][1]
    assert {term["descriptor"] for term in second["terms"]} == {d.text for d in models[1].descriptors}
    assert second["dimension"] == 2
    assert second["units"].items() <= {"a": "A", "b": "eV", "c": "1"}.items()


def test_a_model_is_printed_as_text_and_latex(models: tuple[SissoModel, ...]) -> None:
    model = models[0]
    assert [descriptor.text for descriptor in model.descriptors] == ["a / b"]
    assert model.text == f"{model.intercept!r} - {-model.coefficients[0]!r} * (a / b)"
    number, factor = f"{model.intercept:.4g}", f"{-model.coefficients[0]:.4g}"
    assert model.latex == rf"{number} - {factor} \, \frac{{\mathrm{{a}}}}{{\mathrm{{b}}}}"


def test_small_numbers_have_powers_of_ten_in_latex(models: tuple[SissoModel, ...]) -> None:
    model = models[0]
    small = SissoModel(model.descriptors, (1.5e-7,), -2e9, model.rmse, model.max_ae, model.r2, model.rows, model.units)
    assert small.latex.startswith(r"-2 \times 10^{9} + 1.5 \times 10^{-7} \, ")


def test_other_columns_do_not_matter(models: tuple[SissoModel, ...]) -> None:
    more = {"z": ["x"] * 40, **COLUMNS}
    np.testing.assert_array_equal(models[1].predict(more), models[1].predict(COLUMNS))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"b": None}, "no column b; the model needs a, b"),
        ({"b": np.full(40, np.nan)}, "b has no number in row 0"),
        ({"b": ["x"] * 40}, "column b holds something that is not a number"),
        ({"b": np.ones(39)}, "a 40, b 39"),
        ({"b": np.ones((40, 2))}, "column b has the shape (40, 2)"),
        ({"b": np.r_[np.ones(39), 0]}, "a / b has no value in row 39"),
    ],
)
def test_a_table_that_does_not_fit_is_named_in_one_line(
    models: tuple[SissoModel, ...], change: dict[str, Array | None], named: str
) -> None:
    table = {name: column for name, column in {**COLUMNS, **change}.items() if column is not None}
    with pytest.raises(InputError) as error:
        models[0].predict(table)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("tachylite SISSO models", "something else", "its format is 'something else'"),
        ('"schema_version": 1', '"schema_version": 99', "its version 99 is newer"),
        ('"a / b"', '"__import__(\\"os\\")"', "is not one of ours"),
        ('"b": "eV"', '"q": "eV"', "its units are not those"),
        ('"rmse"', '"other"', "'rmse'"),
        ("{", "[", "is not a file of SISSO models"),
    ],
)
def test_another_file_is_refused(file: Path, old: str, new: str, named: str) -> None:
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError) as error:
        load_models(file)
    assert named in str(error.value)
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.json"):
        load_models(tmp_path / "none.json")
