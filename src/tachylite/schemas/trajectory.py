"""Compressed trajectories."""

from typing import Any

from monty.json import MSONable


class Trajectory(MSONable):
    """Placeholder, being written."""

    def __init__(self, h5md: Any) -> None:
        self.h5md = h5md
