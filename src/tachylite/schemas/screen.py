"""What a screen says of one composition."""

from typing import Literal

from tachylite.measured import FrozenModel


class StablePhase(FrozenModel):
    """A crystal (or molecule) on the convex hull of a system."""

    formula: str
    source: str
    fractions: dict[str, float]
    """Atomic, by element."""
    formation_energy_ev_per_atom: float


class CompositionRow(FrozenModel):
    """One sample of one composition: its energies beside those of elements and stable phases; a row of the table."""

    formula: str
    """As written, one name for all samples."""
    sample: int
    system: str
    """Like `Li-Si`."""
    chemistry: str
    """`oxides`, `silicides`, `alloys`, ..."""
    fractions: dict[str, float]
    """Atomic, by element."""
    material_id: str
    status: Literal["completed", "crystallised", "failed"]
    """Crystallised: it is no glass, and has an energy only where it was relaxed nevertheless."""
    reason: str | None = None
    """Why there is no energy."""
    repulsion: bool = False
    """Whether it was run again with a repulsion at short distances, since atoms came too close."""
    crystalline: bool | None = None
    n_atoms: int | None = None
    density_g_cm3: float | None = None
    energy_ev_per_atom: float | None = None
    formation_energy_ev_per_atom: float | None = None
    """Above the elements, relaxed with the same engine."""
    hull_ev_per_atom: float | None = None
    """Formation energy of the stable phases at this composition."""
    above_hull_ev_per_atom: float | None = None
    """None where no crystals of the system were given."""
    stable_phases: str | None = None
    """What is stable at this composition: `Li12Si7 + Si`."""
    check_engine: str | None = None
    """The second engine that has computed the same structure."""
    check_formation_energy_ev_per_atom: float | None = None
    """By the second engine, above its own elements."""
    check_relaxed_formation_energy_ev_per_atom: float | None = None
    """The same after it has relaxed the structure too."""

    @property
    def is_amorphous(self) -> bool:
        """Whether its energy is that of an amorphous solid."""
        return self.status == "completed" and self.energy_ev_per_atom is not None
