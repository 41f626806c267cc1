"""What a member of a screen costs beyond its molecular dynamics: python -m benchmarks.screens NEP_FILE.

10, 100 and 1,000 compositions of the sixteen metals of UNEP-v1, 16 atoms each, molten for 0.4 ps and relaxed. The pure
dynamics beside it are as many steps of the same batches in TorchSim's own loop, with nothing recorded or checked.
"""

import sys
import time
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import torch_sim
from benchmarks.common import publish, table

from tachylite.cli.campaigns.screening import Compositions, make_screen
from tachylite.engines import get_engine
from tachylite.engines.potentials.loading import load_potential
from tachylite.flows.screen import Screen, run_screen
from tachylite.physics.chemical_systems import grid_formulas
from tachylite.schemas import Material, Protocol
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.stores import find_materials, open_store

METALS = ("Ag", "Al", "Au", "Cr", "Cu", "Mg", "Mo", "Ni", "Pb", "Pd", "Pt", "Ta", "Ti", "V", "W", "Zr")
MEMBERS = (10, 100, 1000)
N_ATOMS, COHORT, TIMESTEP_FS, TEMPERATURE_K = 16, 32, 2.0, 3000.0
PROTOCOL = {
    "name": "short",
    "timestep_fs": TIMESTEP_FS,
    "packing": {"n_atoms": N_ATOMS},
    "steps": [
        {"kind": "hold", "name": "melt", "temperature_k": TEMPERATURE_K, "time_ps": 0.4},
        {"kind": "relax", "name": "glass"},
    ],
}


def main() -> None:
    """Run screens of all sizes, and publish the table."""
    file, rows, numbers = sys.argv[1], [], {}
    systems: list[tuple[str, ...]] = list(combinations(METALS, 2))
    formulas = [formula for system in systems for formula in grid_formulas(system, 0.1)]
    for count in MEMBERS:
        screen = make_screen(
            Compositions(systems=systems, formulas=formulas[:: len(formulas) // count][:count]),
            protocol=Protocol.model_validate(PROTOCOL),
            engine=get_engine(f"nep:{file}"),
            seed=0,
            samples=1,
            crystals=None,
            cohort=COHORT,
        )
        seconds, materials = timed(screen)
        atom_steps = sum(n_steps(material) * material.n_atoms for material in materials)
        pure = atom_steps * pure_cost(file, materials)
        beyond = (seconds - pure) / count
        rows.append([count, f"{seconds / count:.2f}", f"{pure / count:.2f}", f"{beyond:.2f}"])
        numbers[str(count)] = {"seconds": seconds, "pure_s": pure, "atom_steps": atom_steps}
        print(rows[-1], flush=True)
    title = f"Members of a screen, {N_ATOMS} atoms"
    header = ["members", "s per member", "of pure dynamics and relaxation", "beyond it"]
    publish("screens", {title: table(header, rows)}, {title: numbers})


def timed(screen: Screen) -> tuple[float, list[Material]]:
    """Seconds that a screen takes, without the relaxation of the elements, and its materials."""
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store")
        elements = Screen(screen.systems, [], screen.candidates, screen.protocol, screen.engine, screen.seed)
        run_screen(elements, store, Path(folder) / "work")
        started = time.perf_counter()
        run_screen(screen, store, Path(folder) / "work")
        seconds = time.perf_counter() - started
        return seconds, find_materials(store)


def n_steps(material: Material) -> int:
    """Force calls of a material."""
    held, relaxed = material.results
    assert isinstance(held, HoldResult)
    assert isinstance(relaxed, RelaxResult)
    steps = 0 if held.run is None else held.run.steps
    return steps + (0 if relaxed.relaxation is None else relaxed.relaxation.steps)


def pure_cost(file: str, materials: list[Material]) -> float:
    """Seconds per atom and step of a batch in TorchSim's own loop."""
    potential = load_potential("nep", file, "auto").potential
    states = [m.results[0].final for m in materials if m.results[0].final is not None][:COHORT]

    def seconds(steps: int) -> float:
        started = time.perf_counter()
        torch_sim.integrate(
            [state.atoms for state in states],
            potential,
            integrator=torch_sim.Integrator.nvt_nose_hoover,
            n_steps=steps,
            temperature=TEMPERATURE_K,
            timestep=TIMESTEP_FS / 1000,
        )
        return time.perf_counter() - started

    seconds(10)
    short, long = seconds(50), seconds(250)
    return (long - short) / 200 / sum(len(state.numbers) for state in states)


if __name__ == "__main__":
    main()
