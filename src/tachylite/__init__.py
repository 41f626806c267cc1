"""Amorphous materials by simulation, from a formula to a database and a model of it."""

__version__ = "0.1.0"
