"""Makers: from structures to melts, annealed states, glasses and the amorphous limit."""

from tachylite.flows.amorphous import AmorphousMaker
from tachylite.flows.learning import LearningMaker, PredictionMaker
from tachylite.flows.parity import ParityMaker, run_parity
from tachylite.flows.run import run_amorphous
from tachylite.flows.stages import AmorphousLimitMaker, AnnealMaker, MeltMaker, QuenchMaker
from tachylite.flows.steps.volume import EquilibriumVolumeMaker

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
