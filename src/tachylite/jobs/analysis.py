"""From runs to what they mean: density, diffusivities, structure, formation energies."""

from collections.abc import Mapping, Sequence

from jobflow import job

from tachylite.analysis.glass import measure_hold, measure_quench
from tachylite.analysis.structure import measure_structure
from tachylite.analysis.transport import measure_diffusivity
from tachylite.physics.thermodynamics.energies import amorphous_limit, density, formation_energy
from tachylite.schemas import (
    AmorphousLimit,
    Equilibrium,
    Glass,
    Measured,
    Melt,
    References,
    Relaxation,
    Run,
    Snapshot,
    State,
    Trajectory,
)
from tachylite.schemas.glass import Elasticity

SECONDS_PER_FS = 1e-15


@job
def describe_melts(
    equilibria: Sequence[Equilibrium], runs: Sequence[Run | None], trajectories: Sequence[Trajectory | None]
) -> list[Melt]:
    """Gather volume, density, diffusivities and structure of every member."""
    return [_melt(e, r, t) for e, r, t in zip(equilibria, runs, trajectories, strict=True)]


@job
def describe_glasses(
    runs: Sequence[Run | None],
    trajectories: Sequence[Trajectory | None],
    relaxations: Sequence[Relaxation | None],
    references: References | None,
    elasticities: Sequence[Elasticity | None] | None = None,
) -> list[Glass | None]:
    """Gather cooling rate, transition, structure of the hold, density, energies and elasticity of every quench."""
    strained = elasticities or [None] * len(runs)
    return [
        None if run is None else _glass(run, trajectory, relaxation, references, index, elasticity)
        for index, (run, trajectory, relaxation, elasticity) in enumerate(
            zip(runs, trajectories, relaxations, strained, strict=True)
        )
    ]


@job
def describe_limits(
    snapshots: Sequence[Sequence[tuple[float, Relaxation]]], references: References | None
) -> list[AmorphousLimit | None]:
    """Formation energies of relaxed snapshots; the lowest is the amorphous limit."""
    return [_limit(taken, references, index) if taken else None for index, taken in enumerate(snapshots)]


def _melt(equilibrium: Equilibrium, run: Run | None, trajectory: Trajectory | None) -> Melt:
    common = {"temperature_k": equilibrium.temperature_k, "equilibrium": equilibrium, "run": run}
    if run is None or run.status == "failed" or trajectory is None:
        return Melt(**common)
    mass_density = density(run.final.atoms.get_masses(), run.volume_a3)
    volume = equilibrium.volume_a3
    relative = volume.error / volume.value if volume is not None else 0.0
    return Melt(
        density_g_cm3=Measured(value=mass_density, error=mass_density * relative),
        diffusivities=[measure_diffusivity(trajectory, s, equilibrium.temperature_k) for s in run.final.elements],
        structure=measure_structure(trajectory, equilibrium.temperature_k),
        **common,
    )


def _glass(
    run: Run,
    trajectory: Trajectory | None,
    relaxation: Relaxation | None,
    references: References | None,
    index: int,
    elasticity: Elasticity | None,
) -> Glass:
    ramp, hold = run.segments[0].segment if run.segments else None, run.last.segment if run.segments else None
    completed = run.status == "completed" and ramp is not None and hold is not None
    rate, final_temperature, structure, capacity = 0.0, 0.0, None, None
    if ramp is not None and ramp.end_temperature_k is not None:
        duration_fs = ramp.steps * ramp.timestep_fs
        final_temperature = ramp.end_temperature_k
        rate = (ramp.temperature_k - final_temperature) / (duration_fs * SECONDS_PER_FS)
        if completed and trajectory is not None:
            structure = measure_structure(trajectory, final_temperature, since_fs=duration_fs)
            capacity = measure_hold(trajectory, final_temperature)
    relaxed = relaxation is not None and relaxation.status == "converged"
    energy = _formation(relaxation, references) if relaxed else None
    return Glass(
        final_temperature_k=final_temperature,
        cooling_rate_k_s=rate,
        run=run,
        relaxation=relaxation,
        structure=structure,
        density_g_cm3=_density(relaxation.state) if relaxation is not None and relaxed else None,
        formation_energy_ev_per_atom=energy,
        above_crystal_ev_per_atom=_above_crystal(relaxation.energy_ev_per_atom, references, index)
        if relaxation is not None and relaxed
        else None,
        transition=measure_quench(trajectory) if completed and trajectory is not None else None,
        heat_capacity=capacity,
        elasticity=elasticity,
    )


def _limit(taken: Sequence[tuple[float, Relaxation]], references: References | None, index: int) -> AmorphousLimit:
    snapshots = [
        Snapshot(
            time_fs=time,
            relaxation=relaxation,
            formation_energy_ev_per_atom=_formation(relaxation, references),
        )
        for time, relaxation in taken
    ]
    energies = [s.formation_energy_ev_per_atom for s in snapshots if s.formation_energy_ev_per_atom is not None]
    lowest_energy = min((r.energy_ev_per_atom for _, r in taken if r.status == "converged"), default=None)
    found = amorphous_limit(energies) if energies else None
    return AmorphousLimit(
        snapshots=snapshots,
        formation_energy_ev_per_atom=None if found is None else found.lowest,
        mean_formation_energy_ev_per_atom=Measured(value=found.mean, error=found.error)
        if found is not None and len(energies) > 1
        else None,
        above_crystal_ev_per_atom=None if lowest_energy is None else _above_crystal(lowest_energy, references, index),
        reference_energies_ev_per_atom=_elements(references),
        reason=None if energies else "no snapshot has both converged and references to compare with",
    )


def _elements(references: References | None) -> dict[str, float]:
    elements: Mapping[str, Relaxation] = references.elements if references is not None else {}
    return {symbol: r.energy_ev_per_atom for symbol, r in elements.items() if r.status == "converged"}


def _formation(relaxation: Relaxation | None, references: References | None) -> float | None:
    """Formation energy in eV/atom; None where the structure or an element is not relaxed."""
    known = _elements(references)
    if relaxation is None or relaxation.status == "failed" or not set(relaxation.state.elements) <= set(known):
        return None
    symbols = relaxation.state.atoms.get_chemical_symbols()
    counts = {s: symbols.count(s) for s in set(symbols)}
    return formation_energy(relaxation.energy_ev_per_atom, counts, known)


def _above_crystal(energy_ev_per_atom: float, references: References | None, index: int) -> float | None:
    crystal = references.crystals[index] if references is not None else None
    if crystal is None or crystal.status == "failed":
        return None
    return energy_ev_per_atom - crystal.energy_ev_per_atom


def _density(state: State) -> float:
    return density(state.atoms.get_masses(), state.volume_a3)
