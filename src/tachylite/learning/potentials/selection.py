"""Which frames a potential learns from: sound ones, each new, of one level of theory."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from ase.data import covalent_radii

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.neighbors import find_neighbors
from tachylite.schemas.evaluation import LabelledFrame
from tachylite.schemas.potential import LeftOut

_LARGEST_FORCE_EV_A = 100.0
_CLOSEST = 0.5
"""Distance of two atoms over the sum of their covalent radii, nearer than which no sound simulation brings them."""

_FORGOTTEN = 1 / np.e
"""Correlation of forces below which frames count as independent."""

_SAME_PLACE_A = 0.02
"""Root mean square distance of the atoms of two frames that count as one."""
_SAME_ENERGY_EV = 2e-3
"""Difference per atom beyond which they are not compared."""


def select_frames(frames: Sequence[LabelledFrame], at_most: int | None = None) -> tuple[list[LabelledFrame], LeftOut]:
    """Leave out unphysical frames, those that hardly differ from the one before, copies, and what exceeds a number.

    Frames stay in their order. Raises InputError where none is left.
    """
    sound = [frame for frame in frames if is_physical(frame)]
    independent = [frame for run in runs_of(sound) for frame in thin(run)]
    unique = without_duplicates(independent)
    chosen = unique
    if at_most is not None and at_most < len(unique):
        chosen = [unique[i] for i in np.linspace(0, len(unique) - 1, at_most).round().astype(int)]
    if not chosen:
        raise InputError(f"none of {len(frames)} frames is sound: atoms on top of each other, or forces above 100 eV/A")
    return chosen, LeftOut(
        unphysical=len(frames) - len(sound),
        correlated=len(sound) - len(independent),
        duplicates=len(independent) - len(unique),
        beyond_limit=len(unique) - len(chosen),
    )


def common_level(frames: Sequence[LabelledFrame]) -> str:
    """Level of theory of all labels in words; InputError, with both, where there are two."""
    levels = sorted({frame.level or "one that is not stated" for frame in frames})
    if len(levels) > 1:
        raise InputError(
            f"the frames have labels of {len(levels)} levels of theory ({levels[0]}; {levels[1]}); "
            "a potential learns from one: choose frames of one, in a store with --engine"
        )
    return levels[0]


def is_physical(frame: LabelledFrame) -> bool:
    """Whether no two atoms are nearly on top of each other, and no force is above 100 eV/A."""
    forces = np.linalg.norm(frame.label.forces_ev_a, axis=1)
    if not (np.isfinite(frame.label.energy_ev) and forces.max() <= _LARGEST_FORCE_EV_A):
        return False
    numbers = np.array(frame.state.numbers)
    radii = covalent_radii[numbers]
    pairs = find_neighbors(np.array(frame.state.positions), np.array(frame.state.cell), 2 * _CLOSEST * radii.max())
    distances = np.linalg.norm(pairs.vectors_a, axis=1)
    return bool((distances >= _CLOSEST * (radii[pairs.first] + radii[pairs.second])).all())


def runs_of(frames: Sequence[LabelledFrame]) -> list[list[LabelledFrame]]:
    """Frames that follow each other in one trajectory of the same atoms."""
    return [list(run) for _, run in groupby(frames, key=lambda frame: (frame.trajectory, frame.state.numbers))]


def thin(run: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    r"""Every n-th frame of a run, with n the first lag at which forces have forgotten what they were.

    $$ C_n = \langle F(t) \cdot F(t + n) \rangle / \langle F(t)^2 \rangle < 1 / e $$

    | symbol | meaning |
    |---|---|
    | F(t) | forces on all atoms of frame t |
    """
    forces = np.array([frame.label.forces_ev_a.ravel() for frame in run])
    squares = (forces**2).sum(axis=1).mean()
    for lag in range(1, len(run) // 2):
        if (forces[lag:] * forces[:-lag]).sum(axis=1).mean() < _FORGOTTEN * squares:
            return list(run[::lag])
    return list(run[:: max(1, len(run) // 2)])


def without_duplicates(frames: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    """The frames without those whose atoms are where they are in an earlier one, within 0.02 A."""
    by_atoms: dict[tuple[int, ...], list[int]] = {}
    for index, frame in enumerate(frames):
        by_atoms.setdefault(tuple(frame.state.numbers), []).append(index)
    dropped: set[int] = set()
    for own in by_atoms.values():
        energies = {i: frames[i].label.energy_ev / len(frames[i].state.numbers) for i in own}
        ordered = sorted(own, key=lambda i: energies[i])
        for place, i in enumerate(ordered):
            for j in ordered[place + 1 :]:
                if energies[j] - energies[i] > _SAME_ENERGY_EV:
                    break
                if not dropped & {i, j} and _distance_a(frames[i], frames[j]) < _SAME_PLACE_A:
                    dropped.add(max(i, j))
    return [frame for index, frame in enumerate(frames) if index not in dropped]


def _distance_a(a: LabelledFrame, b: LabelledFrame) -> float:
    """Root mean square distance of the atoms of two frames, of nearest images; infinite where the cells differ."""
    cell_a, cell_b = (np.array(frame.state.cell) for frame in (a, b))
    if np.abs(cell_a - cell_b).max() > _SAME_PLACE_A:
        return float("inf")
    difference: Array = (np.array(a.state.positions) - np.array(b.state.positions)) @ np.linalg.inv(cell_a)
    difference = (difference - np.round(difference)) @ cell_a
    return float(np.sqrt((difference**2).sum(axis=1).mean()))
