"""Crystals (and molecules, of gases) that energies of a chemical system are compared with."""

from hashlib import sha256
from typing import Literal

from tachylite.measured import FrozenModel
from tachylite.physics.elements import reference_crystal
from tachylite.physics.thermodynamics.hull import Phase
from tachylite.schemas.base import Document
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import State

LARGEST_VOLUME_CHANGE = 1.5
"""Factor by which the volume of a crystal may change while it relaxes, and still be that crystal."""


class CandidatePhase(FrozenModel):
    """A crystal that may be stable, as it is known from elsewhere."""

    source: str
    """Its mp-id, file, or `element Li`."""
    state: State
    is_molecule: bool = False
    """An isolated molecule in a large cell, which does not relax."""

    @property
    def fingerprint(self) -> str:
        """The same for the same structure, whatever its source is called."""
        return sha256(self.state.model_dump_json().encode()).hexdigest()[:24]


class RelaxedPhase(Document):
    """A crystal relaxed with an engine."""

    kind: Literal["phase"] = "phase"
    source: str
    fingerprint: str
    """That of the candidate."""
    is_molecule: bool
    status: Literal["completed", "failed"]
    reason: str | None
    elements: list[str]
    relaxation: Relaxation

    @classmethod
    def of(cls, candidate: CandidatePhase, relaxation: Relaxation) -> "RelaxedPhase":
        """What a relaxation made of a candidate; failed where it made something else of it."""
        reason = relaxation.reason
        change = relaxation.state.volume_a3 / candidate.state.volume_a3
        if reason is None and max(change, 1 / change) > LARGEST_VOLUME_CHANGE:
            reason = f"is another structure after relaxation: its volume changed by a factor of {change:.2f}"
        return cls(
            source=candidate.source,
            fingerprint=candidate.fingerprint,
            is_molecule=candidate.is_molecule,
            status="completed" if reason is None else "failed",
            reason=reason,
            elements=candidate.state.elements,
            relaxation=relaxation,
        )

    @property
    def phase(self) -> Phase:
        """As convex hulls take it."""
        state = self.relaxation.state
        symbols = state.atoms.get_chemical_symbols()
        volume = state.volume_a3 / len(state.numbers)
        if self.is_molecule:  # whose cell is empty: its solid is what a dense phase would hold
            volume = reference_crystal(self.elements[0]).volume_a3_per_atom
        return Phase(
            name=self.source,
            counts={symbol: symbols.count(symbol) for symbol in self.elements},
            energy_ev_per_atom=self.relaxation.energy_ev_per_atom,
            volume_a3_per_atom=volume,
        )
