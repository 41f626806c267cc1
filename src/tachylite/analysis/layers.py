"""Measure what happens where: densities, diffusion, exchange and bonds by layer, from frames read block by block."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from ase.data import atomic_masses

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import Frames
from tachylite.physics.layers import Integers, Layering, Normal, exchanges, layer_densities
from tachylite.physics.structure.bonds import cutoff_table
from tachylite.physics.structure.layers import LayerBonds, bond_lengths
from tachylite.physics.transport.layers import layer_diffusivities
from tachylite.physics.transport.tracks import Tracker, Tracks
from tachylite.readers.frames import Block, TrajectoryReader, spacing_fs
from tachylite.schemas import Trajectory
from tachylite.schemas.layers import LayerAnalysis, LayeredElement
from tachylite.units import FS_PER_PS

_FRAMES_OF_BONDS = 200
"""Frames in which bonds are looked for, at most, evenly over the run."""

_STRETCHES = 5

type Blocks = Callable[[], Iterator[Block]]
"""Reads the frames from the first one, with positions that follow the atoms through the faces of the cell."""


def measure_layers(
    frames: TrajectoryReader, n_layers: int, normal: Normal = "c", lengths_a: Mapping[str, float] | None = None
) -> LayerAnalysis:
    """Measure layers of a file, across one of its lattice vectors; motion is measured where it has times.

    `lengths_a` are largest lengths of bonds by pair, like `P-O`, in A; else 1.25 times the sum of covalent radii.
    Raises InputError for layers thinner than 3 A, pairs of other elements, and frames that are not equally spaced.
    """
    times = np.concatenate([block.times_fs for block in frames.blocks(unwrap=False)])
    frame_fs = spacing_fs(times, frames.path) if frames.has_times and len(times) > 1 else None
    return _measure(frames.blocks, frames.numbers, n_layers, normal, frame_fs, lengths_a)


def measure_layers_of_run(trajectory: Trajectory, n_layers: int, lengths_a: Mapping[str, float]) -> LayerAnalysis:
    """Measure layers of a run made here, across its third lattice vector, as `measure_layers` does."""

    def blocks() -> Iterator[Block]:
        yield Block(trajectory.positions, trajectory.cells, trajectory.times_fs)

    frame_fs = float(np.diff(trajectory.times_fs[:2])[0]) if trajectory.n_frames > 1 else None
    return _measure(blocks, trajectory.numbers, n_layers, "c", frame_fs, lengths_a)


def _measure(
    blocks: Blocks,
    numbers: Integers,
    n_layers: int,
    normal: Normal,
    frame_fs: float | None,
    lengths_a: Mapping[str, float] | None,
) -> LayerAnalysis:
    tracker = Tracker(atomic_masses[numbers], np.arange(len(numbers)), np.zeros((1, len(numbers))))
    origin = None
    for block in blocks():
        origin = _centre(block, numbers) if origin is None else origin
        tracker.add(block.positions, block.cells)
    if origin is None:
        raise InputError("there are no frames to analyse")
    tracks = tracker.tracks()
    layering = Layering(tracks.cell, normal, n_layers)
    # positions relative to the centre of mass, which is put where it was in the first frame
    turned = tracks.positions @ layering.axes.T
    places = layering.places(turned[..., 2] + float(origin @ tracks.cell @ layering.axes[2]))
    spacing = None if frame_fs is None or tracks.n_frames < 2 else frame_fs * tracks.stride
    kinds = Frames(numbers, ()).kinds
    symbols = Frames(numbers, ()).symbols
    lengths = cutoff_table(bond_lengths(symbols) | _ordered(lengths_a or {}), symbols)
    step = tracks.stride * -(-len(places) // _FRAMES_OF_BONDS)
    n_frames_of_bonds = -(-tracks.n_frames // step)
    bonds = LayerBonds(kinds, symbols, lengths, n_layers, min(_STRETCHES, n_frames_of_bonds))
    _add_bonds(bonds, blocks, tracks, layering.indices(places), step)
    length = (tracks.n_frames - 1) * (frame_fs or 0.0) / FS_PER_PS
    return LayerAnalysis(
        normal=normal,
        thickness_a=layering.thickness_a,
        area_a2=layering.area_a2,
        centres_a=layering.centres_a,
        n_frames=tracks.n_frames,
        n_frames_of_bonds=n_frames_of_bonds,
        length_ps=length if spacing else None,
        elements=[
            _element(symbol, turned[:, kinds == kind], places[:, kinds == kind], layering, spacing)
            for kind, symbol in enumerate(symbols)
        ],
        coordinations=bonds.coordinations(),
        stretches=(np.arange(bonds.n_stretches) + 0.5) / bonds.n_stretches * (length if spacing else tracks.n_frames),
        groups=bonds.groups(),
        bonds=bonds.changes(),
    )


def _centre(block: Block, numbers: Integers) -> Array:
    """Centre of mass of the first frame, in fractions of its cell, (3,)."""
    masses = atomic_masses[numbers]
    centre: Array = masses / masses.sum() @ block.positions[0] @ np.linalg.inv(block.cells[0])
    return centre


def _element(symbol: str, turned: Array, places: Array, layering: Layering, spacing: float | None) -> LayeredElement:
    density = layer_densities(layering.indices(places), layering)
    if spacing is None:
        return LayeredElement(species=symbol, density_per_a3=density)
    motion = layer_diffusivities(turned, places, layering, spacing)
    return LayeredElement(
        species=symbol,
        density_per_a3=density,
        in_plane=[layer.in_plane for layer in motion],
        normal=[layer.normal for layer in motion],
        exchanges=exchanges(places, layering, spacing),
    )


def _add_bonds(bonds: LayerBonds, blocks: Blocks, tracks: Tracks, layers: Integers, step: int) -> None:
    """Look for bonds in every so many frames, of which the layers (n_stored_frames, n_atoms) are known."""
    frame = 0
    for block in blocks():
        for positions, cell in zip(block.positions, block.cells, strict=True):
            if frame % step == 0:
                stretch = frame * bonds.n_stretches // tracks.n_frames
                bonds.add(positions, cell, layers[frame // tracks.stride], stretch)
            frame += 1


def _ordered(lengths_a: Mapping[str, float]) -> dict[str, float]:
    """The same lengths with the elements of each pair in alphabetical order."""
    return {"-".join(sorted(pair.split("-"))): length for pair, length in lengths_a.items()}
