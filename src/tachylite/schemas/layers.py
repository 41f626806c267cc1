"""Documents of what happens where: densities, motion and bonds in the layers of a cell."""

from typing import Literal

from tachylite.arrays import FloatList
from tachylite.measured import FrozenModel, Measured
from tachylite.physics.layers import Exchange, Normal
from tachylite.physics.structure.layers import BondChanges, ConnectedGroups, LayerCoordination
from tachylite.physics.transport.diffusivity import DiffusivityEstimate
from tachylite.schemas.base import Document


class LayeredElement(FrozenModel):
    """Atoms of one element in every layer; lists have the shape (n_layers,)."""

    species: str
    density_per_a3: list[Measured]
    in_plane: list[DiffusivityEstimate] = []
    """Of ions while they stay in their layer; without times there are none."""
    normal: list[DiffusivityEstimate] = []
    """Along the normal, of ions that begin in the middle of the layer."""
    exchanges: list[Exchange] = []
    """Through the plane at the bottom of every layer."""


class LayerAnalysis(Document):
    """Density, coordination, diffusivity and bonds resolved by layers of equal thickness."""

    kind: Literal["layers"] = "layers"
    normal: Normal
    thickness_a: float
    """Of one layer, in the mean cell."""
    area_a2: float
    centres_a: FloatList
    n_frames: int
    n_frames_of_bonds: int
    """Of these, those in which bonds were looked for."""
    length_ps: float | None = None
    elements: list[LayeredElement]
    coordinations: list[LayerCoordination] = []
    stretches: FloatList = []
    """Middles of the stretches of time that groups and bonds are given for: in ps, or in frames without times."""
    groups: list[ConnectedGroups] = []
    bonds: list[BondChanges] = []

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return len(self.centres_a)
