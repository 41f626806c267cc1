"""The phases of chemical systems, relaxed with an engine."""

from collections.abc import Sequence

from jobflow import Flow, Response, job

from tachylite.jobs.engine import EngineLike, Relaxed, relax
from tachylite.physics.elements import gas_molecule, reference_crystal
from tachylite.schemas import State
from tachylite.schemas.phases import CandidatePhase, RelaxedPhase
from tachylite.schemas.relaxation import Relaxation


def candidate_element(symbol: str) -> CandidatePhase:
    """The reference of an element: a molecule where it is a diatomic gas, else its crystal of lowest PBE energy."""
    molecule = gas_molecule(symbol)
    crystal = molecule or reference_crystal(symbol)
    state = State(numbers=crystal.numbers.tolist(), positions=crystal.positions.tolist(), cell=crystal.cell.tolist())
    source = f"element {symbol}" if molecule is None else f"molecule {symbol}2"
    return CandidatePhase(source=source, state=state, is_molecule=molecule is not None)


@job
def relax_phases(engine: EngineLike, candidates: Sequence[CandidatePhase]) -> list[RelaxedPhase] | Response[None]:
    """Relax crystals with their cells and molecules without, each once: the answers outlive the campaign."""
    relaxed: dict[int, Relaxed] = {}
    jobs = []
    for is_molecule in (False, True):
        chosen = [i for i, candidate in enumerate(candidates) if candidate.is_molecule == is_molecule]
        answers, relaxing = relax(
            engine,
            [candidates[i].state for i in chosen],
            relax_cell=not is_molecule,
            labels=[candidates[i].source for i in chosen],
            shared=True,
        )
        relaxed |= zip(chosen, answers, strict=True)
        jobs += relaxing
    in_order = [relaxed[i] for i in range(len(candidates))]
    if jobs:
        gathering = gather_phases(candidates, in_order)
        return Response(replace=Flow([*jobs, gathering], output=gathering.output))
    return _phases(candidates, in_order)


@job
def gather_phases(candidates: Sequence[CandidatePhase], relaxed: Sequence[Relaxation]) -> list[RelaxedPhase]:
    """Gather what jobs of their own relaxed."""
    return _phases(candidates, relaxed)


def _phases(candidates: Sequence[CandidatePhase], relaxed: Sequence[Relaxed]) -> list[RelaxedPhase]:
    return [
        RelaxedPhase.of(candidate, relaxation)
        for candidate, relaxation in zip(candidates, relaxed, strict=True)
        if isinstance(relaxation, Relaxation)
    ]
