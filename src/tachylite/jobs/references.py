"""References of energies: elements and crystals relaxed with the engine of a cohort, and energies above them."""

from collections import Counter
from collections.abc import Sequence

from jobflow import Flow, Response, job
from pymatgen.core import Structure

from tachylite.jobs.engine import EngineLike, Relaxed, relax
from tachylite.physics.elements import reference_crystal
from tachylite.physics.thermodynamics.energies import formation_energy
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import References, Relaxation


@job
def relax_references(
    engine: EngineLike,
    starts: Sequence[Structure | State],
    crystals: Sequence[Structure | None],
    added_elements: Sequence[str] = (),
) -> References | Response[None]:
    """Relax the elements of a cohort, each in its ground state, and the crystals given for its members.

    `added_elements` are those that its protocol brings in.
    The answers are kept: another campaign with the same elements does not compute them again.
    """
    states = [State.from_structure(s) if isinstance(s, Structure) else s for s in starts]
    elements = sorted({*added_elements, *(symbol for state in states for symbol in state.elements)})
    known = [State.from_structure(c) for c in crystals if c is not None]
    wanted = {f"element {e}": _element(e) for e in elements}
    wanted |= {f"crystal {s.formula} {i}": s for i, s in enumerate(known)}
    relaxed, jobs = relax(engine, list(wanted.values()), relax_cell=True, labels=list(wanted), shared=True)
    if jobs:
        gathering = gather_references(elements, relaxed, crystals)
        return Response(replace=Flow([*jobs, gathering], output=gathering.output))
    return _references(elements, relaxed, crystals)


@job
def gather_references(
    elements: Sequence[str], relaxed: Sequence[Relaxation], crystals: Sequence[Structure | None]
) -> References:
    """Gather what jobs of their own relaxed."""
    return _references(elements, relaxed, crystals)


def _references(
    elements: Sequence[str], relaxed: Sequence[Relaxed], crystals: Sequence[Structure | None]
) -> References:
    in_order = iter(relaxed)
    return References(
        elements={e: next(in_order) for e in elements},
        crystals=[next(in_order) if c is not None else None for c in crystals],
    )


def reference_energies(references: References | None, level: Provenance | None = None) -> dict[str, float]:
    """Energies per atom, in eV, of the elements that are relaxed, at a level of theory where one is given."""
    elements = references.elements if references is not None else {}
    return {
        symbol: r.energy_ev_per_atom
        for symbol, r in elements.items()
        if r.status == "converged" and (level is None or level.is_comparable_with(r.provenance))
    }


def formation_energy_of(relaxation: Relaxation, references: References | None) -> float | None:
    """Formation energy in eV/atom; None where the structure or one of its elements is not relaxed.

    Elements of another level of theory (another engine, weights, functional or settings) count as not relaxed.
    """
    known = reference_energies(references, relaxation.provenance)
    if relaxation.status == "failed" or not set(relaxation.state.elements) <= set(known):
        return None
    symbols = relaxation.state.atoms.get_chemical_symbols()
    return formation_energy(relaxation.energy_ev_per_atom, Counter(symbols), known)


def above_crystal(energy_ev_per_atom: float, references: References | None, member: int) -> float | None:
    """Energy in eV/atom above the crystal given for a member of the cohort; None where none was, or did not relax."""
    crystal = references.crystals[member] if references is not None else None
    if crystal is None or crystal.status == "failed":
        return None
    return energy_ev_per_atom - crystal.energy_ev_per_atom


def _element(symbol: str) -> State:
    crystal = reference_crystal(symbol)
    return State(numbers=crystal.numbers.tolist(), positions=crystal.positions.tolist(), cell=crystal.cell.tolist())
