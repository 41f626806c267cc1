"""Convex hulls of energy: the stable phases of a chemical system, and energies relative to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition

if TYPE_CHECKING:
    from pymatgen.analysis.phase_diagram import PhaseDiagram


@dataclass(frozen=True)
class Phase:
    """A crystal (or a molecule, for a gas): its composition, energy and volume."""

    name: str
    counts: Mapping[str, float]
    energy_ev_per_atom: float
    volume_a3_per_atom: float

    @property
    def formula(self) -> str:
        """Reduced."""
        return self._composition.reduced_formula

    @property
    def _composition(self) -> Composition:
        return Composition(self.counts)


@dataclass(frozen=True)
class Hull:
    """The phases of one chemical system, every element among them; all energies by one method.

    Raises ValueError where an element has no phase.
    """

    phases: Sequence[Phase]

    @cached_property
    def _diagram(self) -> "PhaseDiagram":
        # two seconds to import, and most jobs need none
        from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram

        entries = [
            PDEntry(Composition(p.counts), p.energy_ev_per_atom * sum(p.counts.values()), name=str(i))
            for i, p in enumerate(self.phases)
        ]
        return PhaseDiagram(entries)

    def formation_energy(self, counts: Mapping[str, float], energy_ev_per_atom: float) -> float:
        """Energy in eV/atom above the elements."""
        elements = self._diagram.el_refs
        of_elements = sum(n * elements[element].energy_per_atom for element, n in Composition(counts).items())
        return float(energy_ev_per_atom - of_elements / sum(counts.values()))

    def energy(self, counts: Mapping[str, float]) -> float:
        """Energy in eV/atom of the stable phases at a composition."""
        return float(self._diagram.get_hull_energy_per_atom(Composition(counts)))

    def stable_phases(self, counts: Mapping[str, float]) -> list[tuple[Phase, float]]:
        """What is stable at a composition, each phase with its fraction of the atoms, the largest first."""
        decomposition = self._diagram.get_decomposition(Composition(counts))
        shares = [(self._phase_of(entry), float(share)) for entry, share in decomposition.items()]
        return sorted(shares, key=lambda pair: -pair[1])

    def volume(self, counts: Mapping[str, float]) -> float:
        """Volume in A^3 per atom of the stable phases at a composition."""
        return sum(share * phase.volume_a3_per_atom for phase, share in self.stable_phases(counts))

    @property
    def vertices(self) -> list[Phase]:
        """The stable phases of the system."""
        return [self._phase_of(entry) for entry in self._diagram.stable_entries]

    def _phase_of(self, entry: Any) -> Phase:
        return self.phases[int(entry.name)]
