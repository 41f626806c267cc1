"""What verbs print: tables on stdout, logs on stderr or, with what libraries print, in a file."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.report.parts import Table as PageTable

TABLE_WIDTH = 1000
"""Columns where stdout is not a terminal: no row is broken."""


def print_tables(*tables: Table) -> None:
    """Print tables in the width of the terminal, or as wide as they are into a file."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    for table in tables:
        console.print(table)


def print_page_tables(*tables: PageTable) -> None:
    """Print tables as pages have them."""
    from rich.markup import escape
    from rich.table import Table

    for table in tables:
        printed = Table(*map(escape, table.columns), title=table.caption, title_justify="left")
        for row in table.rows:
            printed.add_row(*map(escape, row))
        print_tables(printed)


@contextmanager
def log_to_file(path: Path) -> Iterator[None]:
    """Append logging, warnings and what libraries print to a file, so that progress and JSON stay readable."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.captureWarnings(True)
    try:
        with _logging_to(handler, ""), redirect_stdout(handler.stream), redirect_stderr(handler.stream):
            yield
    finally:
        logging.captureWarnings(False)
        handler.close()


@contextmanager
def log_to_stderr(name: str) -> Iterator[None]:
    """Show the messages of the logger of this name on stderr, one line each."""
    with _logging_to(logging.StreamHandler(), name):
        yield


@contextmanager
def _logging_to(handler: logging.Handler, name: str) -> Iterator[None]:
    """Give messages from INFO upwards of the logger of this name (empty: all loggers) to a handler."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
