"""Documents of the structure of a material: g(r), coordination, angles, structure factors, rings, orientation."""

from typing import Literal

from tachylite.physics.structure.bonds import BondAngles, BondStatistics, CoordinationNumbers
from tachylite.physics.structure.crystallinity import Crystallinity
from tachylite.physics.structure.network import AnionBonding, FormerBonding, Network
from tachylite.physics.structure.orientation import GroupOrientation
from tachylite.physics.structure.pair_distribution import PairStructure, PartialRDF
from tachylite.physics.structure.polyhedra import VoronoiPolyhedra
from tachylite.physics.structure.rings import RingStatistics
from tachylite.physics.structure.scattering import ScatteringAnalysis, StructureFactor
from tachylite.schemas.base import Document

__all__ = [
    "AnionBonding",
    "BondAngles",
    "CoordinationNumbers",
    "Crystallinity",
    "FormerBonding",
    "GroupOrientation",
    "Network",
    "PartialRDF",
    "RingStatistics",
    "ScatteringAnalysis",
    "StructureAnalysis",
    "StructureFactor",
    "VoronoiPolyhedra",
]


class StructureAnalysis(Crystallinity, BondStatistics, PairStructure, Document):
    """g(r), coordination, bond angles and structure factors of a trajectory; whether its last frame is a crystal."""

    kind: Literal["structure"] = "structure"
    temperature_k: float | None
    n_frames: int
    scattering: ScatteringAnalysis | None = None
    rings: RingStatistics | None = None
    polyhedra: list[VoronoiPolyhedra] | None = None
    """By element, where they were asked for."""
    orientations: list[GroupOrientation] = []
    """Of the groups asked for."""
