"""The last job of a protocol: everything about one member in one document."""

from collections.abc import Iterator, Mapping, Sequence

from jobflow import job
from pymatgen.core import Structure

from tachylite.analysis.glass import measure_expansion
from tachylite.analysis.laws import activation
from tachylite.engines.workdir import content_key
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.schemas import (
    AmorphousLimit,
    Diffusivity,
    Failure,
    Glass,
    Material,
    Melt,
    Protocol,
    References,
    Relaxation,
    State,
)


def material_id(formula: str, n_atoms: int, protocol: Protocol, engine: EngineLike, seed: int) -> str:
    """The same for the same input, protocol, engine and seed, and for nothing else."""
    provenance = resolve_engine(engine).provenance()
    asked = protocol.model_dump(exclude={"name", "description", "doi"})
    forces = (provenance.engine, provenance.model, provenance.model_sha256, provenance.options)
    return content_key(formula, n_atoms, asked, forces, seed)


@job
def summarise_material(
    engine: EngineLike,
    protocol: Protocol,
    seed: int,
    *,
    start: Structure | State,
    melt: Melt,
    references: References,
    anneals: Sequence[Melt] = (),
    glass: Glass | None = None,
    amorphous_limit: AmorphousLimit | None = None,
) -> Material:
    """Gather what a protocol gave for one member, with every failure named."""
    state = State.from_structure(start) if isinstance(start, Structure) else start
    # those of the cohort's other members are no concern of this one
    own = {symbol: found for symbol, found in references.elements.items() if symbol in state.elements}
    failures = list(_failures(protocol, melt, anneals, glass, amorphous_limit, own))
    complete = melt.run is not None and melt.run.status == "completed"
    return Material(
        material_id=material_id(state.formula, len(state.numbers), protocol, engine, seed),
        formula=state.formula,
        elements=state.elements,
        n_atoms=len(state.numbers),
        status="completed" if not failures else "partial" if complete else "failed",
        failures=failures,
        melt=melt,
        anneals=list(anneals),
        activations=[activation(species, _diffusivities(anneals, species)) for species in state.elements]
        if anneals
        else [],
        expansion=measure_expansion(anneals),
        glass=glass,
        amorphous_limit=amorphous_limit,
        protocol=protocol,
        provenance=resolve_engine(engine).provenance(seed),
    )


def _diffusivities(anneals: Sequence[Melt], species: str) -> list[Diffusivity]:
    return [one for state in anneals for one in state.diffusivities if one.species == species]


def _failures(
    protocol: Protocol,
    melt: Melt,
    anneals: Sequence[Melt],
    glass: Glass | None,
    limit: AmorphousLimit | None,
    references: Mapping[str, Relaxation],
) -> Iterator[Failure]:
    for stage, state in [("melt", melt), *(("anneal", a) for a in anneals)]:
        where = f"{stage} at {state.temperature_k:g} K"
        if state.equilibrium.status == "failed":
            yield Failure(stage=where, reason=state.equilibrium.reason or "no volume found")
        elif state.run is not None and state.run.status == "failed":
            yield Failure(stage=where, reason=state.run.reason or "the run failed")
    melted = melt.run is not None and melt.run.status == "completed"
    if protocol.quench is not None:
        if glass is None:
            yield Failure(stage="quench", reason="no melt to quench" if not melted else "the quench gave nothing")
        elif glass.run.status == "failed":
            yield Failure(stage="quench", reason=glass.run.reason or "the run failed")
        elif glass.relaxation is not None and glass.relaxation.status == "failed":
            yield Failure(stage="glass relaxation", reason=glass.relaxation.reason or "not converged")
    if protocol.snapshots is not None and (limit is None or limit.reason is not None):
        reason = limit.reason if limit is not None else None
        yield Failure(stage="amorphous limit", reason=reason or "no melt to take snapshots from")
    for symbol, relaxation in references.items():
        if relaxation.status == "failed":
            yield Failure(stage=f"reference {symbol}", reason=relaxation.reason or "not converged")
