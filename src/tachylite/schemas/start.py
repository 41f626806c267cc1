"""How a member begins: packed at random from a composition, as a structure, or as one with sites replaced."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field
from pymatgen.core import Structure

from tachylite.measured import FrozenModel
from tachylite.physics.composition import atom_counts, parse_formula
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


type Start = Annotated[PackedStart | StructureStart | SubstitutedStart, Field(discriminator="kind")]


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
