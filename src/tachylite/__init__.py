"""Amorphous materials by simulation, from a formula to a database and a model of it."""

from importlib.metadata import version

__version__ = version("tachylite")
