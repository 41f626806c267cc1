"""Read trajectories of any program in blocks of frames, checked and unwrapped, with their times."""

from tachylite.readers.frames import Block, Frame, TrajectoryReader
from tachylite.readers.opening import open_trajectory, read_trajectory

__all__ = ["Block", "Frame", "TrajectoryReader", "open_trajectory", "read_trajectory"]
