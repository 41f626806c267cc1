"""Pair structure documents."""

from typing import Literal

from tachylite.schemas.base import Document, Frozen, Measured


class PartialRDF(Frozen):
    """Partial g(r) of one pair and the coordination numbers it gives."""

    pair: str
    """Element symbols in alphabetical order, like Li-O."""
    g: list[float]
    g_error: list[float]
    first_peak_a: float | None
    first_minimum_a: float | None
    coordination: dict[str, Measured]
    """`Li-O`: oxygen neighbours of a lithium up to the first minimum; `O-Li`: the other way."""


class StructureAnalysis(Document):
    """Partial g(r) and coordination of a trajectory."""

    kind: Literal["structure"] = "structure"
    temperature_k: float | None
    n_frames: int
    r_a: list[float]
    """Bin centres."""
    partials: list[PartialRDF]
