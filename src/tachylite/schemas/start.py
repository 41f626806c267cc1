"""How a member begins: packed at random, as a structure, with sites replaced, as a slab, or as an interface."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field
from pymatgen.core import Structure

from tachylite.measured import FrozenModel
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.physics.faces import Face, face_name
from tachylite.physics.molecules import molecule_atoms
from tachylite.physics.substitution import Replacement, replaced_counts
from tachylite.schemas.run import State


class PackedStart(FrozenModel):
    """Atoms of a composition at random places, without overlaps."""

    kind: Literal["packed"] = "packed"
    formula: str
    """As written."""
    volume: Literal["estimated", "stable phases"] = "estimated"
    """What the protocol's volume factor multiplies: an estimate from the composition, or the volume of the phases that
    are stable there, as they relax with the engine."""
    crystal_volume_a3_per_atom: Annotated[float, Field(gt=0)] | None = None
    """Of the crystal whose composition is packed; it takes the place of the estimate."""
    sample: Annotated[int, Field(ge=0)] = 0
    """Number of an independent sample of the same composition."""

    @property
    def title(self) -> str:
        """How it is spoken of."""
        return f"{self.formula} ({self.sample + 1})" if self.sample else self.formula

    def counts(self, n_atoms: int) -> dict[str, int]:
        """Atoms of each element, in whole formula units nearest to a number of atoms."""
        return atom_counts(parse_formula(self.formula), n_atoms)


class StructureStart(FrozenModel):
    """A structure as it is."""

    kind: Literal["structure"] = "structure"
    source: str = ""
    """The file, and its frame where it holds several, or the mp-id."""
    state: State

    @property
    def title(self) -> str:
        """How it is spoken of."""
        return self.source or self.state.formula

    def counts(self, n_atoms: int) -> dict[str, int]:
        """Atoms of each element; a structure has its own number of them."""
        return dict(Counter(self.state.atoms.get_chemical_symbols()))


class SubstitutedStart(FrozenModel):
    """A crystal with atoms of some elements replaced, on sites as uncorrelated as their number allows."""

    kind: Literal["substituted"] = "substituted"
    source: str = ""
    """Where the crystal comes from."""
    host: State
    replacements: Annotated[list[Replacement], Field(min_length=1)]

    @property
    def title(self) -> str:
        """How it is spoken of."""
        return f"{self.source or self.host.formula} with {', '.join(r.title for r in self.replacements)}"

    def counts(self, n_atoms: int) -> dict[str, int]:
        """Atoms of each element after the replacements; a structure has its own number of them."""
        return replaced_counts(Counter(self.host.atoms.get_chemical_symbols()), self.replacements)


class SlabStart(FrozenModel):
    """A slab of a crystal under vacuum, or under molecules of a gas at random places."""

    kind: Literal["slab"] = "slab"
    source: str = ""
    """Where the crystal comes from."""
    face: Face
    slab: State
    """In its cell with the vacuum; the third lattice vector is the normal, along z."""
    molecules: dict[str, Annotated[int, Field(gt=0)]] = {}
    """How many of each, like 8 CO2."""

    @property
    def title(self) -> str:
        """How it is spoken of."""
        gas = ", ".join(f"{number} {name}" for name, number in self.molecules.items())
        return f"{self.source or self.slab.formula} {face_name(self.face)} slab" + (f" under {gas}" if gas else "")

    def counts(self, n_atoms: int) -> dict[str, int]:
        """Atoms of each element, of slab and molecules."""
        counts = Counter(self.slab.atoms.get_chemical_symbols())
        for name, number in self.molecules.items():
            counts.update(molecule_atoms(name).get_chemical_symbols() * number)
        return dict(counts)


class LateralStrain(FrozenModel):
    """By how much two layers are stretched in their plane to share a cross-section: principal strains."""

    crystal: tuple[float, float]
    partner: tuple[float, float]

    @property
    def title(self) -> str:
        """In percent: `crystal strained by +0.5, -0.2 %, glass by ...`."""
        crystal, partner = (
            ", ".join(f"{100 * strain:+.1f}" for strain in side) for side in (self.crystal, self.partner)
        )
        return f"crystal strained by {crystal} %, glass by {partner} %"


class InterfaceStart(FrozenModel):
    """A slab of a crystal with a glass on it; through the periodic cell the glass meets both sides of the slab."""

    kind: Literal["interface"] = "interface"
    source: str = ""
    """Where the crystal comes from."""
    face: Face
    crystal: State
    """The slab, strained where the glass has its own cross-section; the height of its cell is that of slab and gap."""
    partner: Annotated[PackedStart | StructureStart, Field(discriminator="kind")]
    """A composition that is packed on the cross-section of the crystal, or a glass, strained to the common one."""
    partner_atoms: Annotated[int, Field(gt=0)]
    """Target number of atoms of the partner."""
    gap_a: Annotated[float, Field(gt=0)]
    """Between the outermost atoms of the slab and the glass, at both interfaces."""
    strain: LateralStrain | None = None
    """None where the glass is packed on the cross-section of the crystal as it is."""

    @property
    def title(self) -> str:
        """How it is spoken of."""
        strained = f" ({self.strain.title})" if self.strain else ""
        return f"{self.source or self.crystal.formula} {face_name(self.face)} | {self.partner.title}{strained}"

    def counts(self, n_atoms: int) -> dict[str, int]:
        """Atoms of each element, of both sides."""
        crystal = Counter(self.crystal.atoms.get_chemical_symbols())
        return dict(crystal + Counter(self.partner.counts(self.partner_atoms)))


type Start = Annotated[
    PackedStart | StructureStart | SubstitutedStart | SlabStart | InterfaceStart, Field(discriminator="kind")
]


def as_start(given: "str | Structure | State | Start") -> "Start":
    """A formula is packed, a structure taken as it is."""
    match given:
        case str():
            return PackedStart(formula=given)
        case Structure():
            return StructureStart(state=State.from_structure(given))
        case State():
            return StructureStart(state=given)
    return given
