"""Files of a material for download: document, structures, trajectories, tables."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.io import write
from pymatgen.io.cif import CifWriter

from tachylite.report.csv_tables import Columns, csv_text, glass_tables, structure_tables, transport_tables
from tachylite.report.drawing.scene import scene
from tachylite.report.pages.rendering import Download
from tachylite.report.pages.sections import final_states
from tachylite.report.text import heading, spaced
from tachylite.schemas import Material, Trajectory

_FRAMES_SHOWN = 150
"""Of a trajectory in the player."""

_KINDS = {
    "json": "application/json",
    "cif": "chemical/x-cif",
    "extxyz": "chemical/x-xyz",
    "h5md": "application/x-hdf5",
    "csv": "text/csv",
}


@dataclass(frozen=True)
class NamedFile:
    """A file to download."""

    name: str
    content: bytes

    @property
    def kind(self) -> str:
        """Its MIME type."""
        return _KINDS[self.name.rpartition(".")[2]]


def downloads_of(material: Material) -> list[Download]:
    """Links to every file of a material, relative to its page."""
    links = [("material.json", "document (JSON)")]
    for named in final_states(material):
        links += [(f"structure_{named.name}.{suffix}", f"{named.title} ({label})") for suffix, label in
                  (("cif", "CIF"), ("extxyz", "extxyz"))]  # fmt: skip
    for name, title, _ in named_trajectories(material):
        links += [(f"trajectory_{name}.h5md", f"{title} (H5MD)"), (f"trajectory_{name}.extxyz", f"{title} (extxyz)")]
    links += [(f"table_{name}.csv", f"{name.replace('_', ' ')} (CSV)") for name in tables_of(material)]
    return [Download(path, label, f"files/{path}") for path, label in links]


def file_of(material: Material, trajectories: Mapping[str, Trajectory], path: str) -> NamedFile | None:
    """A file by the name that `downloads_of` gives; None for another name, and for what the store does not hold."""
    name, _, suffix = path.rpartition(".")
    kind, _, name = name.partition("_")
    content: bytes | None = None
    if path == "material.json":
        content = material.model_dump_json(indent=1).encode()
    elif kind == "structure":
        content = _structure(material, name, suffix)
    elif kind == "trajectory":
        content = _trajectory(material, trajectories, name, suffix)
    elif kind == "table" and suffix == "csv" and name in (tables := tables_of(material)):
        content = csv_text(tables[name]).encode()
    return None if content is None else NamedFile(path, content)


def named_trajectories(material: Material) -> Iterator[tuple[str, str, str]]:
    """Name in files, title and id of every trajectory of a material."""
    for result in material.results:
        for number, identity in enumerate(result.trajectory_ids):
            yield f"{result.name}{f'-{number}' if number else ''}", heading(spaced(result.title)), identity


def tables_of(material: Material) -> dict[str, Columns]:
    """Tables of numbers behind the figures, by name."""
    tables: dict[str, Columns] = {}
    for result in material.results:
        own: dict[str, Columns] = {}
        if result.measured_structure is not None:
            own |= structure_tables(result.measured_structure)
        if result.measured_diffusivities:
            own |= transport_tables(result.measured_diffusivities)
        if (transition := getattr(result, "transition", None)) is not None:
            own |= glass_tables(transition)
        tables |= {f"{result.name}_{name}": columns for name, columns in own.items()}
    return tables


def player_data(trajectory: Trajectory) -> dict[str, Any]:
    """Frames of a trajectory for the viewer, evenly spaced, at most 150 of them; times in ps."""
    chosen = np.unique(
        np.linspace(0, trajectory.n_frames - 1, min(trajectory.n_frames, _FRAMES_SHOWN)).round().astype(int)
    )
    scenes = [scene(trajectory.frame(int(frame))) for frame in chosen]
    return scenes[0].as_data() | {
        "frames": [frame.moving_data() for frame in scenes],
        "times_ps": [round(float(trajectory.times_fs[frame]) / 1000, 6) for frame in chosen],
    }


def _structure(material: Material, name: str, suffix: str) -> bytes | None:
    state = next((named.state for named in final_states(material) if named.name == name), None)
    if state is None or suffix not in {"cif", "extxyz"}:
        return None
    return str(CifWriter(state.structure)).encode() if suffix == "cif" else _extxyz([state.atoms])


def _trajectory(material: Material, trajectories: Mapping[str, Trajectory], name: str, suffix: str) -> bytes | None:
    identity = next((identity for known, _, identity in named_trajectories(material) if known == name), None)
    trajectory = trajectories.get(identity or "")
    if trajectory is None or suffix not in {"h5md", "extxyz"}:
        return None
    return trajectory.h5md if suffix == "h5md" else _extxyz(trajectory.atoms())


def _extxyz(frames: Sequence[Any]) -> bytes:
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue().encode()
