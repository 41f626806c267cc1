"""From the melt to the glass, and to the amorphous limit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Maker, OutputReference

from tachylite.configs import load_protocol
from tachylite.flows.melt import QUENCH_SEED
from tachylite.jobs.analysis import describe_glasses, describe_limits
from tachylite.jobs.dynamics import run_quench
from tachylite.jobs.elasticity import measure_glass_elasticity
from tachylite.jobs.energies import relax_glasses, relax_snapshots
from tachylite.jobs.engine import EngineLike
from tachylite.schemas import Melt, Protocol, References, Trajectory


@dataclass
class QuenchMaker(Maker):
    """Quench melts along a linear ramp, hold them, relax them with their cells, strain them if the protocol says so.

    The flow's output is a list of `Glass`, None where there was no melt.
    """

    name: str = "quench"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(self, structures: Sequence[Melt] | OutputReference, references: References | None = None) -> Flow:
        """Quench the melts that `MeltMaker` made; formation energies where references are given."""
        quench = run_quench(self.engine, structures, self.protocol, self.seed + QUENCH_SEED)
        runs, trajectories = quench.output["runs"], quench.output["trajectories"]
        relaxation = relax_glasses(self.engine, runs)
        jobs = [quench, relaxation]
        elasticity = None
        if self.protocol.quench is not None and self.protocol.quench.elastic:
            jobs.append(measure_glass_elasticity(self.engine, relaxation.output))
            elasticity = jobs[-1].output
        analysis = describe_glasses(runs, trajectories, relaxation.output, references, elasticity)
        return Flow([*jobs, analysis], output=analysis.output, name=self.name)


@dataclass
class AmorphousLimitMaker(Maker):
    """Relax snapshots of production runs to their inherent structures (DOI 10.1126/sciadv.aaq0148).

    The flow's output is a list of `AmorphousLimit`, None where there was no production run.
    """

    name: str = "amorphous limit"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(self, structures: Sequence[Trajectory] | OutputReference, references: References | None = None) -> Flow:
        """Take snapshots from the trajectories of production runs; formation energies where references are given."""
        relaxation = relax_snapshots(self.engine, structures, self.protocol)
        analysis = describe_limits(relaxation.output, references)
        return Flow([relaxation, analysis], output=analysis.output, name=self.name)
