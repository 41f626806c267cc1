from pathlib import Path

import pytest
from jobflow import JobStore

from tachylite.stores import open_store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "results"


@pytest.fixture
def store(folder: Path) -> JobStore:
    return open_store(folder)
