"""A host with its ions at one content: energy, volume, surroundings of the ions, and the host beside the first one."""

from collections.abc import Sequence
from math import inf

import numpy as np
from ase.data import atomic_numbers

from tachylite.analysis.structure import checked_to_be_solid
from tachylite.measured import Measured
from tachylite.physics.structure.hosts import compare_hosts, count_neighbors
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.steps.ions import IonStage


def without_ions(state: State, element: str) -> State:
    """The host alone: the atoms of all other elements, in their order."""
    atoms = state.atoms
    return State.from_atoms(atoms[atoms.numbers != atomic_numbers[element]])


def lowest(relaxations: Sequence[Relaxation]) -> Relaxation | None:
    """That of lowest energy among those of one composition that relaxed to a solid; None where none did."""
    solids = [relaxation for relaxation in map(checked_to_be_solid, relaxations) if relaxation.status == "converged"]
    return min(solids, key=lambda relaxation: relaxation.energy_ev_per_atom, default=None)


def measure_stage(
    relaxation: Relaxation, element: str, host_units: float, first_host: State, choices: Sequence[Relaxation]
) -> IonStage:
    """Measure a relaxed structure with ions of an element; `choices` are the relaxations that it was chosen from."""
    state = relaxation.state
    host = without_ions(state, element)
    before, now = ((np.array(part.positions), np.array(part.cell)) for part in (first_host, host))
    change = compare_hosts(np.array(host.numbers), before, now)
    neighbors = count_neighbors(np.array(state.numbers), np.array(state.positions), np.array(state.cell), element)
    error = float(neighbors.std(ddof=1)) / len(neighbors) ** 0.5 if len(neighbors) > 1 else inf
    relaxed = [c.energy_ev_per_atom * c.n_atoms for c in choices if c.status == "converged"]
    return IonStage(
        n_ions=len(neighbors),
        content=len(neighbors) / host_units,
        relaxation=relaxation.model_copy(update={"forces_ev_a": None}),
        candidates_ev=relaxed if len(choices) > 1 else [],
        coordination=Measured(value=float(neighbors.mean()), error=error) if len(neighbors) else None,
        displacement_a=change.displacement_a,
        bonds_kept=change.bonds_kept,
        bonds_new=change.bonds_new,
    )
