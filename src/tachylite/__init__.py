"""Amorphous materials by simulation, from a formula to a database and a model of it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tachylite")
except PackageNotFoundError:  # a clone on PYTHONPATH, never installed
    import tomllib
    from pathlib import Path

    _project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    __version__ = _project["project"]["version"]
