"""Simulated amorphization enthalpies beside those by DFT: python -m benchmarks.simulated_enthalpies FOLDER.

Compounds of Yu et al. 2025, in an order by hash, by the protocol yu2025 in cells of 48 atoms or more, two quenches
each, eight compounds at a time. `python -m benchmarks.simulated_enthalpies FOLDER nequix 10` takes Nequix OAM and ten
of them (by default CHGNet and forty). Finished compounds are kept beside the results, so that the same command goes on
from there on any machine; FOLDER holds unfinished work.
"""

import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from itertools import batched
from pathlib import Path

import numpy as np
from benchmarks.amorphization_enthalpy import Compounds, process
from benchmarks.common import RESULTS, publish, table
from pydantic import BaseModel, TypeAdapter
from scipy.stats import spearmanr

from tachylite.analysis.amorphization import amorphization_enthalpies
from tachylite.configs import load_protocol
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.learning.crystals.process import Regression
from tachylite.learning.crystals.training import mean_over_systems
from tachylite.physics.composition import parse_formula
from tachylite.readers.crystals import read_each_crystal
from tachylite.schemas import State
from tachylite.schemas.start import PackedStart
from tachylite.stores import open_store

ENTHALPIES, CRYSTALS = "yu2025/dft_enthalpy_data.csv", "mp_crystals/mp_structures_yu.jsonl.gz"
ENGINES = {"chgnet": "chgnet", "nequix": f"nequix:{data_folder()}/models/nequix/nequix-oam-1.pt"}
NAMES = {"chgnet": "CHGNet 0.3.0", "nequix": "Nequix OAM"}
N_ATOMS, LARGEST_UNIT, QUENCHES, AT_ONCE = 48, 16, 2, 8
SECOND = "Simulation by CHGNet as a second source for learning, the same compounds"
KEPT = RESULTS / "simulated_enthalpies_compounds.json"


class Compound(BaseModel):
    """One compound by one engine; energies in eV/atom."""

    engine: str
    mp_id: str
    formula: str
    dft: float
    mean: float | None
    """None where all quenches have crystallised, or failed."""
    error: float | None
    quenches: int
    crystallised: int


def main() -> None:
    """Simulate what is missing, and publish the table of all that is there."""
    folder, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "chgnet"
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    kept = TypeAdapter(list[Compound]).validate_json(KEPT.read_bytes()) if KEPT.exists() else []
    done = {compound.mp_id for compound in kept if compound.engine == name}
    missing = [entry for entry in chosen()[:number] if entry[0] not in done]
    for part in batched(missing, AT_ONCE):
        kept += simulate(name, part, folder)
        KEPT.write_bytes(TypeAdapter(list[Compound]).dump_json(kept, indent=1))
    rows = [summary(NAMES[engine], [c for c in kept if c.engine == engine]) for engine in NAMES]
    header = ["", "compounds", "all quenches crystallised", "MAE, meV/atom", "mean difference", "Spearman"]
    title = "Amorphization enthalpies by simulation beside density functional theory"
    publish("simulated_enthalpies", {title: table(header, [row for row in rows if row])}, {title: rows})
    glasses = {c.mp_id: 1000 * c.mean for c in kept if c.engine == "chgnet" and c.mean is not None}
    second = beside_learning(glasses, folder)
    publish(
        "simulated_enthalpies", {SECOND: table(["", "MAE, meV/atom", "less the process's"], second)}, {SECOND: second}
    )


