"""Pair structure documents."""

from typing import Literal

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.base import Document


class PartialRDF(FrozenModel):
    """Partial g(r) of one pair and the coordination numbers it gives."""

    pair: str
    """Element symbols in alphabetical order, like Li-O."""
    g: list[float]
    g_error: list[float]
    first_peak_a: float | None
    first_minimum_a: float | None
    coordination: dict[str, Measured]
    """`Li-O`: oxygen neighbours of a lithium up to the first minimum; `O-Li`: the other way."""


class CoordinationNumbers(FrozenModel):
    """How many neighbours of one element the atoms of another have: AlO4, AlO5, AlO6 as fractions."""

    center: str
    neighbor: str
    cutoff_a: float
    mean: Measured
    fractions: dict[int, Measured]
    """Fraction of the central atoms with this number of neighbours; numbers that occur, without gaps."""


class BondAngles(FrozenModel):
    """Distribution of the angle between two bonds of a central atom."""

    triplet: str
    """The central element in the middle, like O-Si-O."""
    mean_deg: Measured
    deviation_deg: float
    """Standard deviation of the angles."""
    density_per_deg: list[float]
    """Normalised to 1 over bins of one degree, not divided by the sine."""
    density_error_per_deg: list[float]


class StructureFactor(FrozenModel):
    """A function of Q with its standard error."""

    values: list[float]
    errors: list[float]


class ScatteringAnalysis(FrozenModel):
    """Faber-Ziman partial structure factors, and F(Q) and S(Q) of neutrons and X-rays."""

    q_per_a: list[float]
    partials: dict[str, StructureFactor]
    neutron_f_barn_sr: StructureFactor | None
    """Per atom; None, as is `neutron_s`, where an element has no known scattering length."""
    neutron_s: StructureFactor | None
    xray_f: StructureFactor
    """Over the squared mean form factor."""
    xray_s: StructureFactor


class RingStatistics(FrozenModel):
    """Primitive rings of a network, per vertex of it."""

    network: str
    """The elements of the vertices and, in brackets, of the bridges between them, like `Si(O)`."""
    n_vertices: int
    rings_per_vertex: dict[int, Measured]
    """By the number of vertices in the ring."""


class GroupOrientation(FrozenModel):
    """Shape and mutual orientation of tetrahedral groups."""

    group: str
    """The centre and its ligands, like `P:O,N`."""
    fraction: Measured
    """Of the central atoms, those with four ligands; only these are counted."""
    tetrahedrality: Measured
    """1 for regular tetrahedra, 0 on average for bonds in random directions."""
    order: dict[int, Measured]
    """By rank, 3 and 4: 1 where all groups are turned alike, 0 where they are turned at random."""
    by_chance: dict[int, float]
    """By rank: standard deviation among single frames of so many groups turned at random."""


class StructureAnalysis(Document):
    """Partial g(r), coordination, bond angles and structure factors of a trajectory."""

    kind: Literal["structure"] = "structure"
    temperature_k: float | None
    n_frames: int
    r_a: list[float]
    """Bin centres."""
    partials: list[PartialRDF]
    total_g: list[float] = []
    """g(r) of all atoms alike."""
    total_g_error: list[float] = []
    coordinations: list[CoordinationNumbers] = []
    """Of the pairs that are bonds."""
    angles_deg: list[float] = []
    """Bin centres."""
    angles: list[BondAngles] = []
    scattering: ScatteringAnalysis | None = None
    rings: RingStatistics | None = None
    orientations: list[GroupOrientation] = []
    """Of the groups asked for."""
