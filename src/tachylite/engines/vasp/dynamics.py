"""Molecular dynamics of one member in chunks, each a call of VASP that continues the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tachylite.engines.chunked_run import ChunkedRun
from tachylite.engines.chunks import Chunk
from tachylite.engines.interruption import Interruption
from tachylite.engines.vasp.calling import CallContext, call_vasp, remove_potcars
from tachylite.engines.vasp.chunks import read_chunk
from tachylite.engines.vasp.inputs import write_inputs
from tachylite.errors import InputError
from tachylite.schemas import Provenance, Request, Segment, State

type MakeSet = Callable[[State, Segment, int, int], Any]
"""Makes the input set of a call of VASP from a state, a segment, its steps done and those to do."""


@dataclass(kw_only=True)
class VaspRun(ChunkedRun):
    """Molecular dynamics of one request as a sequence of calls of VASP, each a chunk of its steps."""

    make_set: MakeSet

    def next_set(self) -> Any:
        """Inputs of the next call of VASP."""
        index, begin = self.place
        segment = self.request.segments[index]
        return self.make_set(self._start(segment, begin), segment, begin, self.next_steps)

    def _call(self, folder: Path, interruption: Interruption) -> str | None:
        write_inputs(self.next_set(), folder)
        return call_vasp(folder, interruption, CallContext(self.request.label, self.done, self.total))

    def _read(self, folder: Path, error: str | None) -> Chunk:
        index, _ = place = self.place
        segment = self.request.segments[index]
        return read_chunk(folder, segment, place, self.state, repeated=self.repeated, error=error)

    def _read_killed(self, folder: Path) -> Chunk:
        remove_potcars(folder)
        return self._read(folder, None)

    def _with_program(self, provenance: Provenance, latest: Chunk) -> Provenance:
        return provenance.model_copy(
            update={
                "versions": provenance.versions | {"vasp": latest.version},
                "options": provenance.options | {"potcars": latest.potcars},
            }
        )


def check_request(request: Request) -> None:
    """Raise InputError for a left-handed cell, which VASP refuses and pymatgen inverts without the velocities.

    And for a cell that is to keep its shape at constant pressure, which no barostat of VASP does, or to change along
    its normal where that is not z, the direction that VASP can leave free.
    """
    if np.linalg.det(np.asarray(request.state.cell)) <= 0:
        raise InputError("the lattice vectors are left-handed; exchange two of them")
    shapes = {segment.cell or "isotropic" for segment in request.segments if segment.pressure_gpa is not None}
    if "isotropic" in shapes:
        raise InputError("VASP changes the shape of the cell at constant pressure; give the step 'cell: free'")
    cell = np.asarray(request.state.cell)
    if "normal" in shapes and (cell[2, :2].any() or cell[:2, 2].any()):
        raise InputError(
            "VASP changes a cell along z only; 'cell: normal' needs its third vector along z, as slabs have"
        )
