"""The supported API: what the packages export is what docs/api.md lists, and no more."""

import re
from importlib import import_module
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
PACKAGES = dict(re.findall(r"^\| `(tachylite\.\w+)` \| (.+) \|$", PAGE, re.MULTILINE))


def test_the_page_lists_what_the_packages_export() -> None:
    assert len(PACKAGES) == 8
    for package, names in PACKAGES.items():
        assert sorted(re.findall(r"`(\w+)`", names)) == sorted(import_module(package).__all__), package


def test_it_stays_small() -> None:
    assert sum(len(import_module(package).__all__) for package in PACKAGES) <= 50


def test_other_names_on_the_page_are_there() -> None:
    """Those that are given by their full names."""
    for name in re.findall(r"`(tachylite\.[\w.]+\.\w+)`", PAGE.split("Beside them")[1]):
        module, _, attribute = name.rpartition(".")
        # a module of its own, or a name in one
        import_module(name) if name == "tachylite.engines.contract" else getattr(import_module(module), attribute)
