"""Named descriptors of compositions and structures around a mobile species, with units and sources."""

from tachylite.descriptors.averages import average_descriptors, compute_descriptors

__all__ = ["average_descriptors", "compute_descriptors"]
