"""A chunk of molecular dynamics: the steps of one call of a program, and the state that the next one starts from."""

import io
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import Segment, State

RECORD = "chunk.npz"


@dataclass(frozen=True)
class Chunk:
    """The steps of one call of a program, which began at step `begin` of a segment."""

    segment: int
    begin: int
    final: State
    """State with velocities from which the next call starts."""
    energy_ev: Array
    kinetic_ev: Array
    virial_gpa: Array
    volume_a3: Array
    frame_steps: Array
    """Steps of the segment, counting from 1, at which frames were taken."""
    frames: Array
    """Unwrapped positions in A, (F, N, 3)."""
    frame_cells: Array
    """Lattice vectors as rows, in A, (F, 3, 3)."""
    frame_forces: Array
    """In eV/A, (F, N, 3)."""
    frame_stresses: Array
    """In eV/A^3, (F, 3, 3), tension positive."""
    repeats: bool = False
    """Whether `final` is the last step itself, so that the next call repeats it."""
    problem: str | None = None
    """Why the run cannot continue, in one line."""
    version: str = ""
    potcars: list[str] = field(default_factory=list)
    """Titles of VASP's pseudopotentials."""
    wall_time_s: float = 0.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.energy_ev)

    def save(self, folder: Path) -> None:
        """Write the chunk to its folder; one with a problem without its steps, which cannot be continued."""
        stored = self if self.problem is None else self._without_steps()
        arrays = {name: getattr(stored, name) for name in _ARRAYS}
        fields = {name: getattr(stored, name) for name in _FIELDS} | {"final": stored.final.model_dump()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, words=np.array(json.dumps(fields)), **arrays)
        write_atomically(folder / RECORD, buffer.getbuffer())

    @classmethod
    def load(cls, folder: Path) -> "Chunk | None":
        """Read the chunk from its folder; None if it was not written."""
        if not (folder / RECORD).exists():
            return None
        with np.load(folder / RECORD) as saved:
            fields: dict[str, Any] = json.loads(str(saved["words"]))
            arrays = {name: saved[name] for name in _ARRAYS}
        return cls(**(fields | arrays | {"final": State.model_validate(fields["final"])}))

    def _without_steps(self) -> "Chunk":
        return replace(self, **{name: getattr(self, name)[:0] for name in _ARRAYS})


_ARRAYS = (
    *("energy_ev", "kinetic_ev", "virial_gpa", "volume_a3"),
    *("frame_steps", "frames", "frame_cells", "frame_forces", "frame_stresses"),
)
_FIELDS = ("segment", "begin", "repeats", "problem", "version", "potcars", "wall_time_s")


def recorded_steps(segment: Segment, begin: int, steps: int) -> NDArray[np.int64]:
    """Steps of a segment, counting from 1, at which frames are recorded, among the `steps` after `begin`."""
    counts = np.arange(begin + 1, begin + steps + 1)
    return counts[counts % segment.record_every == 0] if segment.record_every else counts[:0]
