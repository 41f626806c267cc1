"""What the motion of one species says, from frames that are read block by block."""

from collections.abc import Mapping

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

from tachylite.errors import InputError
from tachylite.physics.transport import diffusivity as transport
from tachylite.physics.transport.collective import Ratio, conductivity, finite_size_correction, haven_ratio
from tachylite.physics.transport.tracks import Tracker, Tracks
from tachylite.readers.frames import TrajectoryReader, spacing_fs
from tachylite.schemas import Diffusivity, Interval, Trajectory
from tachylite.schemas.transport import Collective, Conductivity, FiniteSize

_LARGEST_VOLUME_CHANGE = 0.3


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
    tracer = transport.diffusivity_of_tracks(tracks.positions, frame_fs * tracks.stride)
    collective = transport.diffusivity_of_tracks(
        tracks.sums[:, :1] / n_atoms**0.5, frame_fs * tracks.stride, tracer.fit_start_fs or 0.0
    )
    alone = n_atoms == len(frames.numbers)
    return as_document(tracer, species, temperature_k).model_copy(
        update={
            "n_atoms": n_atoms,
            "n_frames": tracks.n_frames,
            "frame_spacing_fs": frame_fs,
            "collective": _collective(tracer, collective, species, alone),
            "conductivity": _conductivity(frames, species, charges, tracks, temperature_k, tracer, collective, alone),
            "finite_size": _finite_size(tracer, tracks, temperature_k, viscosity_pa_s),
        }
    )


def measure_diffusivity(trajectory: Trajectory, species: str, temperature_k: float) -> Diffusivity:
    """Measure the tracer diffusivity of one element; frames must be equally spaced in time."""
    numbers = trajectory.numbers
    spacing_fs = float(np.diff(trajectory.times_fs[:2])[0]) if trajectory.n_frames > 1 else 1.0
    indices = np.flatnonzero(numbers == atomic_numbers[species])
    found = transport.diffusivity(trajectory.positions, indices, atomic_masses[numbers], spacing_fs)
    return as_document(found, species, temperature_k)


def as_document(found: transport.Diffusivity, species: str, temperature_k: float) -> Diffusivity:
    """Put a measured tracer diffusivity into its document."""
    return Diffusivity(
        species=species,
        temperature_k=temperature_k,
        diffusive=found.diffusive,
        reason=found.reason,
        diffusivity_cm2_s=found.diffusivity_cm2_s,
        diffusivity_interval_cm2_s=_interval(found.interval_cm2_s),
        upper_bound_cm2_s=found.upper_bound_cm2_s,
        n_independent=found.n_independent,
        lags_fs=found.lags_fs.tolist(),
        msd_a2=found.msd_a2.tolist(),
        msd_error_a2=found.msd_error_a2.tolist(),
        fit_start_fs=found.fit_start_fs,
        intercept_a2=found.intercept_a2,
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


def _collective(tracer: transport.Diffusivity, found: transport.Diffusivity, species: str, alone: bool) -> Collective:
    if alone:
        reason = f"all atoms are {species}: together they are the centre of mass, which does not move"
        return Collective(diffusive=False, reason=reason, n_independent=0.0)
    haven = haven_ratio(tracer, found)
    return Collective(
        diffusive=found.diffusive,
        reason=found.reason,
        diffusivity_cm2_s=found.diffusivity_cm2_s,
        diffusivity_interval_cm2_s=_interval(found.interval_cm2_s),
        upper_bound_cm2_s=found.upper_bound_cm2_s,
        n_independent=found.n_independent,
        haven_ratio=None if haven is None else haven.value,
        haven_ratio_interval=_ratio_interval(haven),
    )


def _conductivity(
    frames: TrajectoryReader,
    species: str,
    charges: Mapping[str, float] | None,
    tracks: Tracks,
    temperature_k: float,
    tracer: transport.Diffusivity,
    collective: transport.Diffusivity,
    alone: bool,
) -> Conductivity:
    charge, source = _charge(frames, species, charges)
    if charge is None:
        return Conductivity(reason=source)
    density = tracks.positions.shape[1] / tracks.volume_a3

    def of(found: transport.Diffusivity) -> Ratio | None:
        if found.diffusivity_cm2_s is None or found.ln_error is None:
            return None
        return conductivity(found.diffusivity_cm2_s, found.ln_error, charge, density, temperature_k)

    independent, together = of(tracer), None if alone else of(collective)
    return Conductivity(
        charge=charge,
        charge_source=source,
        reason=None if independent else tracer.reason,
        nernst_einstein_s_cm=None if independent is None else independent.value,
        nernst_einstein_interval_s_cm=_ratio_interval(independent),
        collective_s_cm=None if together is None else together.value,
        collective_interval_s_cm=_ratio_interval(together),
    )


def _charge(frames: TrajectoryReader, species: str, charges: Mapping[str, float] | None) -> tuple[float | None, str]:
    """Charge of an ion and where it comes from, or None and why there is none."""
    if charges is not None and species in charges:
        return float(charges[species]), "given"
    from pymatgen.core import Composition

    symbols, counts = np.unique([chemical_symbols[number] for number in frames.numbers], return_counts=True)
    composition = Composition(dict(zip(symbols.tolist(), counts.tolist(), strict=True))).reduced_composition
    guesses = composition.oxi_state_guesses(max_sites=-50)
    if not guesses or not guesses[0].get(species):
        return None, f"no formal oxidation state of {species} in {composition.reduced_formula}; give its charge"
    return float(guesses[0][species]), f"formal oxidation state in {composition.reduced_formula}"


def _finite_size(
    tracer: transport.Diffusivity, tracks: Tracks, temperature_k: float, viscosity_pa_s: float | None
) -> FiniteSize:
    if viscosity_pa_s is None:
        remark = (
            "in a liquid the periodic images slow diffusion by 2.837 k T / (6 pi eta L): give the viscosity, or "
            "several sizes"
        )
        return FiniteSize(length_a=tracks.length_a, remark=remark)
    missing = finite_size_correction(temperature_k, viscosity_pa_s, tracks.length_a)
    value = tracer.diffusivity_cm2_s
    return FiniteSize(
        length_a=tracks.length_a,
        viscosity_pa_s=viscosity_pa_s,
        correction_cm2_s=missing,
        corrected_cm2_s=None if value is None else value + missing,
        remark="a cell without end has the diffusivity of this cell plus the correction, in a liquid",
    )


def _interval(ends: tuple[float, float] | None) -> Interval | None:
    return None if ends is None else Interval(low=ends[0], high=ends[1])


def _ratio_interval(ratio: Ratio | None) -> Interval | None:
    return None if ratio is None else Interval(low=ratio.low, high=ratio.high)
