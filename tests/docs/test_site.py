"""The site: what its configuration adds to Sphinx. That every page builds without a warning is `make docs`."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.pages import DOCS

from tachylite.cli import main

CONF = runpy.run_path(str(DOCS / "conf.py"))
NODES = CONF["nodes"]


def rewritten(text: str, page: str = "volume") -> str:
    lines = [text]
    CONF["link_to_the_repository"](SimpleNamespace(srcdir=DOCS), page, lines)
    return lines[0]


def test_links_that_leave_the_pages_go_to_the_repository() -> None:
    home = "https://github.com/tachylite/tachylite"
    assert rewritten("[c](../configs)") == f"[c]({home}/tree/main/configs)"
    assert rewritten("[l](../../LICENSE)", "decisions/0001") == f"[l]({home}/blob/main/LICENSE)"


@pytest.mark.parametrize("link", ["[v](../volume.md)", "[a](#here)", "[s](stores.md)"])
def test_other_links_stay(link: str) -> None:
    assert rewritten(link, "decisions/0001") == link


def test_a_link_to_nothing_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"volume\.md links to \.\./nothing"):
        rewritten("[n](../nothing)")


@pytest.mark.parametrize(("name", "display"), [("write_inline_mathml", ""), ("write_block_mathml", 'display="block"')])
def test_equations_are_mathml(name: str, display: str) -> None:
    writer = SimpleNamespace(body=[])
    with pytest.raises(NODES.SkipNode):
        CONF[name](writer, NODES.math(text=r"\frac{a}{b}"))
    (written,) = writer.body
    assert written.startswith("<math")
    assert "<mfrac>" in written
    assert display in written


def test_every_command_is_in_the_reference_with_its_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = [""]
    CONF["describe_commands"](SimpleNamespace(srcdir=DOCS), "commands", page)
    sections = dict(part.split("\n", 1) for part in page[0].split("\n## ")[1:])
    waiting = ["tachylite"]
    while waiting:
        name = waiting.pop()
        assert main([*name.split()[1:], "--help"]) == 0
        options, _, commands = capsys.readouterr().out.partition("─ Commands ─")
        names = set(re.findall(r"^│ \*? *(--[a-z][a-z-]*)", options, re.MULTILINE))
        assert names <= set(re.findall(r"--[a-z][a-z-]*", sections.pop(name)))
        assert "--help" in names
        waiting += [f"{name} {word}" for word in re.findall(r"^│ ([a-z]+) ", commands, re.MULTILINE)]
    assert not sections


def test_help_is_text_and_no_markup() -> None:
    assert CONF["plain"]("--a_b [x] <y> of `--c` and $z$") == r"`--a`\_b \[x\] \<y> of `--c` and \$z\$"


def test_every_supported_package_is_in_the_reference() -> None:
    pages = {path.stem for path in Path(DOCS / "reference").glob("*.md")}
    assert {f"tachylite.{page}" for page in pages} == {
        line.split("`")[1] for line in (DOCS / "api.md").read_text().splitlines() if line.startswith("| `tachylite.")
    }
