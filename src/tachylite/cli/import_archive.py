"""`tachylite import`: an archive into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tachylite.cli.options import StoreOption


def import_archive(
    archive: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `tachylite export --archive` wrote.")],
    store: StoreOption = None,
) -> None:
    """Bring the documents and trajectories of an archive into a store, with the same ids.

    Everything is checked before anything is written. What the store holds already stays as it is.
    """
    from tachylite.stores import open_store
    from tachylite.stores.importing import open_archive

    with open_archive(archive) as checked:
        opened = open_store(store)
        try:
            imported = checked.restore(opened)
        finally:
            opened.close()
    typer.echo(f"imported {imported.documents} documents and {imported.blobs} trajectories or other data")
    if imported.documents_before:
        typer.echo(f"{imported.documents_before} documents and {imported.blobs_before} data were there already")
