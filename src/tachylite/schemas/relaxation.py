"""Relaxed structures, and those that energies are compared with."""

from typing import Literal

from tachylite.schemas.base import Document, Provenance
from tachylite.schemas.run import State, Vectors


class Relaxation(Document):
    """A structure relaxed to zero force (and, with the cell, zero stress), with its energy."""

    kind: Literal["relaxation"] = "relaxation"
    label: str
    status: Literal["converged", "failed"]
    reason: str | None = None
    formula: str
    n_atoms: int
    relax_cell: bool
    steps: int
    energy_ev_per_atom: float
    max_force_ev_a: float
    pressure_gpa: float
    stress_gpa: list[list[float]] | None = None
    """The static stress, tension positive, (3, 3)."""
    forces_ev_a: Vectors | None = None
    """Of the last calculation, (n_atoms, 3), where the engine keeps them."""
    state: State
    provenance: Provenance


class References(Document):
    """What formation energies of a cohort are measured against, relaxed with the same engine."""

    kind: Literal["references"] = "references"
    elements: dict[str, Relaxation]
    crystals: list[Relaxation | None]
    """Crystals given for the members, in the order of the cohort."""
