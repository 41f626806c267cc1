"""What the page shows of ions put into a host."""

from tachylite.report.steps.ions import charts, rows, tables

__all__ = ["charts", "rows", "tables"]
