"""Descriptors of structures and trajectories: means over the frames, with errors."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.descriptors.atoms import assign_roles
from tachylite.descriptors.composition import compute_composition_descriptors
from tachylite.descriptors.registry import DESCRIPTORS, Convention
from tachylite.descriptors.structure import compute_frame_descriptors
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.statistics import Estimate, estimate_mean


@dataclass(frozen=True)
class DescriptorValues:
    """Every descriptor of a structure or trajectory with its standard error."""

    species: str
    """The mobile element, for which `Li` stands in the names of the descriptors."""
    anion: str
    counts: Mapping[str, int]
    """Atoms of each element, in alphabetical order."""
    convention: Convention
    n_frames: int
    values: Mapping[str, Estimate]
    """By name, in the order of the registry; those of the composition, ENS among them, have no error."""

    def __getitem__(self, name: str) -> Estimate:
        return self.values[name]

    @property
    def means(self) -> dict[str, float]:
        """Mean of every descriptor by name, in the units of the registry."""
        return {name: estimate.mean for name, estimate in self.values.items()}


def compute_descriptors(
    positions: ArrayLike,
    cells: ArrayLike,
    numbers: ArrayLike,
    species: str = "Li",
    *,
    anion: str | None = None,
    convention: Convention = "exact",
) -> DescriptorValues:
    """Compute all descriptors of a periodic structure, or their means over the frames of a trajectory.

    Takes positions (n_frames, n_atoms, 3) in A, cells (3, 3) or (n_frames, 3, 3) in A and atomic numbers (n_atoms,) as
    `tachylite.physics.frames.take_frames`, and the rest as `average_descriptors`, whose errors it raises.
    """
    frames = take_frames(positions, cells, numbers)
    return average_descriptors(frames, species, anion=anion, convention=convention)


def average_descriptors(
    frames: Frames, species: str = "Li", *, anion: str | None = None, convention: Convention = "exact"
) -> DescriptorValues:
    """Compute all descriptors as means over frames, which are gone through once.

    `species` is the mobile element; the anion is the most electronegative other element, unless another is
    named. Errors are standard errors by blocking, so that frames may be correlated; for a single frame, of
    which nothing is known but its own value, they are infinite.

    Raises InputError for a structure without the species or of nothing else, for frames without bonds and for
    elements without data, named with the property.
    """
    roles = assign_roles(frames.numbers, species, anion, convention)
    constant = compute_composition_descriptors(roles.counts, species, convention)
    rows = [compute_frame_descriptors(position, cell, roles, convention) for position, cell in frames]
    constant["ENS"] = constant["avg_X_wiout_Li"]
    estimates = {name: Estimate(value, 0.0, float(len(rows))) for name, value in constant.items()}
    estimates |= {name: estimate_mean([row[name] for row in rows]) for name in rows[0]}
    return DescriptorValues(
        species=species,
        anion=roles.symbols[int(np.argmax(roles.anion))],
        counts=roles.counts,
        convention=convention,
        n_frames=len(rows),
        values={name: estimates[name] for name in DESCRIPTORS},
    )
