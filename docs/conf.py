"""How Sphinx builds the site of documentation: `make docs`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import tachylite
from tachylite.cli.app import app as commands

ROOT = Path(__file__).parents[1]
REPOSITORY = "https://github.com/tachylite/tachylite"

project = "tachylite"
version = release = tachylite.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]

source_suffix = {".md": "markdown"}
default_role = "code"  # docstrings write `names` as Markdown does
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 4  # as GitHub names them, and a link to one that is not there is a warning
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}
python_maximum_signature_line_length = 88

html_theme = "pydata_sphinx_theme"
html_title = "tachylite"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_sidebars = {"**": ["all-pages"]}
html_theme_options = {
    "navbar_center": [],
    "icon_links": [{"name": "Repository", "url": REPOSITORY, "icon": "fa-brands fa-github"}],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def link_to_the_repository(app: Any, page: str, text: list[str]) -> None:
    """Send links that leave `docs/` to the repository's page of that file, since the site has only `docs/`.

    They stay relative in the text, where readers of the files follow them, and have to be there.
    """
    folder = (Path(app.srcdir) / page).parent

    def address(link: re.Match[str]) -> str:
        target = (folder / link[1]).resolve()
        if target.is_relative_to(app.srcdir) or not target.is_relative_to(ROOT):
            return link[0]
        if not target.exists():
            raise FileNotFoundError(f"{page}.md links to {link[1]}, which is not in the repository")
        kind = "tree" if target.is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{target.relative_to(ROOT).as_posix()})"

    text[0] = re.sub(r"\]\((\.\./[^)#\s]+)\)", address, text[0])


def describe_commands(app: Any, page: str, text: list[str]) -> None:
    """Add every command with its arguments and options to their page, from what `--help` is made of."""
    if page == "commands":
        text[0] += "".join(command_sections(typer.main.get_command(commands), "tachylite"))


def command_sections(command: Any, name: str, parent: Any = None) -> Iterator[str]:
    """Markdown of a command, and after it of those below it."""
    context = typer.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    # a list, since a table would take the bars in `NAME|FILE` for its own
    shown = [(record[0].removesuffix(" <list[str]>"), record[1]) for record in records if record]
    lines = [f"- `{name}`: {plain(meaning)}" for name, meaning in shown]
    yield "\n".join(
        [f"\n## {context.command_path}", f"```text\n{usage}\n```", plain(command.help or ""), "", *lines, ""]
    )
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from command_sections(subcommand, below, context)


def plain(text: str) -> str:
    """Text in which only backticks mean something, as Markdown, with options between backticks, too."""
    parts = re.sub(r"(?<![\w`-])--[a-z][a-z0-9-]*(?!`)", r"`\g<0>`", text).split("`")
    parts[::2] = [re.sub(r"([\\*_$<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def write_inline_mathml(writer: Any, node: nodes.math) -> None:
    """MathML, which browsers draw themselves: no script, no network."""
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def write_block_mathml(writer: Any, node: nodes.math_block) -> None:
    """An equation on lines of its own."""
    writer.body.append(tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """What Sphinx calls first."""
    app.connect("source-read", link_to_the_repository)
    app.connect("source-read", describe_commands)
    app.add_html_math_renderer("mathml", (write_inline_mathml, None), (write_block_mathml, None))
