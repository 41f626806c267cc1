"""Pages of the documentation that are followed: their files are written, their commands run."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ") and "pip install" not in line]


def write_files(text: str, kind: str, folder: Path) -> None:
    """Each block of that kind, into the file that its first line names."""
    for content in blocks(text, kind):
        path = folder / content.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
