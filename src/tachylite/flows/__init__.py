"""Makers: from structures to melts, annealed states, glasses and the amorphous limit."""

from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.melt import AnnealMaker, EquilibriumVolumeMaker, MeltMaker
from tachylite.flows.quench import AmorphousLimitMaker, QuenchMaker
from tachylite.flows.run import run_amorphous

__all__ = [
    "AmorphousLimitMaker",
    "AmorphousMaker",
    "AnnealMaker",
    "EquilibriumVolumeMaker",
    "MeltMaker",
    "QuenchMaker",
    "run_amorphous",
]
