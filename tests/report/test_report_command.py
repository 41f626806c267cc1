from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from tests.report.report_pieces import Case
from typer.testing import CliRunner, Result

from tachylite.cli.report import report
from tachylite.errors import InputError
from tachylite.schemas import Material
from tachylite.stores import open_store

type Ask = Callable[..., Result]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TACHYLITE_STORE", raising=False)
    app = typer.Typer()
    app.command()(report)
    return lambda *words: CliRunner().invoke(app, words)


def keep(*materials: Material) -> None:
    store = open_store()
    for number, material in enumerate(materials):
        document = {"uuid": str(number), "index": 1, "name": "summarise_material", "output": material}
        store.update({**document, "completed_at": f"2026-01-0{number + 1}T10:00:00.123"})
    store.close()


@pytest.mark.parametrize("wanted", ["Li3PO4", "Li6P2O8", "6f0e8a1c2b3d4e5f", None])
def test_a_material_is_found_by_formula_by_id_or_as_the_newest(
    ask: Ask, wanted: str | None, vapour_case: Case, tmp_path: Path
) -> None:
    keep(vapour_case.material)
    done = ask(*([wanted] if wanted else []), "--out", "pages/vapour")
    assert done.exit_code == 0
    assert done.stdout.strip() == f"report: {Path('pages/vapour/index.html')}"
    assert "a vapour: no tension" in (tmp_path / "pages/vapour/index.html").read_text(encoding="utf-8")


def test_of_several_the_newest_is_taken_and_the_others_are_named(ask: Ask, vapour_case: Case) -> None:
    newer = vapour_case.material.model_copy(
        update={"material_id": "feedc0de", "created_at": datetime(2027, 1, 1, tzinfo=UTC)}
    )
    keep(vapour_case.material, newer)
    done = ask("Li3PO4")
    assert "the newest of 2 that match; the others: 6f0e8a1c2b3d4e5f" in done.stderr
    assert "feedc0de" in Path("report/index.html").read_text(encoding="utf-8")


def test_a_trajectory_that_is_gone_leaves_its_curves_out(ask: Ask, partial_case: Case) -> None:
    keep(partial_case.material)
    done = ask("Li3PO4")
    assert done.exit_code == 0
    assert "the trajectory of melt is not in the store" in done.stderr
    assert "no curves against time" in Path("report/index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Li3PO4", "--store", "elsewhere"], "there is no store in elsewhere"),
        (["NaCl"], "no material NaCl in the store"),
        (["Xx9"], "'Xx9' is neither a material id of this store nor a formula"),
        (["--out", "taken/below"], "cannot write into taken/below"),
    ],
)
def test_bad_input_is_one_line(ask: Ask, words: list[str], said: str, vapour_case: Case) -> None:
    keep(vapour_case.material)
    Path("taken").write_text("a file")
    error = ask(*words).exception
    assert isinstance(error, InputError)
    assert said in str(error)
    assert "\n" not in str(error)


def test_without_a_store_it_says_how_to_make_one(ask: Ask) -> None:
    error = ask("Li3PO4").exception
    assert isinstance(error, InputError)
    assert "tachylite run" in str(error)
