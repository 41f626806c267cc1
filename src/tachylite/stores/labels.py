"""Frames of stored runs with the energies and forces that an engine gave them, to learn a potential from."""

from collections.abc import Iterator
from typing import Unpack

import numpy as np
from jobflow import JobStore

from tachylite.schemas import Material, Trajectory
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.stores.queries import MaterialFilter, iter_materials
from tachylite.stores.runs import find_trajectory


def find_labelled_frames(
    store: JobStore, *, limit: int | None = None, **filters: Unpack[MaterialFilter]
) -> list[LabelledFrame]:
    """All frames of the runs of materials whose forces were kept, newest materials first, each run in its order."""
    materials = iter_materials(store, limit=limit, **filters)
    return [frame for material in materials for frame in _frames_of_material(material, store)]


def _frames_of_material(material: Material, store: JobStore) -> Iterator[LabelledFrame]:
    for name, trajectory in iter_trajectories(material, store):
        yield from label_frames(trajectory, name, material.provenance.level)


def iter_trajectories(material: Material, store: JobStore) -> Iterator[tuple[str, Trajectory]]:
    """The kept trajectories of a material in the order of its steps, each with a name of its own."""
    for result in material.results:
        for number, trajectory_id in enumerate(result.trajectory_ids):
            trajectory = find_trajectory(store, trajectory_id)
            if trajectory is not None:
                ending = f"-{number}" if number else ""
                yield f"{material.formula}-{material.material_id[:8]}-{result.name}{ending}", trajectory


def label_frames(trajectory: Trajectory, name: str, level: str) -> Iterator[LabelledFrame]:
    """The frames of a trajectory with their labels; none where it has no energies and forces."""
    energies, forces, stresses = trajectory.energies_ev, trajectory.forces, trajectory.stresses
    if energies is None or forces is None:
        return
    temperatures = trajectory.temperatures_k
    for index in range(trajectory.n_frames):
        temperature = float(temperatures[index])
        yield LabelledFrame(
            trajectory.frame(index),
            SinglePoint(float(energies[index]), forces[index], None if stresses is None else stresses[index]),
            trajectory=name,
            level=level,
            temperature_k=temperature if np.isfinite(temperature) else None,
        )
