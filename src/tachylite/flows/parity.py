"""An engine against published melts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow, JobStore

from tachylite.configs import load_protocol
from tachylite.engines.workdir import content_key, use_workdir
from tachylite.errors import InputError
from tachylite.flows.local import run_here
from tachylite.flows.stages import MeltMaker, melt_steps
from tachylite.flows.steps.base import EngineMaker
from tachylite.jobs.engine import EngineLike, resolve_engine
from tachylite.jobs.parity import pack_references, score_melts, sized_for
from tachylite.physics.composition import parse_formula
from tachylite.schemas import Protocol
from tachylite.schemas.parity import ParityReference, ParityReport


@dataclass
class ParityMaker(EngineMaker):
    """Melt the compositions of published melts with an engine and score them: g(r), and D and descriptors.

    The whole pipeline is scored: packing, volume of zero pressure, production. The flow's output is one
    `ParityReport`; a composition that fails stands in it with its reason, and counts as below every threshold.
    """

    name: str = "parity"
    protocol: Protocol = field(default_factory=lambda: load_protocol("zheng2024"))

    def make(self, references: Sequence[ParityReference]) -> Flow:
        """Melt at the protocol's temperature, each in as many atoms as its reference has, where that is known.

        Raises InputError for no references, one at another temperature, and atoms that make no whole formula.
        """
        self._check(references)
        packing = pack_references(self.engine, list(references), self.protocol, self.seed)
        members = [packing.output["states"][index] for index in range(len(references))]
        melt = MeltMaker("melt", self.engine, self.protocol, self.seed).make(members)
        scoring = score_melts(
            self.engine,
            self.protocol,
            self.seed,
            list(references),
            packing.output["reasons"],
            melt.output["results"],
            melt.output["trajectories"],
        )
        return Flow([packing, melt, scoring], output=scoring.output, name=self.name)

    def _check(self, references: Sequence[ParityReference]) -> None:
        if not references:
            raise InputError("there are no references to compare with")
        melt_k = self.protocol.branches_of(melt_steps(self.protocol)[-1].name)[0].temperature_k
        for reference in references:
            parse_formula(reference.formula)
            sized_for(reference, self.protocol)
            if reference.temperature_k not in {None, melt_k}:
                raise InputError(
                    f"the reference of {reference.formula} is at {reference.temperature_k:g} K and protocol "
                    f"{self.protocol.name} melts at {melt_k:g} K; parity compares one state"
                )


def run_parity(
    references: Sequence[ParityReference],
    *,
    protocol: Protocol,
    engine: EngineLike,
    store: JobStore,
    workdir: Path,
    seed: int = 0,
) -> ParityReport:
    """Run `ParityMaker` on this machine; the report is stored and returned.

    Interrupted, the same call goes on from the last checkpoint in `workdir`, where finished runs stay.
    """
    flow = ParityMaker(engine=engine, protocol=protocol, seed=seed).make(references)
    settings = protocol.model_dump(exclude={"name", "description", "doi"})
    contents = [reference.model_dump() for reference in references]
    campaign = content_key("parity", contents, settings, resolve_engine(engine).provenance(seed).model_dump())
    with use_workdir(workdir):
        responses = run_here(flow, store, campaign)
    report: ParityReport = responses[flow.output.uuid][1].output
    return report
