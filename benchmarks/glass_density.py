"""Densities of glasses by several potentials, with and without D3: python -m benchmarks.glass_density FOLDER.

Each glass is quenched with CHGNet at zero pressure, then relaxed with its cell by every potential, so that the network
of bonds is the same in every row. What is done is kept in FOLDER, and the same command goes on from there.
"""

import sys
from pathlib import Path

from benchmarks.common import publish, table

from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.measured import Measured
from tachylite.schemas import Material, Protocol
from tachylite.schemas.start import StructureStart
from tachylite.stores import open_store

MEASURED = {"SiO2": "2.20", "B2O3": "1.80-1.84"}
"""Densities in g/cm^3 (Mozzi and Warren 1969, 1970, DOI 10.1107/S0021889869006868, 10.1107/S0021889870006143)."""

NEQUIX = f"nequix:{data_folder()}/models/nequix/nequix-oam-1.pt"
POTENTIALS = {
    "CHGNet": ("chgnet", {}),
    "CHGNet + D3": ("chgnet", {"dispersion": "d3"}),
    "Nequix OAM": (NEQUIX, {}),
    "Nequix OAM + D3": (NEQUIX, {"dispersion": "d3@PBE"}),
}

QUENCH = {
    "name": "quench at zero pressure",
    "packing": {"n_atoms": 48, "volume_factor": 1.3},
    "steps": [
        {"kind": "hold", "name": "melt", "temperature_k": 3500, "time_ps": 5},
        {"kind": "ramp", "name": "quench", "temperature_k": 300, "time_ps": 20, "hold_ps": 4, "pressure_gpa": 0},
    ],
}
RELAX = {"name": "relax", "packing": {"n_atoms": 1}, "steps": [{"kind": "relax", "name": "glass"}]}


def main() -> None:
    """Quench, relax with every potential, and publish the table."""
    folder = Path(sys.argv[1])
    store = open_store(folder / "store")
    glasses = run_amorphous(
        list(MEASURED),
        protocol=Protocol.model_validate(QUENCH),
        engine=get_engine("chgnet"),
        store=store,
        workdir=folder / "work",
    )
    rows, numbers = [], {}
    for glass in glasses:
        final = glass.results[-1].final
        assert final is not None, glass.failures
        start = StructureStart(source=glass.formula, state=final)
        cells = [f"{glass.formula}, {len(final.numbers)} atoms", density(glass, "quench"), MEASURED[glass.formula]]
        for name, (engine, options) in POTENTIALS.items():
            (material,) = run_amorphous(
                [start],
                protocol=Protocol.model_validate(RELAX),
                engine=get_engine(engine, **options),
                store=store,
                workdir=folder / "work",
            )
            cells.append(density(material, "glass"))
            print(glass.formula, name, cells[-1], flush=True)
        rows.append(cells)
        numbers[glass.formula] = cells[1:]
    title = "Densities of glasses, g/cm^3"
    header = ["", "CHGNet at 300 K", "measured", *(f"relaxed with {name}" for name in POTENTIALS)]
    publish("glass_density", {title: table(header, rows)}, {title: numbers})


def density(material: Material, step: str) -> str:
    """Density that a step gave."""
    (result,) = (result for result in material.results if result.step == step)
    measured = getattr(result, "density_g_cm3", None)
    if measured is None:
        return result.reason or "failed"
    return f"{measured.value:.3f} ± {measured.error:.3f}" if isinstance(measured, Measured) else f"{measured:.3f}"


if __name__ == "__main__":
    main()
