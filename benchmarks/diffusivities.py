"""The published diffusivities of Zheng et al. 2024 beside those of an engine at the published volumes, at 2500 K.

    python -m benchmarks.diffusivities chgnet                       # four melts, a quarter of an hour on two cores
    python -m benchmarks.diffusivities matgl:FOLDER Li3N Li2O

The data are those of `tachylite datasets zheng2024`.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import publish, table

from tachylite.configs.datasets import data_folder
from tachylite.flows import run_amorphous
from tachylite.learning.dataset import Dataset
from tachylite.learning.tables import read_dataset
from tachylite.physics.composition import atom_counts, parse_formula
from tachylite.physics.volume import estimate_volume_per_atom
from tachylite.report.text import quantity
from tachylite.schemas import Material, Protocol
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores import open_store

FILE = data_folder() / "zheng2024/feature_target.dat"
FORMULAS = ("Li3N", "Li2O", "LiAlO2", "Li27Sn5")
TEMPERATURE_K = 2500.0
N_ATOMS = 99


def published(data: Dataset, formula: str) -> tuple[float, float]:
    """Volume per atom in A^3 and diffusivity in 10^-3 cm^2/s of a composition."""
    unit = parse_formula(formula).unit
    for row, text in enumerate(data.formulas):
        if parse_formula(text).unit == unit and data.temperature_k[row] == TEMPERATURE_K:
            return float(data.features[row, data.names.index("AAV")]), float(data.target[row])
    raise SystemExit(f"{formula} at {TEMPERATURE_K:g} K is not in {FILE}")


def melted(formula: str, volume: float, engine: str, production_ps: float) -> Material:
    """Melt a composition at a volume per atom."""
    counts = atom_counts(parse_formula(formula), N_ATOMS)
    factor = volume / estimate_volume_per_atom(counts).volume_a3_per_atom
    protocol = Protocol.model_validate(
        {
            "name": "published volume",
            "record_every": 5,
            "packing": {"n_atoms": N_ATOMS, "volume_factor": factor},
            "steps": [{"kind": "hold", "name": "melt", "temperature_k": TEMPERATURE_K, "time_ps": production_ps}],
        }
    )
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store")
        (material,) = run_amorphous(
            [formula], protocol=protocol, engine=engine, store=store, workdir=Path(folder) / "work"
        )
        store.close()
    return material


def row(data: Dataset, formula: str, engine: str, production_ps: float) -> list[str]:
    """One line of the table."""
    volume, there = published(data, formula)
    (melt,) = melted(formula, volume, engine, production_ps).of_kind(HoldResult)
    assert melt.run is not None
    here = next(one for one in melt.diffusivities if one.species == "Li")
    pressure = quantity(melt.run.segments[-1].pressure_virial_gpa)
    if here.diffusivity_cm2_s is None or here.diffusivity_interval_cm2_s is None:
        return [formula, quantity(volume), pressure, quantity(there / 1e3), here.reason or "", ""]
    found = quantity(here.diffusivity_cm2_s, interval=here.diffusivity_interval_cm2_s)
    ratio = there / 1e3 / here.diffusivity_cm2_s
    return [formula, quantity(volume), pressure, quantity(there / 1e3), found, quantity(ratio, digits=3)]


def main(engine: str, formulas: list[str], production_ps: float) -> None:
    data = read_dataset(FILE)
    heads = ("melt", "V (A^3/atom)", "virial (GPa)", "published D(Li) (cm^2/s)", "D(Li), this engine", "ratio")
    rows = [row(data, formula, engine, production_ps) for formula in formulas]
    title = f"{engine.rpartition('/')[2]}, {production_ps:g} ps"
    publish("diffusivities", {title: table(heads, rows)}, {title: rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine")
    parser.add_argument("formulas", nargs="*", default=list(FORMULAS))
    parser.add_argument("--ps", type=float, default=2.4, help="of production")
    arguments = parser.parse_args()
    main(arguments.engine, arguments.formulas, arguments.ps)
