"""Makers: from structures to melts, annealed states, glasses and the amorphous limit."""

from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.learning import LearningMaker, PredictionMaker
from tachylite.flows.melt import AnnealMaker, EquilibriumVolumeMaker, MeltMaker
from tachylite.flows.parity import ParityMaker, run_parity
from tachylite.flows.quench import AmorphousLimitMaker, QuenchMaker
from tachylite.flows.run import run_amorphous

__all__ = [
    "AmorphousLimitMaker",
    "AmorphousMaker",
    "AnnealMaker",
    "EquilibriumVolumeMaker",
    "LearningMaker",
    "MeltMaker",
    "ParityMaker",
    "PredictionMaker",
    "QuenchMaker",
    "run_amorphous",
    "run_parity",
]
