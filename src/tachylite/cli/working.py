"""What commands that compute have in common: a folder to work in, noise out of the way, stops that lose nothing."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tachylite.errors import InputError, OutOfTimeError

if TYPE_CHECKING:
    from jobflow import JobStore


def check_writable(folder: Path) -> None:
    """Make a folder and try to write into it; InputError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from None


def default_workdir(store: JobStore) -> Path:
    """Inside an embedded store, so that the same command finds its checkpoints; else where engines keep theirs."""
    from tachylite.engines.workdir import current_workdir
    from tachylite.stores import EmbeddedDocumentStore

    documents = store.docs_store
    return (
        Path(documents.database_path).parent / "work"
        if isinstance(documents, EmbeddedDocumentStore)
        else current_workdir()
    )


@contextmanager
def resumable(folder: Path, deadline: float | None = None) -> Iterator[None]:
    """Leave with one line and an exit code where a signal or the deadline (seconds since 1970) ends the work.

    The codes are that of timeout(1), and 128 and the number of the signal, as in a shell.
    """
    from tachylite.engines.interruption import Terminated, raising_terminated, use_deadline

    try:
        with use_deadline(deadline), raising_terminated():
            yield
    except (KeyboardInterrupt, Terminated, OutOfTimeError) as stop:
        what, code = _describe(stop)
        typer.echo(f"{what}; what is finished is kept in {folder}, and the same command goes on from there", err=True)
        raise typer.Exit(code) from None


def _describe(stop: BaseException) -> tuple[str, int]:
    if isinstance(stop, OutOfTimeError):
        return str(stop), 124
    return ("interrupted", 130) if isinstance(stop, KeyboardInterrupt) else ("terminated", 143)


@contextmanager
def noise_into(path: Path) -> Iterator[None]:
    """Send logging, warnings and what libraries print into a file, so that progress and JSON stay readable."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        with redirect_stdout(handler.stream), redirect_stderr(handler.stream):
            yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


@contextmanager
def echo_log(name: str) -> Iterator[None]:
    """Print what a logger is told, a line each, on stderr."""
    logger, handler = logging.getLogger(name), logging.StreamHandler()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
