"""The last job of a protocol: everything about one member in one document."""

from collections.abc import Iterator, Mapping, Sequence

from jobflow import job
from pymatgen.core import Structure

from tachylite.analysis.series import activations_of, expansions_of
from tachylite.engines.workdir import content_key
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.schemas import Failure, Material, Protocol, Result, State
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.run import reduced_formula
from tachylite.schemas.start import PackedStart, Start, StructureStart


def material_id(start: Start, protocol: Protocol, engine: EngineLike, seed: int) -> str:
    """The same for the same start, protocol, engine and seed, and for nothing else."""
    return material_ids([start], protocol, engine, seed)[0]


def material_ids(starts: Sequence[Start], protocol: Protocol, engine: EngineLike, seed: int) -> list[str]:
    """The `material_id` of every start; thousands take a second."""
    provenance = resolve_engine(engine).provenance()
    settings = protocol.model_dump(exclude={"name", "description", "doi", "crystal_samples"})
    forces = (provenance.engine, provenance.model, provenance.model_sha256, provenance.options)
    ids = []
    for start in starts:
        counts = start.counts(protocol.packing.n_atoms)
        # a composition says all of a packed structure, but for what is not as usual
        if isinstance(start, PackedStart):
            beginning = start.model_dump(exclude={"kind", "formula"}, exclude_defaults=True)
        else:
            beginning = start.model_dump(exclude={"source": True, "partner": {"source"}})
        more = (beginning,) if beginning else ()
        ids.append(content_key(reduced_formula(counts), sum(counts.values()), settings, forces, seed, *more))
    return ids


@job
def gather_material(
    engine: EngineLike,
    protocol: Protocol,
    seed: int,
    start: Start | None,
    first: Structure | State,
    results: Sequence[Result],
    references: References,
) -> Material:
    """Gather what a protocol gave for one member, with every failure named; `first` is the structure it began with."""
    state = State.from_structure(first) if isinstance(first, Structure) else first
    start = start or StructureStart(state=state)
    # those of the cohort's other members are no concern of this one
    elements = {*state.elements, *protocol.added_elements}
    own = {symbol: relaxed for symbol, relaxed in references.elements.items() if symbol in elements}
    failures = [*_failures(results), *_missing_references(own)]
    # also of ions that have come in
    mobile = {diffusivity.species for result in results for diffusivity in result.measured_diffusivities}
    reached = any(result.status == "completed" and not result.prepares for result in results)
    return Material(
        material_id=material_id(start, protocol, engine, seed),
        start=start,
        formula=state.formula,
        elements=state.elements,
        n_atoms=len(state.numbers),
        status="completed" if not failures else "partial" if reached else "failed",
        failures=failures,
        results=list(results),
        activations=activations_of(results, sorted({*state.elements, *mobile})),
        expansions=expansions_of(results),
        protocol=protocol,
        provenance=resolve_engine(engine).provenance(seed),
    )


def _failures(results: Sequence[Result]) -> Iterator[Failure]:
    """What failed; that others were then skipped follows from it."""
    for result in results:
        if result.status == "failed":
            yield Failure(stage=result.title, reason=result.reason or "no reason recorded")


def _missing_references(elements: Mapping[str, Relaxation]) -> Iterator[Failure]:
    for symbol, relaxation in elements.items():
        if relaxation.status == "failed":
            yield Failure(stage=f"reference {symbol}", reason=relaxation.reason or "not converged")
