"""The documents: what goes into a store and comes back from a query."""

from tachylite.measured import Interval, Measured
from tachylite.schemas.base import Document, Failure, Provenance
from tachylite.schemas.material import (
    Activation,
    AmorphousLimit,
    Equilibrium,
    Glass,
    Material,
    Melt,
    References,
    Relaxation,
    Snapshot,
    VolumeSample,
)
from tachylite.schemas.protocol import Protocol
from tachylite.schemas.run import Request, Run, Segment, SegmentResult, State
from tachylite.schemas.structure import PartialRDF, StructureAnalysis
from tachylite.schemas.trajectory import Trajectory
from tachylite.schemas.transport import Diffusivity

__all__ = [
    "Activation",
    "AmorphousLimit",
    "Diffusivity",
    "Document",
    "Equilibrium",
    "Failure",
    "Glass",
    "Interval",
    "Material",
    "Measured",
    "Melt",
    "PartialRDF",
    "Protocol",
    "Provenance",
    "References",
    "Relaxation",
    "Request",
    "Run",
    "Segment",
    "SegmentResult",
    "Snapshot",
    "State",
    "StructureAnalysis",
    "Trajectory",
    "VolumeSample",
]
