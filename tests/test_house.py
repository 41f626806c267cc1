"""What keeps the house in order: short modules, pinned versions, one version number, a changelog."""

import re
import tomllib
from pathlib import Path

import pytest

import tachylite

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]
MODULES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_modules_stay_under_300_lines() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert len(lengths) > 20
    assert not {str(path): length for path, length in lengths.items() if length > 300}


def test_every_constraint_is_one_pinned_version() -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+")
    assert [line for line in CONSTRAINTS if not pin.fullmatch(line)] == []
    names = [normalised(line.split("==")[0]) for line in CONSTRAINTS]
    assert len(names) == len(set(names))
    assert "tachylite" not in names


@pytest.mark.parametrize("group", ["dependencies", *PROJECT["optional-dependencies"]])
def test_every_requirement_has_a_constraint(group: str) -> None:
    wanted = PROJECT[group] if group == "dependencies" else PROJECT["optional-dependencies"][group]
    pinned = {normalised(line.split("==")[0]) for line in CONSTRAINTS}
    names = {normalised(re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]) for requirement in wanted}
    names -= {"tachylite"}  # of an extra that takes others in
    assert names <= pinned, f"not pinned in constraints.txt: {sorted(names - pinned)}"


def test_the_changelog_has_the_current_version() -> None:
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == tachylite.__version__


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
