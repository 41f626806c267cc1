"""The doctor says what is missing and what to do about it."""

from pathlib import Path

import pytest

from tachylite.cli import main
from tachylite.cli.doctor import check_engine, check_mp, check_packmol, check_processors, check_store, check_versions
from tachylite.stores import open_store


def test_installed_packages_pass() -> None:
    assert check_versions().status == "ok"
    assert check_packmol().status == "ok"
    assert "tachylite" in check_versions().detail


def test_a_missing_packmol_fails_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    check = check_packmol()
    assert (check.status, check.remedy) == ("failed", "pip install packmol")


def test_an_engine_that_breaks_is_a_line_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("weights\nare gone")

    monkeypatch.setattr("tachylite.engines.get_engine", broken)
    (check,) = check_engine()
    assert (check.status, check.detail) == ("failed", "OSError: weights are gone")


def test_threads_below_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert check_processors().remedy == "unset OMP_NUM_THREADS to use all 4"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert check_processors().status == "ok"


def test_stores(tmp_path: Path) -> None:
    assert "not there yet" in check_store(tmp_path / "none").detail
    open_store(tmp_path / "good").close()
    assert check_store(tmp_path / "good").status == "ok"
    (tmp_path / "bad.yaml").write_text("docs_store: 3", encoding="utf-8")
    assert check_store(tmp_path / "bad.yaml").status == "failed"


def test_the_key_of_the_materials_project_is_optional_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MP_API_KEY", raising=False)
    assert check_mp().status == "optional"
    monkeypatch.setenv("MP_API_KEY", "secret")
    assert "secret" not in check_mp().detail


@pytest.mark.slow
def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("versions", "packmol", "engine chgnet", "device", "store"))
    assert list(tmp_path.iterdir()) == []
