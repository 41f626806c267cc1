"""The first structures."""

from collections.abc import Sequence

from jobflow import job

from tachylite.engines.materials_project import materials_project_volume
from tachylite.engines.packmol import pack
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.physics.packing import estimate_volume_per_atom
from tachylite.schemas import Protocol, State


@job
def pack_structures(formulas: Sequence[str], protocol: Protocol, seed: int) -> list[State]:
    """Pack every formula at random, somewhat wider than its dense phase is thought to be."""
    return [_pack(formula, protocol, seed + index) for index, formula in enumerate(formulas)]


def _pack(formula: str, protocol: Protocol, seed: int) -> State:
    counts = atom_counts(parse_formula(formula), protocol.packing.n_atoms)
    dense = materials_project_volume(formula) or estimate_volume_per_atom(counts)[0]
    return pack(counts, dense * sum(counts.values()) * protocol.packing.volume_factor, seed)
