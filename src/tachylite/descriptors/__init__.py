"""Named descriptors of compositions and structures around a mobile species, with units and sources."""

from tachylite.descriptors.composition import choose_anion, describe_composition
from tachylite.descriptors.registry import DESCRIPTORS, Convention, Descriptor
from tachylite.descriptors.table import Description, describe, describe_frames

__all__ = [
    "DESCRIPTORS",
    "Convention",
    "Description",
    "Descriptor",
    "choose_anion",
    "describe",
    "describe_composition",
    "describe_frames",
]
