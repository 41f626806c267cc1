"""Step `relax`: to zero force and, with the cell, zero stress."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import RELAXATION_STEPS, Result, Step
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity


class Relax(Step):
    """Relax a state to its inherent structure; its energy is compared with elements and crystal."""

    kind: Literal["relax"] = "relax"
    relax_cell: bool = True
    """Whether the cell relaxes too, to zero stress."""

    def force_calls(self, timestep_fs: float) -> int:
        """One relaxation."""
        return RELAXATION_STEPS

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """One relaxation."""
        yield f"one relaxation{' with the cell' if self.relax_cell else ''}"


class RelaxResult(Result):
    """A relaxed structure: density, and energy above the elements and above the crystal."""

    kind: Literal["relax"] = "relax"
    density_g_cm3: float | None = None
    formation_energy_ev_per_atom: float | None = None
    """None, as is `above_crystal_ev_per_atom`, where the structure has crystallised."""
    above_crystal_ev_per_atom: float | None = None
    order: Crystallinity | None = None
    relaxation: Relaxation | None = None

    columns: ClassVar = (
        Column("density", "g_cm3", "density_g_cm3", "density", "g/cm³"),
        Column("formation_energy", "ev_per_atom", "formation_energy_ev_per_atom", "formation energy", "eV/atom"),
        Column("above_crystal", "ev_per_atom", "above_crystal_ev_per_atom", "above the crystal", "eV/atom"),
        Column("crystallinity", "", "order.crystallinity", "crystallinity", ""),
    )

    @property
    def measured_order(self) -> Crystallinity | None:
        """That of the relaxed structure."""
        return self.order

    @property
    def shown_state(self) -> State | None:
        """The relaxed structure, also where it has crystallised."""
        relaxation = self.relaxation
        return relaxation.state if relaxation is not None and relaxation.status == "converged" else None

    @property
    def final(self) -> State | None:
        """The relaxed structure."""
        return self.relaxation.state if self.relaxation is not None and self.status == "completed" else None
