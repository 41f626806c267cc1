"""Descriptors of structures and trajectories: one row of a table, with errors."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tachylite.descriptors.atoms import assign_roles
from tachylite.descriptors.composition import describe_composition
from tachylite.descriptors.registry import DESCRIPTORS, Convention
from tachylite.descriptors.structure import describe_frame
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.statistics import Estimate, estimate_mean


@dataclass(frozen=True)
class Description:
    """One row: what was described, and every descriptor with its standard error."""

    species: str
    """The mobile one, for which `Li` stands in the names of the descriptors."""
    anion: str
    counts: Mapping[str, int]
    """Atoms of each element, in alphabetical order."""
    convention: Convention
    n_frames: int
    values: Mapping[str, Estimate]
    """By name, in the order of the registry; those of the composition, ENS among them, have no error."""

    def __getitem__(self, name: str) -> Estimate:
        return self.values[name]


def describe(
    positions: ArrayLike,
    cells: ArrayLike,
    numbers: ArrayLike,
    species: str = "Li",
    *,
    anion: str | None = None,
    convention: Convention = "exact",
) -> Description:
    """Compute all descriptors of a periodic structure, or their means over the frames of a trajectory.

    Takes positions (n_frames, n_atoms, 3), cells (3, 3) or (n_frames, 3, 3) and atomic numbers (n_atoms,) as
    `tachylite.physics.frames.take_frames`, and the rest as `describe_frames`, whose errors it raises.
    """
    frames = take_frames(positions, cells, numbers)
    return describe_frames(frames, species, anion=anion, convention=convention)


def describe_frames(
    frames: Frames, species: str = "Li", *, anion: str | None = None, convention: Convention = "exact"
) -> Description:
    """Compute all descriptors as means over frames, which are gone through once.

    `species` is the mobile element; the anion is the most electronegative other element, unless another is
    named. Errors are standard errors by blocking, so that frames may be correlated; for a single frame, of
    which nothing is known but its own value, they are infinite.

    Raises InputError for a structure without the species or of nothing else, for frames without bonds and for
    elements without data, named with the property.
    """
    roles = assign_roles(frames.numbers, species, anion, convention)
    constant = describe_composition(roles.counts, species, convention)
    rows = [describe_frame(position, cell, roles, convention) for position, cell in frames]
    constant["ENS"] = constant["avg_X_wiout_Li"]
    found = {name: Estimate(value, 0.0, float(len(rows))) for name, value in constant.items()}
    found |= {name: estimate_mean([row[name] for row in rows]) for name in rows[0]}
    return Description(
        species=species,
        anion=roles.symbols[int(np.argmax(roles.anion))],
        counts=roles.counts,
        convention=convention,
        n_frames=len(rows),
        values={name: found[name] for name in DESCRIPTORS},
    )
