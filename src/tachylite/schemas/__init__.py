"""The documents: what goes into a store and comes back from a query."""

from tachylite.measured import Interval, Measured
from tachylite.schemas.base import Failure, Provenance
from tachylite.schemas.material import Material
from tachylite.schemas.protocol import Protocol
from tachylite.schemas.run import Request, Run, Segment, State
from tachylite.schemas.steps import Result, Step
from tachylite.schemas.structure import StructureAnalysis
from tachylite.schemas.trajectory import Trajectory
from tachylite.schemas.transport import Diffusivity

__all__ = [
    "Diffusivity",
    "Failure",
    "Interval",
    "Material",
    "Measured",
    "Protocol",
    "Provenance",
    "Request",
    "Result",
    "Run",
    "Segment",
    "State",
    "Step",
    "StructureAnalysis",
    "Trajectory",
]
