"""Diffusion and conductivity of one element, from frames that are read block by block."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.transport.collective import conductivity, finite_size_correction, haven_ratio
from tachylite.physics.transport.diffusivity import DiffusivityEstimate, TracerDiffusivity, diffusivity_of_tracks
from tachylite.physics.transport.displacement import remove_drift
from tachylite.physics.transport.tracks import Tracker, Tracks
from tachylite.readers.frames import TrajectoryReader, spacing_fs
from tachylite.schemas import Diffusivity, Trajectory
from tachylite.schemas.run import reduced_formula
from tachylite.schemas.transport import Collective, Conductivity, FiniteSize

_LARGEST_VOLUME_CHANGE = 0.3

_LARGEST_UNIT = 50
"""Atoms of the largest formula unit whose oxidation states are looked for."""


def measure_transport(
    frames: TrajectoryReader,
    species: str,
    temperature_k: float,
    charges: Mapping[str, float] | None = None,
    viscosity_pa_s: float | None = None,
) -> Diffusivity:
    """Measure tracer and collective diffusivity, Haven ratio and conductivity of one element.

    `charges` are those of the elements, in elementary charges; without them, formal oxidation states serve and are
    named. Memory is bounded (`physics.tracks`). Raises InputError for an element that is not there, frames that
    are not equally spaced in time, and a cell that changes too much to be one state.
    """
    tracks, frame_fs = _follow(frames, species)
    n_atoms = tracks.positions.shape[1]
    tracer = diffusivity_of_tracks(tracks.positions, frame_fs * tracks.stride)
    collective: DiffusivityEstimate | None = None
    # the sum over all atoms of the cell is its centre of mass, which does not move
    if n_atoms < len(frames.numbers):
        collective = _diffusivity_of_sum(tracks.sums[:, :1], n_atoms, frame_fs * tracks.stride, tracer)
    return Diffusivity(
        **dict(tracer),
        species=species,
        temperature_k=temperature_k,
        n_atoms=n_atoms,
        n_frames=tracks.n_frames,
        frame_spacing_fs=frame_fs,
        collective=_collective(tracer, collective, species),
        conductivity=_conductivity(
            frames.numbers, species, charges, tracks.volume_a3, temperature_k, tracer, collective
        ),
        finite_size=_finite_size(tracer, tracks, temperature_k, viscosity_pa_s),
    )


def measure_diffusivity(trajectory: Trajectory, species: str, temperature_k: float) -> Diffusivity:
    """Measure tracer and collective diffusivity and conductivity of one element; frames equally spaced in time.

    In a changing cell displacements are those of the fractional coordinates times the mean cell (`physics.tracks`).
    """
    numbers, positions, cells = trajectory.numbers, trajectory.positions, trajectory.cells
    if not (cells == cells[0]).all():
        positions = np.matmul(positions, np.linalg.inv(cells) @ cells.mean(axis=0))
    spacing_fs = float(np.diff(trajectory.times_fs[:2])[0]) if trajectory.n_frames > 1 else 1.0
    indices = np.flatnonzero(numbers == atomic_numbers[species])
    tracks = remove_drift(positions, atomic_masses[numbers])[:, indices]
    tracer = diffusivity_of_tracks(tracks, spacing_fs)
    collective: DiffusivityEstimate | None = None
    if 0 < len(indices) < len(numbers):
        collective = _diffusivity_of_sum(tracks.sum(axis=1, keepdims=True), len(indices), spacing_fs, tracer)
    volume_a3 = float(np.abs(np.linalg.det(cells)).mean())
    return Diffusivity(
        **dict(tracer),
        species=species,
        temperature_k=temperature_k,
        collective=_collective(tracer, collective, species),
        conductivity=_conductivity(numbers, species, None, volume_a3, temperature_k, tracer, collective),
    )


def _follow(frames: TrajectoryReader, species: str) -> tuple[Tracks, float]:
    numbers = frames.numbers
    symbols = np.array([chemical_symbols[number] for number in numbers])
    if species not in symbols:
        raise InputError(f"there is no {species} in {frames.path}; its elements are {', '.join(sorted(set(symbols)))}")
    of_species = symbols == species
    tracker = Tracker(atomic_masses[numbers], np.flatnonzero(of_species), of_species[None])
    times = []
    for block in frames.blocks():
        tracker.add(block.positions, block.cells)
        times.append(block.times_fs)
    frame_fs = spacing_fs(np.concatenate(times), frames.path)
    tracks = tracker.tracks()
    if tracks.volume_change > _LARGEST_VOLUME_CHANGE:
        raise InputError(
            f"the volume of {frames.path} changes by {100 * tracks.volume_change:.0f} %; a diffusivity needs one state"
        )
    return tracks, frame_fs


def _diffusivity_of_sum(
    total: Array, n_atoms: int, spacing_fs: float, tracer: TracerDiffusivity
) -> DiffusivityEstimate:
    """Collective diffusivity from the sum over the positions of all atoms of a species, (n_frames, 1, 3), in A."""
    return diffusivity_of_tracks(total / n_atoms**0.5, spacing_fs, tracer.fit_start_fs or 0.0)


def _collective(tracer: DiffusivityEstimate, collective: DiffusivityEstimate | None, species: str) -> Collective:
    if collective is None:
        reason = f"all atoms are {species}: together they are the centre of mass, which does not move"
        return Collective(diffusive=False, reason=reason, n_independent=0.0)
    ratio, interval = haven_ratio(tracer, collective)
    # without the curve that a tracer diffusivity has
    estimate = Collective.model_validate(collective, from_attributes=True)
    return estimate.model_copy(update={"haven_ratio": ratio, "haven_ratio_interval": interval})


def _conductivity(
    numbers: NDArray[np.int64],
    species: str,
    charges: Mapping[str, float] | None,
    volume_a3: float,
    temperature_k: float,
    tracer: DiffusivityEstimate,
    collective: DiffusivityEstimate | None,
) -> Conductivity:
    if charges is not None and species in charges:
        charge, source = float(charges[species]), "given"
    else:
        symbols, counts = np.unique([chemical_symbols[number] for number in numbers], return_counts=True)
        formula = reduced_formula(dict(zip(symbols.tolist(), counts.tolist(), strict=True)))
        known = _formal_charges(formula).get(species)
        if not known:
            return Conductivity(reason=f"no formal oxidation state of {species} in {formula}; give its charge")
        charge, source = known, f"formal oxidation state in {formula}"
    density = int((numbers == atomic_numbers[species]).sum()) / volume_a3
    nernst_einstein = conductivity(tracer, charge, density, temperature_k)
    correlated = (None, None) if collective is None else conductivity(collective, charge, density, temperature_k)
    return Conductivity(
        charge=charge,
        charge_source=source,
        reason=tracer.reason,
        nernst_einstein_s_cm=nernst_einstein[0],
        nernst_einstein_interval_s_cm=nernst_einstein[1],
        collective_s_cm=correlated[0],
        collective_interval_s_cm=correlated[1],
    )


@cache
def _formal_charges(formula: str) -> dict[str, float]:
    """Oxidation states that make a composition neutral, the most usual ones; none where there are none."""
    from pymatgen.core import Composition

    try:
        guesses = Composition(formula).oxi_state_guesses(max_sites=-_LARGEST_UNIT)
    except ValueError:  # more atoms in a formula unit than can be tried
        return {}
    return dict(guesses[0]) if guesses else {}


def _finite_size(
    tracer: DiffusivityEstimate, tracks: Tracks, temperature_k: float, viscosity_pa_s: float | None
) -> FiniteSize:
    if viscosity_pa_s is None:
        remark = (
            "in a liquid the periodic images slow diffusion by 2.837 k T / (6 pi eta L): give the viscosity, or "
            "several sizes"
        )
        return FiniteSize(length_a=tracks.length_a, remark=remark)
    correction = finite_size_correction(temperature_k, viscosity_pa_s, tracks.length_a)
    in_this_cell = tracer.diffusivity_cm2_s
    return FiniteSize(
        length_a=tracks.length_a,
        viscosity_pa_s=viscosity_pa_s,
        correction_cm2_s=correction,
        corrected_cm2_s=None if in_this_cell is None else in_this_cell + correction,
        remark="a cell without end has the diffusivity of this cell plus the correction, in a liquid",
    )
