"""Step `compress`: the equation of state of a relaxed structure, squeezed and stretched at 0 K."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import RELAXATION_STEPS, STATE_BYTES, Result, Step
from tachylite.schemas.steps.columns import Column


class Compress(Step):
    """Change the volume of a relaxed structure evenly in all directions; its atoms relax at every volume."""

    kind: Literal["compress"] = "compress"
    fractions: Annotated[list[Annotated[float, Field(gt=0.5, lt=2)]], Field(min_length=4)] = [
        0.94,
        0.96,
        0.98,
        1.0,
        1.02,
        1.04,
    ]
    """Volumes over that of the structure; a fit of three parameters needs four for its errors."""

    def force_calls(self, timestep_fs: float) -> int:
        """At every volume the atoms relax a little."""
        return len(self.fractions) * RELAXATION_STEPS // 4

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """So many relaxations."""
        yield f"{len(self.fractions)} relaxations in fixed cells"

    def document_bytes(self, n_atoms: int) -> int:
        """A state for each volume."""
        return len(self.fractions) * STATE_BYTES * n_atoms


class CompressionPoint(FrozenModel):
    """A structure relaxed at one volume."""

    volume_a3: float
    pressure_gpa: float
    energy_ev_per_atom: float


class CompressResult(Result):
    """Birch-Murnaghan equation of state at 0 K, fitted to the pressures of atoms relaxed at several volumes."""

    kind: Literal["compress"] = "compress"
    volume_a3: Measured | None = None
    """Of zero pressure."""
    bulk_modulus_gpa: Measured | None = None
    bulk_modulus_derivative: Measured | None = None
    points: list[CompressionPoint] = []
    state: State | None = None
    """The structure that was compressed."""

    columns: ClassVar = (
        Column("volume", "a3", "volume_a3", "V", "Å³/atom", "error", per_atom=True),
        Column("bulk_modulus", "gpa", "bulk_modulus_gpa", "K", "GPa", "error"),
        Column("bulk_modulus_derivative", "", "bulk_modulus_derivative", "K′", "", "error", key=False),
    )

    @property
    def final(self) -> State | None:
        """The structure at the volume that it came with."""
        return self.state if self.status == "completed" else None
