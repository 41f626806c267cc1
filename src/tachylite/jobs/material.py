"""The last job of a protocol: everything about one member in one document."""

import math
from collections.abc import Iterator, Mapping, Sequence

from jobflow import job
from pymatgen.core import Structure

from tachylite.engines.workdir import content_key
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.glass import measure_expansion
from tachylite.physics.transport import arrhenius
from tachylite.schemas import (
    Activation,
    AmorphousLimit,
    Diffusivity,
    Failure,
    Glass,
    Interval,
    Material,
    Measured,
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
        activations=[_activation(species, anneals) for species in state.elements] if anneals else [],
        expansion=measure_expansion(anneals),
        glass=glass,
        amorphous_limit=amorphous_limit,
        protocol=protocol,
        provenance=resolve_engine(engine).provenance(seed),
    )


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


def _activation(species: str, anneals: Sequence[Melt]) -> Activation:
    """Arrhenius fit of one species over the temperatures at which it diffuses."""
    points = [
        (d.temperature_k, d.diffusivity_cm2_s, _ln_error(d))
        for a in anneals
        for d in a.diffusivities
        if d.species == species and d.diffusivity_cm2_s is not None
    ]
    temperatures = [t for t, _, _ in points]
    if len(points) < 2:
        reason = f"{species} diffuses measurably at {len(points)} of {len(anneals)} temperatures; two are needed"
        return Activation(
            species=species, activation_energy_ev=None, ln_d0=None, temperatures_k=temperatures, reason=reason
        )
    fit = arrhenius(temperatures, [d for _, d, _ in points], [error for _, _, error in points])
    room, low, high = (float(x) for x in fit.predict(300.0))
    return Activation(
        species=species,
        activation_energy_ev=Measured(value=fit.activation_energy_ev, error=fit.activation_energy_error_ev),
        ln_d0=Measured(value=fit.ln_d0, error=fit.ln_d0_error),
        covariance=fit.covariance_ev,
        temperatures_k=temperatures,
        extrapolated_300k_cm2_s=room,
        extrapolated_300k_interval_cm2_s=Interval(low=low, high=high),
    )


def _ln_error(diffusivity: Diffusivity) -> float:
    """Standard error of ln D from the 95 % interval."""
    interval = diffusivity.diffusivity_interval_cm2_s
    if interval is None or interval.low <= 0:
        return 1.0
    return math.log(interval.high / interval.low) / (2 * 1.96)
