"""Read trajectories of any program in blocks of frames, checked and unwrapped, with their times."""

from tachylite.readers.opening import open_trajectory, read_trajectory

__all__ = ["open_trajectory", "read_trajectory"]
