"""The volume of zero pressure, and production runs at it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker, OutputReference
from pymatgen.core import Structure

from tachylite.configs import load_protocol
from tachylite.jobs.analysis import describe_melts
from tachylite.jobs.dynamics import run_production
from tachylite.jobs.engine import EngineLike
from tachylite.jobs.equilibrium import begin_search
from tachylite.schemas import Melt, Protocol, State

type Structures = Sequence[Structure | State | Melt | OutputReference] | OutputReference
"""A cohort: structures, or what an earlier stage left."""

ANNEAL_SEED = 100_000
QUENCH_SEED = 200_000
"""Offsets that keep the random numbers of the stages apart."""


@dataclass
class EquilibriumVolumeMaker(Maker):
    """Find the volume of zero pressure of every member, as `tachylite.physics.thermodynamics.equilibrium` decides it.

    The flow's output is a list of `Equilibrium` documents.
    """

    name: str = "equilibrium volume"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(self, structures: Structures, temperatures_k: Sequence[float] | None = None) -> Job:
        """Search at the melt's temperature, or at others; those of one member follow each other."""
        temperatures = list(temperatures_k or [self.protocol.melt.temperature_k])
        search = begin_search(self.engine, structures, temperatures, self.protocol, self.seed)
        search.name = self.name
        return search


@dataclass
class MeltMaker(Maker):
    """Melt every member: volume search, production run, diffusivities and structure.

    The flow's output holds `melts` (one `Melt` each) and `trajectories`, in the order of the cohort.
    """

    name: str = "melt"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(self, structures: Structures) -> Flow:
        """Melt at the protocol's temperature."""
        melt = self.protocol.melt
        return _stage(self, structures, [melt.temperature_k], melt.production_ps, self.seed)


@dataclass
class AnnealMaker(Maker):
    """Take melts (or structures) to every anneal temperature, each with a volume search of its own.

    The flow's output is that of `MeltMaker`; the temperatures of one member follow each other.
    """

    name: str = "anneal"
    engine: EngineLike = "chgnet"
    protocol: Protocol = field(default_factory=lambda: load_protocol("quickstart"))
    seed: int = 0

    def make(self, structures: Structures) -> Flow:
        """Anneal at the protocol's temperatures; raises ValueError where it has none."""
        anneal = self.protocol.anneal
        if anneal is None:
            raise ValueError(f"protocol {self.protocol.name} has no anneal")
        return _stage(self, structures, anneal.temperatures_k, anneal.production_ps, self.seed + ANNEAL_SEED)


def _stage(
    maker: MeltMaker | AnnealMaker,
    structures: Structures,
    temperatures_k: Sequence[float],
    production_ps: float,
    seed: int,
) -> Flow:
    search = EquilibriumVolumeMaker(f"{maker.name} volume", maker.engine, maker.protocol, seed).make(
        structures, temperatures_k
    )
    production = run_production(maker.engine, search.output, production_ps, maker.protocol, seed)
    production.name = f"{maker.name} production"
    analysis = describe_melts(search.output, production.output["runs"], production.output["trajectories"])
    analysis.name = f"{maker.name} analysis"
    output = {"melts": analysis.output, "trajectories": production.output["trajectories"]}
    return Flow([search, production, analysis], output=output, name=maker.name)
