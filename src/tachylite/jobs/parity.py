"""Melts of published compositions: packing them, and scoring them against what was published."""

from collections.abc import Sequence

from jobflow import job

from tachylite.analysis.parity import failed, make_report, score_melt
from tachylite.engines.packmol import PackingError
from tachylite.errors import InputError
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.starts import pack_formula
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.schemas import Protocol, State, Trajectory
from tachylite.schemas.parity import ParityReference, ParityReport
from tachylite.schemas.steps.hold import HoldResult


@job
def pack_references(
    engine: EngineLike, references: Sequence[ParityReference], protocol: Protocol, seed: int
) -> dict[str, list[object]]:
    """Pack the composition of every reference, in as many atoms as it has; `states`, or None and its `reasons`."""
    states: list[object] = []
    reasons: list[object] = []
    for reference in references:
        try:
            states.append(_pack(engine, reference, protocol, seed))
            reasons.append(None)
        except (InputError, PackingError) as error:
            states.append(None)
            reasons.append(str(error))
    return {"states": states, "reasons": reasons}


def _pack(engine: EngineLike, reference: ParityReference, protocol: Protocol, seed: int) -> State:
    resolve_engine(engine).check_elements(list(parse_formula(reference.formula).amounts))
    return pack_formula(reference.formula, sized_for(reference, protocol), seed)


def sized_for(reference: ParityReference, protocol: Protocol) -> Protocol:
    """Give the protocol with the number of atoms of the reference, where that is known.

    Raises InputError where these atoms make no whole formula units.
    """
    if reference.n_atoms is None:
        return protocol
    possible = sum(atom_counts(parse_formula(reference.formula), reference.n_atoms).values())
    if possible != reference.n_atoms:
        raise InputError(
            f"{reference.n_atoms} atoms are no whole number of {reference.formula}; the nearest is {possible}"
        )
    return protocol.model_copy(update={"packing": protocol.packing.model_copy(update={"n_atoms": possible})})


@job
def score_melts(
    engine: EngineLike,
    protocol: Protocol,
    seed: int,
    references: Sequence[ParityReference],
    reasons: Sequence[str | None],
    melts: Sequence[HoldResult],
    trajectories: Sequence[Trajectory | None],
) -> ParityReport:
    """Score every melt by its reference; the report names what failed and why."""
    scores = [
        failed(reference.formula, reason) if reason is not None else score_melt(reference, melt, trajectory)
        for reference, reason, melt, trajectory in zip(references, reasons, melts, trajectories, strict=True)
    ]
    provenance = resolve_engine(engine).provenance(seed)
    sources = "; ".join(dict.fromkeys(reference.source for reference in references if reference.source))
    return make_report(scores, sources or "references", provenance.model).model_copy(
        update={"protocol": protocol, "provenance": provenance}
    )
