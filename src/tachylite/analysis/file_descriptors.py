"""Descriptors of a structure or a trajectory in a file of any format."""

from pathlib import Path

from tachylite.descriptors import average_descriptors
from tachylite.descriptors.averages import DescriptorValues
from tachylite.descriptors.registry import Convention
from tachylite.errors import InputError
from tachylite.physics.frames import Frames
from tachylite.readers import open_trajectory


def compute_file_descriptors(file: Path, species: str, anion: str | None, convention: Convention) -> DescriptorValues:
    """Compute the descriptors of a file as means over its frames; InputError, naming the file, where that fails."""
    trajectory = open_trajectory(file)
    blocks = ((block.positions, block.cells) for block in trajectory.blocks(unwrap=False))
    try:
        return average_descriptors(Frames(trajectory.numbers, blocks), species, anion=anion, convention=convention)
    except InputError as error:
        message = str(error)
        raise InputError(message if str(file) in message else f"{file}: {message}") from None
