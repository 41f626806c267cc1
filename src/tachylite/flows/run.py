"""A campaign on this machine, from formulas to documents."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobflow import Flow, JobStore
from pymatgen.core import Structure

from tachylite.engines.workdir import content_key, use_workdir
from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.local import run_here
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.material import material_id
from tachylite.jobs.packing import pack_structures
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.schemas import Material, Protocol
from tachylite.schemas.run import reduced_formula


def amorphous_flow(
    formulas: Sequence[str],
    *,
    protocol: Protocol,
    engine: EngineLike,
    seed: int = 0,
    crystals: Mapping[str, Structure] | None = None,
) -> Flow:
    """Pack formulas and take them through a protocol as one cohort; `crystals` by reduced formula."""
    packing = pack_structures(list(formulas), protocol, seed)
    maker = AmorphousMaker(engine=engine, protocol=protocol, seed=seed)
    members = [packing.output[i] for i in range(len(formulas))]
    reduced = [reduced_formula(atom_counts(parse_formula(f), protocol.packing.n_atoms)) for f in formulas]
    making = maker.make(members, [(crystals or {}).get(f) for f in reduced])
    return Flow([packing, making], output=making.output, name=", ".join(formulas))


def material_ids(formulas: Sequence[str], *, protocol: Protocol, engine: EngineLike, seed: int = 0) -> list[str]:
    """The `material_id` that each formula will have."""
    counts = [atom_counts(parse_formula(f), protocol.packing.n_atoms) for f in formulas]
    return [material_id(reduced_formula(c), sum(c.values()), protocol, engine, seed) for c in counts]


def run_amorphous(
    formulas: Sequence[str],
    *,
    protocol: Protocol,
    engine: EngineLike,
    store: JobStore,
    workdir: Path,
    seed: int = 0,
    crystals: Mapping[str, Structure] | None = None,
) -> list[Material]:
    """Pack, melt, anneal and quench formulas as one cohort; the documents are stored and returned.

    Interrupted, the same call goes on from the last checkpoint in `workdir`: finished work is found there by
    its content, and what an earlier attempt has stored is replaced. `crystals` by reduced formula.
    """
    campaign = content_key(material_ids(formulas, protocol=protocol, engine=engine, seed=seed))
    flow = amorphous_flow(formulas, protocol=protocol, engine=engine, seed=seed, crystals=crystals)
    with use_workdir(workdir, campaign):
        responses = run_here(flow, store, campaign)
    materials: list[Material] = [responses[reference.uuid][1].output for reference in flow.output]
    # what failed for the machine's sake, and not for its own, is tried again from where it stopped
    if resolve_engine(engine).batches or all(material.status == "completed" for material in materials):
        shutil.rmtree(workdir / campaign, ignore_errors=True)
    return materials
