"""`tachylite serve`: a store in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from tachylite.cli.options import StoreOption
from tachylite.errors import InputError


def serve(
    store: StoreOption = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8000,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Another than this machine's own needs a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="SECRET",
            envvar="TACHYLITE_TOKEN",
            show_envvar=False,
            help="What readers must know. Better in TACHYLITE_TOKEN: others see the words of a command.",
        ),
    ] = None,
) -> None:
    """Show a store in a browser, read-only: materials, campaigns as they run, models; until Ctrl-C."""
    try:
        from tachylite.serve.gate import Access
        from tachylite.serve.running import run_server
    except ImportError as error:
        raise InputError(f"{error.name} is not installed; pip install 'tachylite[serve]'") from None
    from tachylite.stores import open_store

    access = Access.for_host(host, token)
    opened = open_store(store, create=False)
    typer.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/ shows {opened.name}; Ctrl-C ends it")
    try:
        run_server(opened, host, port, access)
    finally:
        opened.close()
