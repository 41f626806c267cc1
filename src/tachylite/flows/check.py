"""Computing structures of a screen again with a second engine."""

from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path

from jobflow import Flow, JobStore, job

from tachylite.analysis.check import stratified
from tachylite.engines import Engine
from tachylite.engines.workdir import content_key, shared_workdir, use_workdir
from tachylite.errors import InputError
from tachylite.flows.local import run_here
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.phases import candidate_element, relax_phases
from tachylite.schemas import Material, State
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.check import EnergyCheck
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.screen import CompositionRow
from tachylite.stores.campaigns import find_checks, find_phases

AT_ONCE = 8
"""Structures that are computed and stored together."""

_NO_FORCE_IS_TOO_LARGE_EV_A = 1e6


def check_screen(
    campaign: Campaign,
    rows: Sequence[CompositionRow],
    materials: Callable[[Sequence[str]], Sequence[Material]],
    engine: Engine,
    store: JobStore,
    workdir: Path,
    *,
    at_most: int,
    relax: bool,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Compute a stratified sample of a screen's glasses, and the elements in them, with a second engine.

    `materials` gives the documents of ids. What the store holds is not computed again. Raises InputError for an element
    that the engine does not know, and where there is no glass.
    """
    sample = stratified(rows, at_most)
    if not sample:
        raise InputError("there is no amorphous structure to check yet")
    elements = sorted({symbol for row in sample for symbol in row.fractions})
    engine.check_elements(elements)
    level = engine.provenance()
    known_elements = {phase.fingerprint for phase in find_phases(store, level)}
    known = {
        check.material_id
        for check in find_checks(store, level)
        if not relax or check.relaxed_energy_ev_per_atom is not None
    }
    missing = [row.material_id for row in sample if row.material_id not in known]
    candidates = [candidate_element(symbol) for symbol in elements]
    candidates = [candidate for candidate in candidates if candidate.fingerprint not in known_elements]
    with use_workdir(workdir):
        for candidate in candidates:
            run_here(Flow([relax_phases(engine, [candidate])]), store, campaign.campaign_id, candidate.source)
            report(f"{engine.name}: {candidate.source} relaxed")
        for number, part in enumerate(batched(missing, AT_ONCE)):
            states = [_glass(material) for material in materials(part)]
            checking = check_members(engine, list(part), states, relax)
            responses = run_here(Flow([checking]), store, campaign.campaign_id, content_key(engine.name, relax, part))
            report(f"{engine.name}: {min((number + 1) * AT_ONCE, len(missing))} of {len(missing)} structures")
            checks: list[EnergyCheck] = responses[checking.uuid][1].output
            for check in checks:
                if check.reason is not None:
                    report(f"{engine.name}: material {check.material_id} failed: {check.reason}")


@job
def check_members(
    engine: EngineLike, material_ids: Sequence[str], states: Sequence[State], relax: bool
) -> list[EnergyCheck]:
    """Energies of structures as they are and, where asked for, relaxed; failures as data."""
    chosen, folder = resolve_engine(engine), shared_workdir()
    labels = [f"{state.formula} {identity[:6]}" for state, identity in zip(states, material_ids, strict=True)]
    as_they_are = chosen.relax(
        states, folder, relax_cell=False, labels=labels, max_force_ev_a=_NO_FORCE_IS_TOO_LARGE_EV_A
    )
    relaxed = chosen.relax(states, folder, relax_cell=True, labels=labels) if relax else [None] * len(states)
    return [_check(*answers) for answers in zip(material_ids, as_they_are, relaxed, strict=True)]


def _check(material_id: str, as_it_is: Relaxation, relaxed: Relaxation | None) -> EnergyCheck:
    failed = next((answer for answer in (as_it_is, relaxed) if answer is not None and answer.status == "failed"), None)
    return EnergyCheck(
        material_id=material_id,
        energy_ev_per_atom=_energy(as_it_is),
        relaxed_energy_ev_per_atom=None if relaxed is None else _energy(relaxed),
        reason=None if failed is None else failed.reason,
        provenance=as_it_is.provenance,
    )


def _energy(relaxation: Relaxation) -> float | None:
    return relaxation.energy_ev_per_atom if relaxation.status == "converged" else None


def _glass(material: Material) -> State:
    """The relaxed structure of a material."""
    relaxed = [result.final for result in material.results if getattr(result, "relaxation", None) and result.final]
    return relaxed[-1].model_copy(update={"velocities": None})
