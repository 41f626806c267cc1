"""Structures of a screen computed again with a second engine, and what the differences say."""

from typing import Literal

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.base import Document, Provenance


class EnergyCheck(Document):
    """One relaxed glass by a second engine: its energy as it is and, where asked for, relaxed."""

    kind: Literal["check"] = "check"
    material_id: str
    energy_ev_per_atom: float | None
    """As the first engine left it; None, with the reason, where it could not be computed."""
    relaxed_energy_ev_per_atom: float | None = None
    reason: str | None = None
    provenance: Provenance


class Difference(FrozenModel):
    """Formation energies of the first engine beside those of the second, of one kind of compound or of all."""

    chemistry: str
    """`all`, or the kind: `oxides`."""
    count: int
    mae_ev_per_atom: Measured
    """Mean absolute difference."""
    mean_ev_per_atom: Measured
    """First minus second engine."""
    mae_corrected_ev_per_atom: Measured | None = None
    """After an affine correction that was fitted to the other chemical systems."""


class CheckSummary(FrozenModel):
    """Differences by kind of compound, and the affine correction of all: second = offset + slope x first."""

    differences: list[Difference]
    offset_ev_per_atom: float | None = None
    slope: float | None = None
    """None for fewer than three chemical systems."""
