"""Requests to an engine and the runs it answers with."""

import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
from ase import Atoms
from pydantic import Field, model_validator
from pymatgen.core import Composition, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.base import Document, Provenance

type Vectors = list[Annotated[list[float], Field(min_length=3, max_length=3)]]


def reduced_formula(counts: Mapping[str, int]) -> str:
    """The smallest whole formula, like Li3PO4, as pymatgen and the Materials Project write it."""
    return _reduced_formula(tuple(counts.items()))


@lru_cache(maxsize=65536)
def _reduced_formula(counts: tuple[tuple[str, int], ...]) -> str:
    with warnings.catch_warnings():
        # pymatgen orders elements by electronegativity and warns that noble gases have none
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")
        return str(Composition(dict(counts)).reduced_formula)


class State(FrozenModel):
    """Atoms at one instant: enough to look at and, with velocities, to go on from.

    Positions are Cartesian in A and not wrapped into the cell; `cell` holds the lattice vectors as rows
    in A; velocities are in A/fs.
    """

    numbers: list[int] = Field(min_length=1)
    positions: Vectors
    cell: Vectors
    velocities: Vectors | None = None

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        lengths = {len(self.numbers), len(self.positions)}
        if self.velocities is not None:
            lengths.add(len(self.velocities))
        if len(lengths) > 1:
            raise ValueError(f"numbers, positions and velocities differ in length: {sorted(lengths)}")
        if len(self.cell) != 3:
            raise ValueError(f"the cell has {len(self.cell)} vectors instead of 3")
        return self

    @classmethod
    def from_atoms(cls, atoms: Atoms) -> Self:
        """Take numbers, positions and cell of ASE atoms; their velocities are left behind."""
        return cls(numbers=atoms.numbers.tolist(), positions=atoms.positions.tolist(), cell=atoms.cell.array.tolist())

    @classmethod
    def from_structure(cls, structure: Structure) -> Self:
        """Take numbers, positions and cell of a pymatgen structure."""
        return cls(
            numbers=list(structure.atomic_numbers),
            positions=structure.cart_coords.tolist(),
            cell=structure.lattice.matrix.tolist(),
        )

    @property
    def atoms(self) -> Atoms:
        """As ASE atoms, periodic, without velocities."""
        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=True)

    @property
    def structure(self) -> Structure:
        """As a pymatgen structure."""
        return AseAtomsAdaptor.get_structure(self.atoms)

    @property
    def volume_a3(self) -> float:
        """Volume of the cell in A^3."""
        return float(abs(np.linalg.det(np.asarray(self.cell))))

    @property
    def formula(self) -> str:
        """Reduced formula, like Li3PO4."""
        symbols = self.atoms.get_chemical_symbols()
        return reduced_formula({symbol: symbols.count(symbol) for symbol in set(symbols)})

    @property
    def elements(self) -> list[str]:
        """Element symbols in alphabetical order."""
        return sorted(set(self.atoms.get_chemical_symbols()))

    def scaled_to(self, volume_a3: float) -> "State":
        """Scale cell and positions to a volume (A^3); velocities stay."""
        factor = (volume_a3 / self.volume_a3) ** (1 / 3)
        return self.model_copy(
            update={
                "positions": (np.asarray(self.positions) * factor).tolist(),
                "cell": (np.asarray(self.cell) * factor).tolist(),
            }
        )

    def lengthened_to(self, volume_a3: float) -> "State":
        """Stretch cell and positions to a volume (A^3) along the normal of the first two vectors; velocities stay."""
        cell = np.asarray(self.cell)
        normal = np.cross(cell[0], cell[1])
        normal /= np.linalg.norm(normal)
        stretch = np.eye(3) + (volume_a3 / self.volume_a3 - 1) * np.outer(normal, normal)
        longer = [*self.cell[:2], (cell[2] @ stretch).tolist()]
        return self.model_copy(update={"positions": (np.asarray(self.positions) @ stretch).tolist(), "cell": longer})


type CellShape = Literal["isotropic", "free", "normal"]
"""How a cell changes: it keeps its shape, or is free, or only its height changes, normal to the first two vectors."""


class Segment(FrozenModel):
    """One stretch of molecular dynamics at a temperature, or along a linear ramp that includes both ends."""

    steps: int = Field(gt=0)
    temperature_k: float = Field(gt=0)
    end_temperature_k: float | None = Field(default=None, gt=0)
    thermostat: Literal["nose-hoover", "langevin", "none"] = "nose-hoover"
    """At constant volume; at constant pressure it is that of the engine's barostat."""
    pressure_gpa: float | None = None
    """Total pressure to hold; None for constant volume."""
    cell: CellShape | None = None
    """At constant pressure; None is isotropic."""
    timestep_fs: float = Field(default=2.0, gt=0)
    record_every: int = Field(default=0, ge=0)
    """Steps between recorded frames; 0 records none."""

    def temperature_at(self, step: int) -> float:
        """Target temperature in K at a step from 0 to `steps - 1`; a ramp has its ends at those two."""
        if self.end_temperature_k is None or self.steps == 1:
            return self.temperature_k if self.end_temperature_k is None else self.end_temperature_k
        fraction = step / (self.steps - 1)
        return self.temperature_k + fraction * (self.end_temperature_k - self.temperature_k)


class Request(FrozenModel):
    """What an engine is asked for: a state and the segments to run from it, one after the other."""

    label: str
    state: State
    segments: list[Segment] = Field(min_length=1)
    seed: int
    """Starts the stochastic thermostat and, where the state has no velocities, draws them."""
    record_forces: bool = False
    """Whether recorded frames also hold forces, energies and stresses."""

    @property
    def constant_volume(self) -> bool:
        """Whether the cell stays as it is."""
        return all(segment.pressure_gpa is None for segment in self.segments)


class SegmentResult(FrozenModel):
    """Averages over the equilibrated part of one segment; errors by blocking."""

    segment: Segment
    equilibration_steps: int
    temperature_k: Measured
    energy_ev_per_atom: Measured
    """Potential energy."""
    pressure_total_gpa: Measured
    """Virial plus kinetic part."""
    pressure_virial_gpa: Measured
    """Virial alone, as VASP prints it."""
    energy_drift: float
    """Relative difference of the potential energy per atom between the halves of the segment."""
    volume_a3: Measured | None = None
    """At constant pressure."""
    enthalpy_ev_per_atom: Measured | None = None
    """At constant pressure: potential energy, kinetic energy, and the pressure that is held times the volume."""


class Run(Document):
    """One stretch of molecular dynamics and what it gave."""

    kind: Literal["run"] = "run"
    label: str
    status: Literal["completed", "failed"]
    reason: str | None = None
    formula: str
    n_atoms: int
    volume_a3: float
    """At the start."""
    steps: int
    """Steps done, over all segments."""
    segments: list[SegmentResult]
    final: State
    """Last state, or the last good one of a run that failed."""
    trajectory_id: str | None = None
    """SHA-256 of the trajectory in the blob store."""
    wall_time_s: float
    stated_force_error_ev_a: float | None = None
    """Root mean square error of forces along the run, as the committee of the potential states it, where it has one."""
    provenance: Provenance

    @property
    def last(self) -> SegmentResult:
        """The result of the last segment."""
        return self.segments[-1]
