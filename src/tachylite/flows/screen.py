"""A screen: many compositions of chemical systems, cohort by cohort, and the phases they are compared with."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore, OutputReference, Response, job

from tachylite.analysis.structure import NO_SOLID
from tachylite.engines import Engine
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.engines.workdir import content_key, use_workdir
from tachylite.flows.local import run_here
from tachylite.flows.members import Member, members_of
from tachylite.flows.processes import each_once
from tachylite.flows.run import amorphous_flow
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.phases import relax_phases
from tachylite.schemas import Failure, Protocol
from tachylite.schemas.campaign import Campaign, Launcher
from tachylite.schemas.phases import CandidatePhase, RelaxedPhase
from tachylite.schemas.start import Start
from tachylite.stores.campaigns import find_phases, keep_campaign, member_entries

PHASES_AT_ONCE = 500
"""Candidates that are relaxed and stored together."""


@dataclass(frozen=True)
class Screen:
    """What a screen computes: members in cohorts, the crystals that may be stable in their systems, and how."""

    systems: Sequence[Sequence[str]]
    cohorts: Sequence[Sequence[Member]]
    candidates: Sequence[CandidatePhase]
    protocol: Protocol
    engine: Engine
    seed: int

    @property
    def members(self) -> list[Member]:
        """Of all cohorts."""
        return [member for cohort in self.cohorts for member in cohort]

    def campaign(self, workdir: Path, launcher: Launcher | None = None) -> Campaign:
        """The document that stands for it in a store."""
        ids = [member.material_id for member in self.members]
        return Campaign(
            campaign_id=content_key("screen", ids),
            launcher=launcher,
            systems=["-".join(system) for system in self.systems],
            cohorts=[[member.start.title for member in cohort] for cohort in self.cohorts],
            material_ids=ids,
            engine=self.engine.name,
            provenance=self.engine.provenance(self.seed),
            protocol=self.protocol,
            seed=self.seed,
            workdir=str(workdir),
        )

    def flow_of(self, cohort: Sequence[Member]) -> Flow:
        """The flow of one cohort on its own, which begins by relaxing the crystals of its systems."""
        systems = {frozenset(member.elements) for member in cohort}
        own = [c for c in self.candidates if any(system.issuperset(c.state.elements) for system in systems)]
        relaxing = relax_phases(self.engine, own)
        flow = cohort_flow(cohort, protocol=self.protocol, engine=self.engine, seed=self.seed, phases=relaxing.output)
        return Flow([relaxing, flow], output=flow.output, name=flow.name)


def cohort_flow(
    members: Sequence[Member],
    *,
    protocol: Protocol,
    engine: Engine,
    seed: int,
    phases: Sequence[RelaxedPhase] | OutputReference,
) -> Flow:
    """Take a cohort through the protocol; members whose atoms came too close begin again, once, with a repulsion."""
    flow = amorphous_flow(members, protocol=protocol, engine=engine, seed=seed, phases=phases)
    starts = [member.start for member in members]
    failures = [reference.failures for reference in flow.output]
    again = repeat_failed(engine, protocol, seed, starts, failures, phases)
    return Flow([flow, again], output=flow.output, name=flow.name)


@job
def repeat_failed(
    engine: EngineLike,
    protocol: Protocol,
    seed: int,
    starts: Sequence[Start],
    failures: Sequence[Sequence[Failure]],
    phases: Sequence[RelaxedPhase],
) -> Response[None] | None:
    """Run members that failed once more, with the repulsion of nuclei at short distances, where the engine has one."""
    repelling = with_repulsion(resolve_engine(engine))
    failed = [start for start, own in zip(starts, failures, strict=True) if is_repeated(own)]
    if repelling is None or not failed:
        return None
    members = members_of(failed, protocol=protocol, engine=repelling, seed=seed)
    return Response(addition=amorphous_flow(members, protocol=protocol, engine=repelling, seed=seed, phases=phases))


def with_repulsion(engine: Engine) -> Engine | None:
    """The engine with a repulsion at short distances; None where it cannot have one, or has it already."""
    if isinstance(engine, TorchSimEngine) and engine.repulsion is None:
        return replace(engine, repulsion="zbl")
    return None


def is_repeated(failures: Sequence[Failure]) -> bool:
    """Whether failures are of the dynamics or a relaxation: a crystal, a gas or a missing reference comes again."""
    return any(
        not (f.reason.startswith(("crystallised", NO_SOLID)) or f.stage.startswith("reference")) for f in failures
    )


def run_screen(
    screen: Screen, store: JobStore, workdir: Path, *, report: Callable[[str], None] = lambda line: None
) -> Campaign:
    """Carry out a screen in this process, cohort by cohort; the same call goes on where it was stopped.

    Phases and materials that the store holds are not computed again, nor what other processes are doing. `report` gets
    a line for what was done.
    """
    campaign, began = screen.campaign(workdir), time.time()
    store.connect()
    keep_campaign(store, campaign)
    folder = workdir / campaign.campaign_id
    with use_workdir(workdir, campaign.campaign_id):
        phases = _relaxed_phases(screen, store, campaign, folder, began, report)
    stored = _Stored(store, campaign, screen)
    keys = [content_key([member.material_id for member in cohort]) for cohort in screen.cohorts]

    def run_cohort(number: int) -> None:
        key = keys[number]
        missing = stored.missing(screen.cohorts[number], key)
        if not missing:
            return
        flow = cohort_flow(
            missing,
            protocol=screen.protocol,
            engine=screen.engine,
            seed=screen.seed,
            phases=phases_of(phases, missing),
        )
        with use_workdir(workdir, f"{campaign.campaign_id}/{key}"):
            responses = run_here(flow, store, campaign.campaign_id, key)
        statuses = [responses[reference.uuid][1].output.status for reference in flow.output]
        counts = ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(statuses))
        report(f"cohort {number + 1} of {len(screen.cohorts)} ({missing[0].start.title}, ...): {counts}")
        shutil.rmtree(folder / key, ignore_errors=True)

    each_once(keys, folder, run_cohort, began=began)
    return campaign


def phases_of(phases: Sequence[RelaxedPhase], members: Sequence[Member]) -> list[RelaxedPhase]:
    """The phases of the chemical systems of some members."""
    systems = {frozenset(member.elements) for member in members}
    return [phase for phase in phases if any(system.issuperset(phase.elements) for system in systems)]


def _relaxed_phases(
    screen: Screen, store: JobStore, campaign: Campaign, folder: Path, began: float, report: Callable[[str], None]
) -> list[RelaxedPhase]:
    """The phases of all systems of a screen; those that the store does not hold are relaxed."""
    level = screen.engine.provenance()
    wanted = {candidate.fingerprint: candidate for candidate in screen.candidates}
    known = {phase.fingerprint for phase in find_phases(store, level)}
    parts = [list(part) for part in batched(wanted, PHASES_AT_ONCE)]
    keys = [content_key(part) for part in parts]

    def relax_part(number: int) -> None:
        missing = [wanted[fingerprint] for fingerprint in parts[number] if fingerprint not in known]
        if missing:
            run_here(Flow([relax_phases(screen.engine, missing)]), store, campaign.campaign_id, keys[number])
            report(f"crystals: {number + 1} of {len(parts)} batches relaxed")

    each_once(keys, folder, relax_part, began=began)
    return [phase for phase in find_phases(store, level) if phase.fingerprint in wanted]


class _Stored:
    """What a store held when a screen began or went on."""

    def __init__(self, store: JobStore, campaign: Campaign, screen: Screen) -> None:
        self._screen, self._repelling = screen, with_repulsion(screen.engine)
        self._entries: dict[str, Mapping[str, Any]] = {
            entry["output"]["material_id"]: entry for entry in member_entries(store, campaign, ("failures",))
        }

    def missing(self, cohort: Sequence[Member], key: str) -> list[Member]:
        """Members that have to be run: none where all are answered, else all that no other cohort has answered.

        A cohort that was stopped runs again as the same batch, whose steps are found in the work folder.
        """
        answered = [member for member in cohort if self._answers(member)]
        if len(answered) == len(cohort):
            return []
        return [member for member in cohort if member not in answered or self._cohort_of(member) == key]

    def _answers(self, member: Member) -> bool:
        entry = self._entries.get(member.material_id)
        if entry is None:
            return False
        failures = [Failure(stage=f["stage"], reason=f["reason"]) for f in entry["output"]["failures"]]
        return self._repelling is None or not is_repeated(failures) or self._repeated(member) in self._entries

    def _repeated(self, member: Member) -> str:
        """Id of the material that a failed member became when it was run again."""
        screen = self._screen
        (again,) = members_of(
            [member.start], protocol=screen.protocol, engine=self._repelling or screen.engine, seed=screen.seed
        )
        return again.material_id

    def _cohort_of(self, member: Member) -> str | None:
        metadata: Mapping[str, Any] = self._entries[member.material_id].get("metadata") or {}
        return metadata.get("cohort")
