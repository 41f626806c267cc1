"""pw.x and its pseudopotentials, or what happens to a test where they are missing."""

import os
import shutil
from pathlib import Path

import pytest
from tests.reference_data import require


@pytest.fixture
def pseudopotentials(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of published pseudopotentials, where the engine finds it."""
    folder = require("pseudopotentials")
    monkeypatch.setenv("ESPRESSO_PSEUDO", str(folder))
    return folder


@pytest.fixture
def pw(pseudopotentials: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, with the real pw.x; a test is skipped without it, and fails in CI."""
    monkeypatch.delenv("TACHYLITE_PW_COMMAND", raising=False)
    if shutil.which("pw.x") is None:
        reason = "pw.x is missing: apt-get install quantum-espresso"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return tmp_path / "work"
