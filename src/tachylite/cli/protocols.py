"""`tachylite protocols`: what ships."""

from typing import Annotated

import typer

from tachylite.cli.output import print_tables


def protocols(
    name: Annotated[
        str | None, typer.Argument(help="Print this one as YAML, to start a protocol of your own from.")
    ] = None,
) -> None:
    """List the shipped protocols, or print one of them as YAML."""
    from tachylite.configs import load_protocol, protocol_names, protocol_text

    if name is not None:
        typer.echo(protocol_text(name), nl=False)
        return

    from rich.table import Column, Table

    table = Table("name", Column("what it does", max_width=80), "DOI", show_lines=True)
    for protocol in map(load_protocol, protocol_names()):
        table.add_row(protocol.name, protocol.description, protocol.doi or "")
    print_tables(table)
