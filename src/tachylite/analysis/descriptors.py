"""Descriptors of the states of a material: means over the trajectory of each."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tachylite.descriptors import compute_descriptors
from tachylite.descriptors.averages import DescriptorValues
from tachylite.descriptors.registry import Convention
from tachylite.errors import InputError
from tachylite.schemas import Material, Trajectory
from tachylite.schemas.descriptors import StateDescriptors
from tachylite.schemas.steps.hold import HoldResult

MAX_FRAMES = 100
"""Of a trajectory; more are correlated."""

TRAJECTORY_FIELDS = ("results.kind", "results.run.trajectory_id")
"""Fields of the document of a material that `trajectory_ids_of` reads."""

SOURCES = (
    "analysis/descriptors.py",
    "descriptors",
    "arrays.py",
    "errors.py",
    "measured.py",
    "units.py",
    "physics/data",
    "physics/elements.py",
    "physics/frames.py",
    "physics/neighbors.py",
    "physics/statistics.py",
    "physics/volume.py",
)
"""Files and folders of the package that the values of descriptors follow from."""


def states_of(material: Material) -> list[HoldResult]:
    """States of a material that were held at a temperature, in the order of its steps."""
    return material.of_kind(HoldResult)


def trajectory_ids_of(output: Mapping[str, Any]) -> list[str]:
    """SHA-256 of the trajectories of the states of a material, from the `TRAJECTORY_FIELDS` of its document."""
    states = [result for result in output["results"] if result["kind"] == "hold"]
    ids = [(state.get("run") or {}).get("trajectory_id") for state in states]
    return [trajectory_id for trajectory_id in ids if trajectory_id is not None]


def compute_state_descriptors(
    state: HoldResult, trajectory: Trajectory | None, species: str, convention: Convention
) -> StateDescriptors:
    """Compute the descriptors of a state, or give the reason why it has none.

    They are means over at most 100 frames of its trajectory where that is at hand, else those of its last frame.
    """
    fields = {
        "trajectory_id": None if trajectory is None else trajectory.sha256,
        "formula": state.formula,
        "temperature_k": state.temperature_k,
    }
    try:
        descriptors = _average_over_run(state, trajectory, species, convention)
    except InputError as error:
        return StateDescriptors(**fields, reason=str(error))
    errors = {name: estimate.error for name, estimate in descriptors.values.items()}
    return StateDescriptors(
        **fields,
        n_frames=descriptors.n_frames,
        values=descriptors.means,
        errors={name: error if math.isfinite(error) else None for name, error in errors.items()},
    )


def _average_over_run(
    state: HoldResult, trajectory: Trajectory | None, species: str, convention: Convention
) -> DescriptorValues:
    run = state.run
    if run is None or run.status == "failed":
        raise InputError(state.reason or "there is no run to describe")
    if trajectory is None:
        last = run.final
        return compute_descriptors([last.positions], last.cell, last.numbers, species, convention=convention)
    spaced = slice(None, None, -(-trajectory.n_frames // MAX_FRAMES))
    return compute_descriptors(
        trajectory.positions[spaced], trajectory.cells[spaced], trajectory.numbers, species, convention=convention
    )


@cache
def descriptor_fingerprint() -> str:
    """SHA-256 of the code, definitions and data that descriptors are computed with.

    Stored descriptors with the same fingerprint need not be computed again. It changes with every edit of `SOURCES`,
    and neither with the version of the package nor with the place where it is installed.
    """
    return fingerprint_of_sources(files("tachylite"))


def fingerprint_of_sources(package: Traversable) -> str:
    """SHA-256 of the `SOURCES` in the folder of a package, in hexadecimal; line ends do not count."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for name, file in _files(package.joinpath(*source.split("/")), source):
            content = file.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(source: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    """A file, or the code and data in a folder in the order of their names."""
    if source.is_file():
        yield name, source
        return
    for inner in sorted(source.iterdir(), key=lambda inner: inner.name):
        if inner.name.endswith((".py", ".json")) or (inner.is_dir() and inner.name != "__pycache__"):
            yield from _files(inner, f"{name}/{inner.name}")
