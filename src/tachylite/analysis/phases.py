"""Convex hulls from relaxed phases."""

from collections.abc import Collection, Sequence

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.hull import Hull
from tachylite.schemas.phases import RelaxedPhase


def hull_of(phases: Sequence[RelaxedPhase], elements: Collection[str]) -> Hull:
    """The hull of a chemical system, from those phases that have none but its elements.

    An element that is a diatomic gas counts as its molecule, whatever crystals of it there are. Raises InputError where
    an element has no phase that relaxed.
    """
    system = frozenset(elements)
    own = [phase for phase in phases if phase.status == "completed" and system.issuperset(phase.elements)]
    gases = {phase.elements[0] for phase in own if phase.is_molecule}
    own = [phase for phase in own if phase.is_molecule or not (len(phase.elements) == 1 and phase.elements[0] in gases)]
    missing = system.difference(*(phase.elements for phase in own if len(phase.elements) == 1))
    if missing:
        failed = {p.elements[0]: p.reason for p in phases if p.status == "failed" and len(p.elements) == 1}
        element = min(missing)
        raise InputError(
            f"no relaxed crystal of {element} to compare energies with: {failed.get(element, 'none given')}"
        )
    return Hull([phase.phase for phase in own])


class Hulls:
    """Hulls of several chemical systems from one set of phases, each made once."""

    def __init__(self, phases: Sequence[RelaxedPhase]) -> None:
        self._phases = phases
        self._hulls: dict[frozenset[str], Hull] = {}

    def of(self, elements: Collection[str]) -> Hull:
        """The hull of a system; raises InputError as `hull_of`."""
        system = frozenset(elements)
        if system not in self._hulls:
            self._hulls[system] = hull_of(self._phases, system)
        return self._hulls[system]

    @property
    def hold_crystals(self) -> bool:
        """Whether there are compounds among the phases."""
        return any(len(phase.elements) > 1 for phase in self._phases)
