"""Named descriptors of compositions and structures around a mobile species, with units and sources."""

from tachylite.descriptors.averages import DescriptorValues, average_descriptors, compute_descriptors
from tachylite.descriptors.composition import choose_anion, compute_composition_descriptors
from tachylite.descriptors.registry import DESCRIPTORS, Convention, Descriptor

__all__ = [
    "DESCRIPTORS",
    "Convention",
    "Descriptor",
    "DescriptorValues",
    "average_descriptors",
    "choose_anion",
    "compute_composition_descriptors",
    "compute_descriptors",
]
