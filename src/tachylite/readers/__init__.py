"""Trajectories of other programs, and our own, in blocks of frames: checked, unwrapped, with their times."""

from tachylite.readers.frames import Block, Frame, TrajectoryReader
from tachylite.readers.opening import open_trajectory, read_trajectory

__all__ = ["Block", "Frame", "TrajectoryReader", "open_trajectory", "read_trajectory"]