def beside_learning(simulated: Mapping[str, float], folder: Path) -> list[list[str]]:
    """Whether simulations (meV/atom, by id) help to predict DFT: errors on those compounds, all held out by system."""
    compounds = Compounds(folder)
    has_glass = np.isin(compounds.names, list(simulated))
    features, systems = compounds.layers(2), compounds.systems[has_glass]
    own = np.array([simulated[name] for name in np.array(compounds.names)[has_glass]])
    dft = 1000 * compounds.values[has_glass]
    learned = 1000 * process(compounds, features).mean(axis=0)[has_glass]
    delta, affine, both = (np.empty(len(dft)) for _ in range(3))
    for system in np.unique(systems):
        test, train = systems == system, systems != system
        correction = Regression.fit(features[has_glass][train], (dft - own)[train], "none")
        delta[test] = own[test] + correction.values(features[has_glass][test])
        for target, columns in ((affine, [own]), (both, [own, learned])):
            inputs = np.column_stack([np.ones(len(dft)), *columns])
            target[test] = inputs[test] @ np.linalg.lstsq(inputs[train], dft[train])[0]
    rows = []
    for name, predicted in {
        "process that has learned from the other chemical systems": learned,
        "simulation": own,
        "simulation, affine correction": affine,
        "simulation, and a process that has learned what it lacks": delta,
        "both, by least squares": both,
    }.items():
        absolute = np.abs(predicted - dft)
        mae, paired = (mean_over_systems(x, systems) for x in (absolute, absolute - np.abs(learned - dft)))
        rows.append([name, f"{mae.value:.0f} ± {mae.error:.0f}", f"{paired.value:+.0f} ± {paired.error:.0f}"])
    return rows


def chosen() -> list[tuple[str, State, float]]:
    """Id, crystal and enthalpy of compounds of different formulas, in an order that has nothing to do with them."""
    with (data_folder() / ENTHALPIES).open(encoding="utf-8") as file:
        enthalpies = {row["material_id"]: float(row["Amorphization Enthalpy"]) for row in csv.DictReader(file)}
    crystals = read_each_crystal(data_folder() / CRYSTALS)
    known = [(name, s, enthalpies[name]) for name, s in crystals if name in enthalpies and isinstance(s, State)]
    small = [entry for entry in known if sum(parse_formula(entry[1].formula).unit.values()) <= LARGEST_UNIT]
    by_formula = {state.formula: (name, state, value) for name, state, value in small}
    return sorted(by_formula.values(), key=lambda entry: hashlib.sha256(entry[0].encode()).digest())


def simulate(engine: str, entries: Sequence[tuple[str, State, float]], folder: Path) -> list[Compound]:
    """Melt and quench the compositions of some crystals as one cohort."""
    crystals = {state.formula: state.structure for _, state, _ in entries}
    starts = [
        PackedStart(formula=formula, crystal_volume_a3_per_atom=crystal.volume / len(crystal), sample=sample)
        for formula, crystal in crystals.items()
        for sample in range(QUENCHES)
    ]
    store = open_store(folder / f"store-{engine}")
    materials = run_amorphous(
        starts,
        protocol=load_protocol("yu2025").with_atoms(N_ATOMS),
        engine=get_engine(ENGINES[engine]),
        store=store,
        workdir=folder / f"work-{engine}",
        crystals=crystals,
    )
    store.close()
    by_formula = {enthalpy.formula: enthalpy for enthalpy in amorphization_enthalpies(materials)}
    compounds = []
    for name, state, dft in entries:
        enthalpy = by_formula.get(state.formula)
        mean = None if enthalpy is None else enthalpy.mean
        compounds.append(
            Compound(
                engine=engine,
                mp_id=name,
                formula=state.formula,
                dft=dft,
                mean=None if mean is None else mean.value,
                error=None if mean is None or not np.isfinite(mean.error) else mean.error,
                quenches=0 if enthalpy is None else enthalpy.quenches,
                crystallised=0 if enthalpy is None else enthalpy.crystallised,
            )
        )
        print(compounds[-1], flush=True)
    return compounds


def summary(name: str, compounds: Sequence[Compound]) -> list[object]:
    """A line of the table; empty for no compounds."""
    glasses = [(c.mean, c.dft) for c in compounds if c.mean is not None]
    if len(glasses) < 3:
        return []
    simulated, dft = 1000 * np.array(glasses).T
    difference = simulated - dft
    errors = [f"{np.mean(x):.0f} ± {np.std(x, ddof=1) / len(x) ** 0.5:.0f}" for x in (np.abs(difference), difference)]
    crystallised = sum(c.mean is None and c.crystallised > 0 for c in compounds)
    return [name, len(compounds), crystallised, *errors, f"{spearmanr(simulated, dft).statistic:.2f}"]


if __name__ == "__main__":
    main()
