"""A campaign on this machine, from formulas or structures to documents."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobflow import Flow, JobStore, OutputReference
from pymatgen.core import Structure

from tachylite.engines.workdir import content_key, use_workdir
from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.local import run_here
from tachylite.flows.members import Member, members_of
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.starts import make_structures
from tachylite.schemas import Material, Protocol, State
from tachylite.schemas.phases import RelaxedPhase
from tachylite.schemas.start import Start


def amorphous_flow(
    members: Sequence[Member],
    *,
    protocol: Protocol,
    engine: EngineLike,
    seed: int = 0,
    crystals: Mapping[str, Structure] | None = None,
    phases: Sequence[RelaxedPhase] | OutputReference = (),
) -> Flow:
    """Make the first structures and take them through a protocol as one cohort.

    `crystals` by reduced formula; `phases` are those of the chemical systems, for starts that take their volume.
    """
    starts = [member.start for member in members]
    first = make_structures(starts, protocol, seed, phases)
    maker = AmorphousMaker(engine=engine, protocol=protocol, seed=seed)
    above = [(crystals or {}).get(member.formula) for member in members]
    making = maker.make([first.output[i] for i in range(len(members))], above, starts)
    return Flow([first, making], output=making.output, name=", ".join(start.title for start in starts))


def run_amorphous(
    starts: Sequence[str | Structure | State | Start],
    *,
    protocol: Protocol,
    engine: EngineLike,
    store: JobStore,
    workdir: Path,
    seed: int = 0,
    crystals: Mapping[str, Structure] | None = None,
) -> list[Material]:
    """Pack, melt, anneal and quench as one cohort; the documents are stored and returned.

    A start is a formula, a structure, or a document that says how one is made. Interrupted, the same call goes on from
    the last checkpoint in `workdir`: finished work is found there by its content, and what an earlier attempt has
    stored is replaced. `crystals` by reduced formula.
    """
    members = members_of(starts, protocol=protocol, engine=engine, seed=seed)
    campaign = content_key([member.material_id for member in members])
    flow = amorphous_flow(members, protocol=protocol, engine=engine, seed=seed, crystals=crystals)
    with use_workdir(workdir, campaign):
        responses = run_here(flow, store, campaign)
    materials: list[Material] = [responses[reference.uuid][1].output for reference in flow.output]
    # what failed for the machine's sake, and not for its own, is tried again from where it stopped
    if resolve_engine(engine).batches or all(material.status == "completed" for material in materials):
        shutil.rmtree(workdir / campaign, ignore_errors=True)
    return materials
