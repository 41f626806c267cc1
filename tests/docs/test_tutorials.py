"""Tutorials are followed: their files are written, their commands run, their figures made.

`KEEP_FIGURES=1` puts the figures into the documentation, and shows with `pytest -s` what the commands said.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pages import DOCS, blocks, commands, write_files
from tests.reference_data import reference

FETCHED = ("models/UNEP-v1.txt", "zheng2024/feature_target.dat")
"""Published data that tutorials fetch."""
pytestmark = [pytest.mark.slow, *map(pytest.mark.reference, FETCHED)]

FOLDER = DOCS / "tutorials"
ON_A_CLUSTER = FOLDER / "cluster.md"
"""Followed in tests/services/test_pages.py, with a database and a queue."""

KEEP = "KEEP_FIGURES" in os.environ


def follow(text: str, folder: Path) -> str:
    """What the commands of a page say, in a folder with the files it shows and the data it fetches."""
    for kind in ("yaml", "python", "text"):
        write_files(text, kind, folder)
    for path in map(reference, FETCHED):
        (folder / path.name).symlink_to(path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TACHYLITE_STORE")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
    script = "\n".join(["set -e", *commands(text)])
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def promised(text: str) -> list[str]:
    """Lines that a page says its commands print, or how they begin."""
    return [line for block in blocks(text, "console") for line in block.splitlines() if not line.startswith("$ ")]


def without_numbers(line: str) -> str:
    """The words of a line, since the numbers of a chaotic motion differ from machine to machine."""
    words = re.sub(r"(?<=campaign )\w+", "", line.replace("┃", "│"))
    return re.sub(r"[\s\d.,±×⁰¹²³⁴-⁹⁻−]+", " ", words).strip()


@pytest.mark.parametrize("page", sorted({*FOLDER.glob("*.md")} - {ON_A_CLUSTER}), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    output = follow(text, tmp_path)
    if KEEP:
        sys.stdout.write(output)
    said = [without_numbers(line) for line in output.splitlines()]
    lines = [without_numbers(line) for line in promised(text)]
    assert lines
    assert [line for line in lines if not any(other.startswith(line) for other in said)] == []
    for name in re.findall(r"\]\((figures/[^)]+)\)", text):
        made = tmp_path / "report" / "figures" / Path(name).name
        assert made.stat().st_size > 0
        if KEEP:
            (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made, FOLDER / name)
        assert (FOLDER / name).is_file()
