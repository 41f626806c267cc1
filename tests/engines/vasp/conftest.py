"""A machine with the stand-in for VASP."""

from pathlib import Path

import pytest
from tests.engines.vasp.vasp_samples import install


@pytest.fixture
def vasp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in; the stand-in is found as users of atomate2 have VASP found."""
    install(monkeypatch, tmp_path)
    return tmp_path / "work"
