"""Tests of tachylite, in folders that mirror `src`.

A package, so that the folder of the same name that optimade installs does not stand in its place.
"""
