"""Materials with states that a table is made of."""

from typing import Any

import numpy as np
from ase import Atoms
from jobflow import JobStore
from tests.descriptors.crystals import antifluorite
from tests.stores.store_samples import make_material, make_run, put

from tachylite.schemas import Diffusivity, Interval, Material, State, Trajectory
from tachylite.schemas.steps.hold import HoldResult


def diffusivity(temperature_k: float, value: float | None, species: str = "Li") -> Diffusivity:
    known = value is not None
    return Diffusivity(
        species=species,
        temperature_k=temperature_k,
        diffusive=known,
        reason=None if known else "the motion is not diffusive",
        diffusivity_cm2_s=value,
        diffusivity_interval_cm2_s=Interval(low=0.8 * value, high=1.2 * value) if value is not None else None,
        n_independent=10,
        lags_fs=[],
        msd_a2=[],
        msd_error_a2=[],
    )


def melted(atoms: Atoms, temperature_k: float, value: float | None, trajectory: Trajectory | None = None) -> HoldResult:
    state = State.from_atoms(atoms)
    run = make_run(trajectory, final=state, formula=state.formula, n_atoms=len(atoms))
    return HoldResult(
        name=f"hold-{temperature_k:g}K",
        step="hold",
        variant=f"{temperature_k:g}K",
        status="completed",
        formula=state.formula,
        n_atoms=len(atoms),
        temperature_k=temperature_k,
        run=run,
        diffusivities=[diffusivity(temperature_k, value)],
    )


def material(atoms: Atoms, *states: HoldResult, **changes: Any) -> Material:
    formula = State.from_atoms(atoms).formula
    return make_material(formula, **{"material_id": formula, "results": list(states), **changes})


def trajectory_of(atoms: Atoms, n_frames: int = 6) -> Trajectory:
    shaken = np.random.default_rng(0).normal(0, 0.05, (n_frames, len(atoms), 3))
    return Trajectory.from_arrays(
        numbers=atoms.numbers,
        positions=atoms.positions + shaken,
        cells=atoms.cell.array,
        times_fs=np.arange(n_frames),
        series={},
    )


def put_runs(store: JobStore, *trajectories: Trajectory, uuid: str = "runs") -> None:
    output = {"runs": [make_run(trajectory) for trajectory in trajectories], "trajectories": list(trajectories)}
    store.update(
        {"uuid": uuid, "index": 1, "output": output, "completed_at": "2026", "name": "runs"},
        save={"data": Trajectory},
    )


def fill(store: JobStore) -> None:
    """Eight compounds at three temperatures, with their trajectories."""
    for number, anion in enumerate(("O", "S", "Se", "Te", "F", "Cl", "Br", "I")):
        crystal = antifluorite(4.4 + 0.2 * number)
        crystal.symbols[crystal.symbols == "O"] = anion
        runs = {kelvin: trajectory_of(crystal, 4 + index) for index, kelvin in enumerate((800, 1000, 1500))}
        put_runs(store, *runs.values(), uuid=anion)
        states = [melted(crystal, kelvin, 1e-8 * kelvin * (1 + number), frames) for kelvin, frames in runs.items()]
        put(store, material(crystal, *states))
