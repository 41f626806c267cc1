"""Measure the structure of a trajectory: g(r), bonds and angles, structure factors, rings, polyhedra, crystallinity."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.structure.bonds import BondStatistics, analyse_bonds, bond_cutoffs, check_cutoffs
from tachylite.physics.structure.crystallinity import Crystallinity, measure_crystallinity
from tachylite.physics.structure.network import NetworkElements
from tachylite.physics.structure.orientation import analyse_orientation
from tachylite.physics.structure.pair_distribution import pair_structure
from tachylite.physics.structure.pairs import count_pairs
from tachylite.physics.structure.polyhedra import analyse_polyhedra
from tachylite.physics.structure.rings import analyse_rings
from tachylite.physics.structure.scattering import analyse_scattering
from tachylite.physics.volume import estimate_volume_per_atom
from tachylite.readers.frames import TrajectoryReader
from tachylite.schemas import Material, State, StructureAnalysis, Trajectory
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.start import StructureStart, SubstitutedStart

NO_SOLID = "is no solid"
"""How the reason begins of a structure that has dispersed."""

_LARGEST_VOLUME = 3.0
"""Over the estimate for the dense phase, which is right within a third."""

_LONGEST_A = 8.0


def measure_structure(
    trajectory: Trajectory, temperature_k: float | None = None, since_fs: float = 0.0
) -> StructureAnalysis:
    """Measure partial g(r), coordination and bond angles over the frames from a time in fs on.

    Up to 8 A, and short of the shortest cell edge, where an atom meets its own image.
    """
    chosen = trajectory.times_fs >= since_fs
    frames = take_frames(trajectory.positions[chosen], trajectory.cells[chosen], trajectory.numbers)
    return measure_frames(frames, temperature_k)


def measure_frames(
    frames: Frames,
    temperature_k: float | None = None,
    *,
    cutoffs_a: Mapping[str, float] | None = None,
    q_max_per_a: float | None = None,
    rings: bool = False,
    polyhedra: bool = False,
    groups: Mapping[str, Sequence[str]] | None = None,
    network: NetworkElements | None = None,
) -> StructureAnalysis:
    """Measure g(r), bonds, angles, the network, crystallinity, structure factors, rings, Voronoi polyhedra and groups.

    Bonds are the pairs with a cutoff in A, like `Si-O`; without cutoffs those that `bond_cutoffs` finds. Structure
    factors go up to `q_max_per_a` in 1/A. `groups` are the ligands of tetrahedral groups by their centre. `network`
    names formers and anions; without it they are found. Crystallinity is that of the last frame. The frames are read
    twice, and once more for each further analysis; only the last is kept in memory. Raises InputError for a pair
    without cutoff that rings, groups or a named network need, and as the analyses do.
    """
    blocks = _RememberingBlocks(frames.blocks)
    frames = Frames(frames.numbers, blocks)
    _, cell = next(iter(frames))
    shortest = float(np.linalg.norm(cell, axis=1).min())
    counts = count_pairs(frames, min(_LONGEST_A, shortest - 0.1))
    pairs = pair_structure(counts)
    cutoffs = bond_cutoffs(pairs) if cutoffs_a is None else dict(cutoffs_a)
    if rings and not cutoffs:
        raise InputError("rings need bonds, and none are found; give a cutoff such as --cutoff Si-O=2.0")
    check_cutoffs(cutoffs, [] if network is None else network.pairs)
    bonds = analyse_bonds(frames, cutoffs, network) if cutoffs else BondStatistics()
    return StructureAnalysis(
        **dict(pairs),
        **dict(bonds),
        **dict(measure_crystallinity(*blocks.last_frame, frames.numbers)),
        temperature_k=temperature_k,
        n_frames=counts.n_frames,
        scattering=None if q_max_per_a is None else analyse_scattering(frames, counts.n_frames, q_max_per_a),
        rings=analyse_rings(frames, counts.n_frames, cutoffs) if rings else None,
        polyhedra=analyse_polyhedra(frames, counts.n_frames) if polyhedra else None,
        orientations=[
            analyse_orientation(frames, cutoffs, center, ligands) for center, ligands in (groups or {}).items()
        ],
    )


def crystallinity_of(state: State) -> Crystallinity:
    """Tell whether a state is a crystal."""
    return measure_crystallinity(np.asarray(state.positions), np.asarray(state.cell), np.asarray(state.numbers))


def checked_to_be_solid(relaxation: Relaxation) -> Relaxation:
    """The relaxation; failed where its cell was free and what it holds has dispersed, as a gas or molecules apart."""
    state = relaxation.state
    if relaxation.status == "failed" or not relaxation.relax_cell:
        return relaxation
    dense = estimate_volume_per_atom(Counter(state.atoms.get_chemical_symbols())).volume_a3_per_atom
    growth = state.volume_a3 / len(state.numbers) / dense
    if growth < _LARGEST_VOLUME:
        return relaxation
    reason = f"{NO_SOLID}: its volume is {growth:.0f} times that of a dense phase"
    return relaxation.model_copy(update={"status": "failed", "reason": reason})


def lost_crystals(material: Material) -> list[str]:
    """Titles of the results that are amorphous, of a material that began as a crystal."""
    start = material.start
    if not isinstance(start, StructureStart | SubstitutedStart):
        return []
    first = start.state if isinstance(start, StructureStart) else start.host
    amorphous = [r for r in material.results if (order := r.measured_order) and order.crystalline is False]
    if not amorphous or crystallinity_of(first).crystalline is not True:
        return []
    return [result.title for result in amorphous]


def frames_of_file(trajectory: TrajectoryReader) -> Frames:
    """Frames of a file for static analysis, not unwrapped; the file is read block by block in every pass."""
    return Frames(trajectory.numbers, _Blocks(trajectory))


@dataclass(frozen=True)
class _Blocks:
    trajectory: TrajectoryReader

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for block in self.trajectory.blocks(unwrap=False):
            yield block.positions, block.cells


@dataclass
class _RememberingBlocks:
    """Blocks of frames that keep the last frame, so that it needs no pass of its own through a file."""

    blocks: Iterable[tuple[Array, Array]]
    last_frame: tuple[Array, Array] = field(init=False)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for positions, cells in self.blocks:
            if len(positions):
                self.last_frame = positions[-1], cells[-1]
            yield positions, cells
