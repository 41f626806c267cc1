"""What `tachylite run` and `submit` were asked for, checked before anything is computed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from tachylite.cli.campaigns.surfaces import NO_SURFACES, SurfaceOptions
from tachylite.configs import load_protocol
from tachylite.engines import Engine, get_engine
from tachylite.engines.materials_project import is_mp_id, materials_project_structure
from tachylite.errors import InputError
from tachylite.flows.members import Member, members_of, refuse_twice
from tachylite.physics.composition import SYMBOLS
from tachylite.physics.substitution import Replacement, check_neutral
from tachylite.physics.supercell import nearly_cubic_supercell
from tachylite.readers.structures import read_structures
from tachylite.schemas import Material, Protocol, State
from tachylite.schemas.start import (
    InterfaceStart,
    PackedStart,
    SlabStart,
    Start,
    StructureStart,
    SubstitutedStart,
)


@dataclass(frozen=True)
class Plan:
    """A cohort, and how it is computed."""

    members: list[Member]
    protocol: Protocol
    engine: Engine
    seed: int
    crystals: dict[str, Structure]
    """By reduced formula."""

    def without(self, materials: Iterable[Material]) -> list[Member]:
        """Members that none of these materials answers; a crystal asks for energies above it."""
        answered = {one.material_id for one in materials if one.answers(above_crystal=one.formula in self.crystals)}
        return [member for member in self.members if member.material_id not in answered]


def make_plan(
    formulas: Sequence[str],
    protocol: str,
    engine: str,
    *,
    structures: Sequence[str] = (),
    substitutions: Sequence[str] = (),
    surfaces: SurfaceOptions = NO_SURFACES,
    crystals: Sequence[str] = (),
    n_atoms: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any],
    dry_run: bool = False,
) -> Plan:
    """Check what was asked for, and load what it names.

    `structures` and `crystals` are files or mp-ids, `options` go to the engine. Raises InputError for an unknown
    formula, element, protocol, engine or option, a start given twice, a structure that cannot be read, a substitution
    or a slab that cannot be made, cross-sections that do not fit, and a crystal of none of the formulas.
    """
    chosen = load_protocol(protocol).with_atoms(n_atoms)
    starts: list[Start] = list(surfaces.slab_starts([named for text in surfaces.slabs for named in _read(text)]))
    melted: dict[str, Structure] = {}
    if surfaces.interface is not None:
        starts += _interface_starts(surfaces, surfaces.interface, formulas, structures, substitutions)
        formulas, structures = (), ()
    starts += [PackedStart(formula=formula) for formula in formulas]
    if structures and chosen.crystal_samples:
        melted = _crystals_to_melt(structures, substitutions, chosen)
        starts += [start for crystal in melted.values() for start in _samples_of(crystal, chosen.crystal_samples)]
    else:
        starts += _structure_starts(structures, substitutions, chosen.packing.n_atoms)
    _refuse_volume_search(starts, chosen)
    forces = get_engine(engine, **options)
    members = members_of(starts, protocol=chosen, engine=forces, seed=seed)
    refuse_twice(members)
    known = [member.formula for member in members]
    above = melted | dict(_crystal_of(name, structure, known) for text in crystals for name, structure in _read(text))
    if not (dry_run and forces.name == "vasp"):  # which writes POTCAR.spec where there are no POTCARs
        forces.check_elements(sorted({symbol for member in members for symbol in member.elements}))
        for name, settings in (other for step in chosen.steps for other in step.other_engines):
            get_engine(name, **settings).check_elements(sorted({s for member in members for s in member.elements}))
    return Plan(members, chosen, forces, seed, above)


def _read(text: str) -> list[tuple[str, Structure]]:
    """Structures of a file, or the one of an mp-id, with their names."""
    return [(text, materials_project_structure(text))] if is_mp_id(text) else read_structures(Path(text))


def _crystals_to_melt(
    structures: Sequence[str], substitutions: Sequence[str], protocol: Protocol
) -> dict[str, Structure]:
    """Crystals by reduced formula; raises InputError for two of the same composition."""
    if substitutions:
        raise InputError(f"protocol {protocol.name} packs the composition of a structure; leave --substitute out")
    crystals: dict[str, Structure] = {}
    for name, structure in (named for text in structures for named in _read(text)):
        formula = structure.composition.reduced_formula
        if formula in crystals:
            raise InputError(f"{name} is {formula}, as another structure is; give one crystal of a composition")
        crystals[formula] = structure
    return crystals


def _samples_of(crystal: Structure, number: int) -> list[Start]:
    """Independent samples of the composition of a crystal."""
    formula, volume = crystal.composition.reduced_formula, crystal.volume / len(crystal)
    return [PackedStart(formula=formula, crystal_volume_a3_per_atom=volume, sample=i) for i in range(number)]


def _structure_starts(structures: Sequence[str], substitutions: Sequence[str], at_least: int) -> list[Start]:
    """Supercells of at least so many atoms, with atoms replaced where that is asked for."""
    replacements = [_parse_substitution(text) for text in substitutions]
    if replacements and not structures:
        raise InputError("--substitute replaces atoms of a crystal; give one with --structure")
    starts: list[Start] = []
    for name, structure in (named for text in structures for named in _read(text)):
        matrix = nearly_cubic_supercell(structure.lattice.matrix, len(structure), at_least)
        larger = structure if np.array_equal(matrix, np.eye(3)) else structure.make_supercell(matrix, in_place=False)
        state = State.from_structure(larger)
        if replacements:
            start = SubstitutedStart(source=name, host=state, replacements=replacements)
            check_neutral(StructureStart(state=state).counts(at_least), start.counts(at_least))
            starts.append(start)
        else:
            starts.append(StructureStart(source=name, state=state))
    return starts


def _interface_starts(
    surfaces: SurfaceOptions,
    crystal: str,
    formulas: Sequence[str],
    structures: Sequence[str],
    substitutions: Sequence[str],
) -> Iterable[Start]:
    """Formulas and structures on a slab of one crystal; raises InputError where there is none of either."""
    if substitutions:
        raise InputError("--substitute replaces atoms of a crystal, which an interface does not; leave it out")
    if not formulas and not structures:
        raise InputError("--interface needs what is put on the crystal: a formula, or a glass with --structure")
    substrates = _read(crystal)
    if len(substrates) != 1:
        raise InputError(f"{crystal} holds {len(substrates)} structures; --interface takes one crystal")
    glasses = [named for text in structures for named in _read(text)]
    return surfaces.interface_starts(substrates[0], formulas, glasses)


def _refuse_volume_search(starts: Sequence[Start], protocol: Protocol) -> None:
    """Raise InputError where the cell of a slab or an interface would be scaled in all directions."""
    search = next((step for step in protocol.steps if step.kind == "volume"), None)
    layered = next((start for start in starts if isinstance(start, SlabStart | InterfaceStart)), None)
    if search is not None and layered is not None:
        raise InputError(
            f"step {search.name} of protocol {protocol.name} scales the whole cell, and with it the crystal of "
            f"{layered.title}; give a protocol without it, that holds the pressure with 'cell: normal'"
        )


def _parse_substitution(text: str) -> Replacement:
    """Read `Ge=Si:0.5`, or `Ge=Si` for all of it."""
    element, _, rest = text.partition("=")
    by, colon, fraction = rest.partition(":")
    try:
        if not {element, by} <= SYMBOLS:
            raise ValueError
        return Replacement(element=element, by=by, fraction=float(fraction) if colon else 1.0)
    except ValueError:
        raise InputError(f"--substitute {text!r} is not ELEMENT=ELEMENT:FRACTION, like Ge=Si:0.5") from None


def _crystal_of(name: str, structure: Structure, formulas: Sequence[str]) -> tuple[str, Structure]:
    """The reduced formula that a crystal belongs to; raises InputError where it is of none of these."""
    formula = structure.composition.reduced_formula
    if formula not in formulas:
        raise InputError(f"crystal {name} is {formula}, and not {' or '.join(formulas)}")
    return formula, structure


def check_program(engine: Engine) -> None:
    """Look for the program that an engine calls before anything is computed; a dry run and `submit` do without it."""
    from tachylite.engines.espresso.engine import EspressoEngine

    if isinstance(engine, EspressoEngine):
        engine.check_program()
    if engine.name == "vasp":
        from tachylite.engines.vasp.setup import vasp_command

        vasp_command()
