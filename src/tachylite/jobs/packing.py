"""The first structures."""

from collections.abc import Sequence

from jobflow import job

from tachylite.engines.materials_project import starting_volume
from tachylite.engines.packmol import pack
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.schemas import Protocol, State


@job
def pack_structures(formulas: Sequence[str], protocol: Protocol, seed: int) -> list[State]:
    """Pack every formula at random, somewhat wider than its dense phase is thought to be.

    The seed is the same for all, so that a formula starts from the same structure in whatever company.
    """
    return [pack_formula(formula, protocol, seed) for formula in formulas]


def pack_formula(text: str, protocol: Protocol, seed: int) -> State:
    """Pack one formula at random in a cell of the estimated volume times the protocol's factor."""
    formula = parse_formula(text)
    counts = atom_counts(formula, protocol.packing.n_atoms)
    dense = starting_volume(formula).volume_a3_per_atom
    return pack(counts, dense * sum(counts.values()) * protocol.packing.volume_factor, seed)
