"""The command line: `tachylite run Li3PO4` and what goes with it."""

from tachylite.cli.app import main

__all__ = ["main"]
