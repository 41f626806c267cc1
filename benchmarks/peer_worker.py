"""Runs in the peer's environment: tasks as lines of JSON on stdin, answers as lines of JSON on stdout."""

import json
import os
import sys
import time
import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet

GPA = 160.2176634
THERMOSTAT_TIME_FS = 100.0


def atoms_of(state: dict[str, Any]) -> Atoms:
    """ASE atoms of a state; velocities in A/fs."""
    atoms = Atoms(numbers=state["numbers"], positions=state["positions"], cell=state["cell"], pbc=True)
    if state.get("velocities") is not None:
        atoms.set_velocities(np.array(state["velocities"]) / units.fs)
    return atoms


@cache
def calculator(device: str) -> Any:
    """CHGNet's own calculator, version 0.3.0 of the weights."""
    from chgnet.model.dynamics import CHGNetCalculator

    return CHGNetCalculator(use_device=device)


def md_maker(temperature_k: float, timestep_fs: float, **options: Any) -> Any:
    """atomate2's maker of molecular dynamics with CHGNet."""
    from atomate2.forcefields.md import ForceFieldMDMaker

    return ForceFieldMDMaker(
        force_field_name="CHGNet",
        temperature=temperature_k,
        time_step=timestep_fs,
        calculator_kwargs={"use_device": "cpu"},
        **options,
    )


def launch(flow: Any) -> dict[Any, Any]:
    """Run a flow as the user does, in a folder of its own with a store in memory."""
    from jobflow import JobStore, run_locally
    from maggma.stores import MemoryStore

    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    with TemporaryDirectory() as folder:
        here = Path.cwd()
        os.chdir(folder)
        try:
            responses: dict[Any, Any] = run_locally(flow, store=store, log=False)
            return responses
        finally:
            os.chdir(here)


def atomate2(
    state: dict[str, Any], steps: int, temperature_k: float, timestep_fs: float, record_every: int
) -> dict[str, Any]:
    """Nose-Hoover dynamics through `ForceFieldMDMaker` and `run_locally`."""
    from pymatgen.io.ase import AseAtomsAdaptor

    maker = md_maker(
        temperature_k,
        timestep_fs,
        n_steps=steps,
        dynamics="nose-hoover-chain",
        ase_md_kwargs={"tdamp": THERMOSTAT_TIME_FS * units.fs},
        traj_interval=record_every,
        mb_velocity_seed=1,
    )
    atoms = atoms_of(state | {"velocities": None})
    answer = launch(maker.make(AseAtomsAdaptor.get_structure(atoms)))
    (job,) = answer.values()
    return {"energy_ev": job[1].output.output.energy}


def ase(
    state: dict[str, Any], steps: int, temperature_k: float, timestep_fs: float, device: str = "cpu"
) -> dict[str, Any]:
    """The same dynamics with ASE and CHGNet's calculator alone, nothing recorded."""
    atoms = atoms_of(state)
    atoms.calc = calculator(device)
    dynamics(atoms, temperature_k, timestep_fs).run(steps)
    return {"energy_ev": float(atoms.get_potential_energy())}


def dynamics(atoms: Atoms, temperature_k: float | None, timestep_fs: float) -> Any:
    """Nose-Hoover chain at a temperature, constant energy without one."""
    if temperature_k is None:
        return VelocityVerlet(atoms, timestep_fs * units.fs)
    return NoseHooverChainNVT(
        atoms, timestep_fs * units.fs, temperature_K=temperature_k, tdamp=THERMOSTAT_TIME_FS * units.fs
    )


def series(state: dict[str, Any], steps: int, temperature_k: float | None, timestep_fs: float) -> dict[str, Any]:
    """Series of every step: energies in eV, temperature in K, pressure in GPa; 3N - 3 degrees of freedom."""
    atoms = atoms_of(state)
    atoms.calc = calculator("cpu")
    columns: dict[str, list[float]] = {"energy_ev": [], "kinetic_ev": [], "temperature_k": [], "virial_gpa": []}

    def take_down() -> None:
        kinetic = float(atoms.get_kinetic_energy())
        columns["energy_ev"].append(float(atoms.get_potential_energy()))
        columns["kinetic_ev"].append(kinetic)
        columns["temperature_k"].append(2 * kinetic / (3 * len(atoms) - 3) / units.kB)
        columns["virial_gpa"].append(float(-atoms.get_stress()[:3].mean() * GPA))

    runner = dynamics(atoms, temperature_k, timestep_fs)
    runner.attach(take_down)
    runner.run(steps)
    return columns


def evaluate(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Energy (eV), forces (eV/A) and stress (3, 3; eV/A^3) of every state."""
    answers = []
    for state in states:
        atoms = atoms_of(state)
        atoms.calc = calculator("cpu")
        answers.append(
            {
                "energy": float(atoms.get_potential_energy()),
                "forces": atoms.get_forces().tolist(),
                "stress": atoms.get_stress(voigt=False).tolist(),
            }
        )
    return {"answers": answers}


def volume(state: dict[str, Any], steps: int, temperature_k: float, timestep_fs: float, seed: int) -> dict[str, Any]:
    """The part of `MPMorphMLFFMDMaker` that searches the volume, with its own thermostat and settings."""
    from atomate2.forcefields.flows.mpmorph import MPMorphMLFFMDMaker
    from pymatgen.io.ase import AseAtomsAdaptor

    maker = MPMorphMLFFMDMaker.from_temperature_and_steps(
        temperature_k, n_steps_convergence=steps, md_maker=md_maker(temperature_k, timestep_fs, mb_velocity_seed=seed)
    )
    assert maker.equilibrium_volume_maker is not None
    structure = AseAtomsAdaptor.get_structure(atoms_of(state | {"velocities": None}))
    started, cpu = time.perf_counter(), time.process_time()
    responses = launch(maker.equilibrium_volume_maker.make(structure))
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    outputs = [entry.output for by_index in responses.values() for entry in by_index.values()]
    final = next(o for o in outputs if isinstance(o, dict) and "working_outputs" in o)
    found = final["structure"]
    relax = final["working_outputs"]["relax"]
    return {
        "volume_a3": None if found is None else float(found.volume),
        "volumes_a3": [float(v) for v in relax["volume"]],
        "pressures_gpa": [float(np.trace(s)) / 30 for s in relax["stress"]],
        "seconds": seconds,
        "cpu_s": cpu_s,
    }


TASKS = {task.__name__: task for task in (atomate2, ase, series, evaluate, volume)}


def main() -> None:
    """Answer until stdin ends."""
    warnings.simplefilter("ignore")
    # what libraries print must not come between the answers
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        arguments = json.loads(line)
        replies.write(json.dumps(TASKS[arguments.pop("task")](**arguments)) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
