"""The documents: what goes into a store and comes back from a query."""

from tachylite.measured import Interval, Measured
from tachylite.schemas.base import Document, Failure, Provenance
from tachylite.schemas.material import Activation, Expansion, Material
from tachylite.schemas.protocol import Branch, Packing, Protocol
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.run import Request, Run, Segment, SegmentResult, State
from tachylite.schemas.steps import Result, Step
from tachylite.schemas.structure import PartialRDF, StructureAnalysis
from tachylite.schemas.trajectory import Trajectory
from tachylite.schemas.transport import Diffusivity

__all__ = [
    "Activation",
    "Branch",
    "Diffusivity",
    "Document",
    "Expansion",
    "Failure",
    "Interval",
    "Material",
    "Measured",
    "Packing",
    "PartialRDF",
    "Protocol",
    "Provenance",
    "References",
    "Relaxation",
    "Request",
    "Result",
    "Run",
    "Segment",
    "SegmentResult",
    "State",
    "Step",
    "StructureAnalysis",
    "Trajectory",
]
