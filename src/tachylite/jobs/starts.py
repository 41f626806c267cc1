"""The first structures of a cohort."""

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jobflow import job

from tachylite.analysis.phases import Hulls
from tachylite.engines.materials_project import starting_volume
from tachylite.engines.packmol import pack, pack_cell
from tachylite.errors import InputError
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.physics.molecules import CLOSEST_A, place_molecules
from tachylite.physics.substitution import check_neutral, quasirandom_sites
from tachylite.schemas import Protocol, State
from tachylite.schemas.phases import RelaxedPhase
from tachylite.schemas.start import InterfaceStart, PackedStart, SlabStart, Start, SubstitutedStart

logger = logging.getLogger(__name__)


@job
def make_structures(
    starts: Sequence[Start], protocol: Protocol, seed: int, phases: Sequence[RelaxedPhase] = ()
) -> list[State]:
    """Make the first structure of every member; `phases` are those of its chemical systems, where volumes need them.

    The seed is the same for all, so that a member starts from the same structure in whatever company.
    """
    hulls = Hulls(phases)
    return [make_structure(start, protocol, seed, hulls) for start in starts]


def make_structure(start: Start, protocol: Protocol, seed: int, hulls: Hulls | None = None) -> State:
    """Pack a composition, take a structure as it is, replace atoms of it, put a gas on a slab or a glass on a crystal.

    `hulls` tell the volumes of starts that take that of the stable phases.
    """
    match start:
        case PackedStart():
            volume = start.crystal_volume_a3_per_atom
            if start.volume == "stable phases" and hulls:
                volume = _volume_of_phases(start, protocol, hulls)
            return pack_formula(start.formula, protocol, seed + start.sample, volume)
        case SubstitutedStart():
            return substitute(start, seed)
        case SlabStart():
            return put_gas_on(start, seed)
        case InterfaceStart():
            return put_glass_on(start, protocol, seed)
    return start.state


def _volume_of_phases(start: PackedStart, protocol: Protocol, hulls: Hulls) -> float | None:
    """Volume in A^3 per atom of what is stable at a composition; None, with a warning, where no crystals tell."""
    counts = start.counts(protocol.packing.n_atoms)
    try:
        return hulls.of(counts).volume(counts)
    except InputError as error:
        logger.warning("the volume of %s is estimated: %s", start.title, error)
        return None


def pack_formula(text: str, protocol: Protocol, seed: int, volume_a3_per_atom: float | None = None) -> State:
    """Pack one formula at random in a cell of a volume, if not given the estimated one, times the protocol's factor."""
    formula = parse_formula(text)
    counts = atom_counts(formula, protocol.packing.n_atoms)
    dense = volume_a3_per_atom or starting_volume(formula).volume_a3_per_atom
    return pack(counts, dense * sum(counts.values()) * protocol.packing.volume_factor, seed)


def substitute(start: SubstitutedStart, seed: int) -> State:
    """Replace atoms of a crystal on quasi-random sites; raises InputError where the result cannot be neutral."""
    symbols = np.array(start.host.atoms.get_chemical_symbols())
    positions, cell = np.array(start.host.positions), np.array(start.host.cell)
    check_neutral(Counter(symbols.tolist()), start.counts(len(symbols)))
    sites_of = {replacement.element: symbols == replacement.element for replacement in start.replacements}
    rng = np.random.default_rng(seed)
    for replacement in start.replacements:
        number = replacement.number_of(int(sites_of[replacement.element].sum()))
        left = np.flatnonzero(sites_of[replacement.element] & (symbols == replacement.element))
        symbols[left[quasirandom_sites(positions[left], cell, number, rng)]] = replacement.by
    atoms = start.host.atoms
    atoms.set_chemical_symbols(symbols.tolist())
    return State.from_atoms(atoms)


def put_gas_on(start: SlabStart, seed: int) -> State:
    """Place the molecules above a slab; raises InputError where there is no room for them."""
    slab = start.slab.atoms
    above = float(slab.positions[:, 2].max()) + CLOSEST_A
    for molecule, positions in place_molecules(start.molecules, slab.positions, slab.cell.array, above, seed):
        molecule.positions = positions
        slab += molecule
    return State.from_atoms(slab)


def put_glass_on(start: InterfaceStart, protocol: Protocol, seed: int) -> State:
    """Stack a slab and its partner, which is packed on the slab's cross-section where it is a composition."""
    crystal = start.crystal.atoms
    base = np.array(start.crystal.cell)
    partner = start.partner
    if isinstance(partner, PackedStart):
        counts = partner.counts(start.partner_atoms)
        dense = starting_volume(parse_formula(partner.formula)).volume_a3_per_atom
        volume = dense * sum(counts.values()) * protocol.packing.volume_factor
        area = start.crystal.volume_a3 / base[2, 2]
        glass = pack_cell(counts, np.array([base[0], base[1], [0.0, 0.0, volume / area]]), seed + partner.sample).atoms
    else:
        glass = partner.state.atoms
    height = float(base[2, 2] + glass.cell[2, 2] + start.gap_a)
    glass.positions[:, 2] += base[2, 2]
    crystal += glass
    crystal.cell[2] = [0.0, 0.0, height]
    return State.from_atoms(crystal)
