"""The working folder of commands that compute, and how they stop without losing work."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tachylite.errors import InputError, OutOfTimeError

if TYPE_CHECKING:
    from jobflow import JobStore


def check_writable(folder: Path) -> None:
    """Create a folder and check that files can be written into it; InputError where not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from None


def default_workdir(store: JobStore) -> Path:
    """Folder for checkpoints: inside an embedded store, so that the same command finds them, else the engines' own."""
    from tachylite.engines.workdir import current_workdir
    from tachylite.stores.documents import EmbeddedDocumentStore

    documents = store.docs_store
    return (
        Path(documents.database_path).parent / "work"
        if isinstance(documents, EmbeddedDocumentStore)
        else current_workdir()
    )


@contextmanager
def resumable(folder: Path, deadline: float | None = None) -> Iterator[None]:
    """Exit with one line on stderr where a signal or the deadline (seconds since 1970) ends the work.

    The exit code is 124 at the deadline, as of timeout(1), and 128 plus its number after a signal, as in a shell.
    """
    from tachylite.engines.interruption import Terminated, raising_terminated, use_deadline

    try:
        with use_deadline(deadline), raising_terminated():
            yield
    except (KeyboardInterrupt, Terminated, OutOfTimeError) as stop:
        cause, code = _cause_and_code(stop)
        typer.echo(f"{cause}; what is finished is kept in {folder}, and the same command goes on from there", err=True)
        raise typer.Exit(code) from None


def _cause_and_code(stop: BaseException) -> tuple[str, int]:
    if isinstance(stop, OutOfTimeError):
        return str(stop), 124
    return ("interrupted", 130) if isinstance(stop, KeyboardInterrupt) else ("terminated", 143)
