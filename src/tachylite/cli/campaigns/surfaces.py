"""What --slab and --interface ask for, made starts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from tachylite.errors import InputError
from tachylite.physics.composition import parse_formula
from tachylite.physics.faces import Face, Layer, cut_slab, match_layers, upright
from tachylite.physics.molecules import molecule_atoms
from tachylite.physics.volume import estimate_volume_per_atom
from tachylite.schemas import State
from tachylite.schemas.start import InterfaceStart, LateralStrain, PackedStart, SlabStart, StructureStart

type Named = tuple[str, Structure]
"""A structure with the name of its file."""


@dataclass(frozen=True)
class SurfaceOptions:
    """Options of slabs and interfaces as they are written; lengths in A, moduli in GPa."""

    slabs: Sequence[str] = ()
    """Files or mp-ids of crystals under vacuum."""
    interface: str | None = None
    """That of the crystal on which the formulas and structures are put."""
    face: str | None = None
    thickness_a: float = 12.0
    partner_thickness_a: float | None = None
    """If not given, as thick as the crystal."""
    width_a: float = 10.0
    gap_a: float = 2.0
    vacuum_a: float = 15.0
    molecules: Sequence[str] = ()
    largest_mismatch: float = 0.05
    moduli: str | None = None

    def __post_init__(self) -> None:
        if self.face is not None and not self.slabs and self.interface is None:
            raise InputError("--face is that of a crystal; give one with --slab or --interface")
        if self.face is None and (self.slabs or self.interface is not None):
            raise InputError("a slab needs its face; give one with --face, like 110")
        if self.molecules and not self.slabs:
            raise InputError("--molecule is packed above a slab; give one with --slab")
        for option, length in (("--vacuum", self.vacuum_a), ("--gap", self.gap_a)):
            if not 0 < length < np.inf:
                raise InputError(f"{option} {length:g} is no length in A; it must be positive")

    def slab_starts(self, crystals: Sequence[Named]) -> Iterator[SlabStart]:
        """Slabs of crystals under vacuum, each with the molecules."""
        molecules = parse_molecules(self.molecules)
        for name, structure in crystals:
            face, slab = self._slab(structure)
            yield SlabStart(source=name, face=face, slab=_state(slab, self.vacuum_a), molecules=molecules)

    def interface_starts(
        self, crystal: Named, formulas: Sequence[str], glasses: Sequence[Named]
    ) -> Iterator[InterfaceStart]:
        """One for each formula and each glass, on the same face of the crystal."""
        face, slab = self._slab(crystal[1])
        common = {"source": crystal[0], "face": face, "gap_a": self.gap_a}
        for formula in formulas:
            thickness = self.thickness_a if self.partner_thickness_a is None else self.partner_thickness_a
            n_atoms = _atoms_of(formula, thickness * slab.area_a2)
            crystal_state, packed = _state(slab, self.gap_a), PackedStart(formula=formula)
            yield InterfaceStart(**common, crystal=crystal_state, partner=packed, partner_atoms=n_atoms)
        for name, glass in glasses:
            layer = upright(np.array(glass.atomic_numbers), glass.cart_coords, glass.lattice.matrix)
            narrow = cut_slab(crystal[1], face, self.thickness_a, 1e-3)
            match = match_layers(narrow, layer, self.width_a, parse_moduli(self.moduli), self.largest_mismatch)
            yield InterfaceStart(
                **common,
                crystal=_state(match.first, self.gap_a),
                partner=StructureStart(source=name, state=_state(match.second, 0.0)),
                partner_atoms=len(match.second.numbers),
                strain=LateralStrain(crystal=match.first_strain, partner=match.second_strain),
            )

    def _slab(self, structure: Structure) -> tuple[Face, Layer]:
        face = parse_face(self.face or "")
        return face, cut_slab(structure, face, self.thickness_a, self.width_a)


NO_SURFACES = SurfaceOptions()
"""Neither slabs nor interfaces."""


def parse_face(text: str) -> Face:
    """Miller indices from `110`, `1-10` or `10,1,0`; InputError for anything but three whole numbers."""
    words = text.split(",") if "," in text else re.findall(r"-?\d", text)
    try:
        first, second, third = (int(word) for word in words)
        if "," not in text and "".join(words) != text.strip():
            raise ValueError
    except ValueError:
        raise InputError(f"--face {text!r} is not three Miller indices, like 110, 1-10 or 10,1,0") from None
    return first, second, third


def parse_molecules(words: Sequence[str]) -> dict[str, int]:
    """Numbers of molecules from `CO2=8`; InputError for words of another form and unknown molecules."""
    molecules: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if not number.isdecimal() or int(number) < 1:
            raise InputError(f"--molecule {word!r} is not MOLECULE=NUMBER, like CO2=8")
        molecule_atoms(name)
        molecules[name] = molecules.get(name, 0) + int(number)
    return molecules


def parse_moduli(text: str | None) -> tuple[float, float] | None:
    """Moduli of crystal and glass in GPa from `5,77`; InputError for anything but two positive numbers."""
    if text is None:
        return None
    try:
        crystal, glass = (float(word) for word in text.split(","))
        if not (0 < crystal < np.inf and 0 < glass < np.inf):
            raise ValueError
    except ValueError:
        raise InputError(f"--moduli {text!r} is not two moduli in GPa, of crystal and glass, like 5,77") from None
    return crystal, glass


def _atoms_of(formula: str, volume_a3: float) -> int:
    """Atoms of a dense phase in a volume; InputError where not even one has room."""
    amounts = parse_formula(formula).unit
    n_atoms = int(volume_a3 / estimate_volume_per_atom(amounts).volume_a3_per_atom)
    if n_atoms < 1:
        raise InputError(f"no atom of {formula} has room in a layer of {volume_a3:.3g} A^3; give a larger thickness")
    return n_atoms


def _state(layer: Layer, space_a: float) -> State:
    """A layer in a cell as high as its atoms reach and so much more, or as the volume of a cut glass."""
    height = layer.thickness_a + space_a
    cell = [[*layer.plane[0], 0.0], [*layer.plane[1], 0.0], [0.0, 0.0, height]]
    return State(numbers=layer.numbers.tolist(), positions=layer.positions.tolist(), cell=cell)
