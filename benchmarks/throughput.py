"""Many members at once, in atom-steps per second: python -m benchmarks.dynamics gpu.

Molten Li3PO4, 1 to 1,024 members of 104 atoms, by CHGNet and Nequix through the engine, whose batches are as large as
the memory was measured to allow. Beside it the same potential in TorchSim's own loop, with nothing recorded or checked,
and the members one by one with ASE and CHGNet's calculator. Under eight minutes on a large GPU; without one it says so.
"""

import time
from collections.abc import Callable

import torch
import torch_sim
from ase import units
from benchmarks.common import RECORD_EVERY, TEMPERATURE_K, TIMESTEP_FS, melt, publish, simulate, table

from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.engines.potentials.loading import load_potential
from tachylite.schemas import Request, Segment, State

N_ATOMS, N_MELTS, BUDGET_S, LOOP_MEMBERS = 104, 4, 12.0, 64
POTENTIALS = {"CHGNet": ("chgnet", None), "Nequix": ("nequix", f"{data_folder()}/models/nequix/nequix-oam-1.pt")}


def gpu(members: tuple[int, ...] = (1, 8, 64, 256, 1024), device: str = "cuda") -> None:
    """Measure every number of members, and publish the table."""
    if device == "cuda" and not torch.cuda.is_available():
        print("\n## Many members on a GPU\n\nnot measured: there is no GPU here\n")
        return
    melts = [melt(N_ATOMS, seed=1 + i) for i in range(N_MELTS)]
    rates = {}
    for name, (family, model) in POTENTIALS.items():
        for count in members:
            states = [melts[i % N_MELTS].model_copy(update={"velocities": None}) for i in range(count)]
            rates[f"{name}, {count} members"] = rate(engine_run(family, model, device, states), count)
        states = [melts[i % N_MELTS] for i in range(min(LOOP_MEMBERS, max(members)))]
        title = f"{name}, {len(states)} members, TorchSim's own loop"
        rates[title] = rate(torchsim_loop(family, model, device, states), len(states))
    rates["CHGNet, one by one with ASE"] = rate(ase_loop(device, melts[0]), 1)
    title = f"Many members of {N_ATOMS} atoms on {'a GPU' if device == 'cuda' else 'the CPU'}"
    rows = [[name, f"{value:,.0f}"] for name, value in rates.items()]
    publish("dynamics", {title: table(["", "atom-steps per second"], rows)}, {title: rates})


def rate(run: Callable[[int], object], count: int) -> float:
    """Atom-steps per second, from the difference of two lengths of a run."""
    run(2)
    started = time.perf_counter()
    run(4)
    steps = max(8, int(4 * BUDGET_S / (time.perf_counter() - started)))
    seconds = []
    for length in (steps // 4, steps):
        started = time.perf_counter()
        run(length)
        seconds.append(time.perf_counter() - started)
    return count * N_ATOMS * (steps - steps // 4) / (seconds[1] - seconds[0])


def engine_run(family: str, model: str | None, device: str, states: list[State]) -> Callable[[int], object]:
    """Through the engine, frames recorded as the protocols do."""
    engine = get_engine(family, model=model, device=device)

    def run(steps: int) -> None:
        segment = Segment(steps=steps, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, record_every=RECORD_EVERY)
        requests = [Request(label="benchmark", state=s, segments=[segment], seed=i) for i, s in enumerate(states)]
        failed = [answer.run.reason for answer in simulate(engine, requests) if answer.run.status == "failed"]
        if failed:
            raise RuntimeError(f"{len(failed)} members ended early: {failed[0]}")

    return run


def torchsim_loop(family: str, model: str | None, device: str, states: list[State]) -> Callable[[int], object]:
    """The same potential in TorchSim's own loop, nothing recorded."""
    potential = load_potential(family, model, device).potential
    atoms = [state.atoms for state in states]

    def run(steps: int) -> None:
        torch_sim.integrate(
            atoms,
            potential,
            integrator=torch_sim.Integrator.nvt_nose_hoover,
            n_steps=steps,
            temperature=TEMPERATURE_K,
            timestep=TIMESTEP_FS / 1000,
        )

    return run


def ase_loop(device: str, state: State) -> Callable[[int], object]:
    """CHGNet's own calculator with ASE."""
    from ase.md.verlet import VelocityVerlet
    from chgnet.model.dynamics import CHGNetCalculator

    atoms = state.atoms
    atoms.calc = CHGNetCalculator(use_device=device)
    return VelocityVerlet(atoms, TIMESTEP_FS * units.fs).run
