"""The whole protocol: from packed structures to `Material` documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Maker, OutputReference
from pymatgen.core import Structure

from tachylite.configs import load_protocol
from tachylite.flows.melt import AnnealMaker, MeltMaker
from tachylite.flows.quench import AmorphousLimitMaker, QuenchMaker
from tachylite.jobs.energies import relax_references
from tachylite.jobs.engine import EngineLike
from tachylite.jobs.material import summarise_material
from tachylite.schemas import Protocol, State


@dataclass
class AmorphousMaker(Maker):
    """Run a whole protocol: melt, anneals, quench, amorphous limit, and a `Material` for every member.

    The flow's output is a list of `Material` documents, in the order of the cohort. One member's failure
    is written into its document and does not touch the others.
    """

    name: str = "amorphous material"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(
        self,
        structures: Sequence[Structure | State | OutputReference],
        crystals: Sequence[Structure | None] | None = None,
    ) -> Flow:
        """Start from packed structures; energies above a crystal where one is given."""
        settings = (self.engine, self.protocol, self.seed)
        references = relax_references(self.engine, list(structures), list(crystals or [None] * len(structures)))
        melt = MeltMaker("melt", *settings).make(list(structures))
        stages: dict[str, Flow] = {}
        if self.protocol.anneal is not None:
            stages["anneals"] = AnnealMaker("anneal", *settings).make(melt.output["melts"])
        if self.protocol.quench is not None:
            stages["glass"] = QuenchMaker("quench", *settings).make(melt.output["melts"], references.output)
        if self.protocol.snapshots is not None:
            stages["amorphous_limit"] = AmorphousLimitMaker("amorphous limit", *settings).make(
                melt.output["trajectories"], references.output
            )
        summaries = [
            summarise_material(
                self.engine,
                self.protocol,
                self.seed,
                start=start,
                melt=melt.output["melts"][index],
                references=references.output,
                **{name: self._part(name, flow, index) for name, flow in stages.items()},
            )
            for index, start in enumerate(structures)
        ]
        jobs = [references, melt, *stages.values(), *summaries]
        return Flow(jobs, output=[s.output for s in summaries], name=self.name)

    def _part(self, name: str, flow: Flow, index: int) -> OutputReference | list[OutputReference]:
        """One member's share of a stage."""
        if name != "anneals" or self.protocol.anneal is None:
            return flow.output[index]
        count = len(self.protocol.anneal.temperatures_k)
        return [flow.output["melts"][index * count + k] for k in range(count)]
