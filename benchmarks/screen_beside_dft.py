"""Glasses of a screen beside density functional theory: python -m benchmarks.screen_beside_dft FOLDER [relax].

Small cells of binary compositions are molten and quenched with CHGNet as a screen does it (aykol2023), and their
formation energies computed with pw.x and with Nequix as they are, each above its own elements; with `relax` also after
pw.x has relaxed some of them. What is done is kept beside the results, so that the same command goes on from there on
any machine (some seven hours of one core in all); FOLDER holds unfinished work.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.common import RESULTS, publish, table
from pydantic import BaseModel, TypeAdapter

from tachylite.analysis.check import summarise
from tachylite.cli.campaigns.screening import Compositions, make_screen
from tachylite.configs import load_protocol
from tachylite.configs.datasets import data_folder
from tachylite.engines import Engine, get_engine
from tachylite.flows.screen import run_screen
from tachylite.jobs.phases import candidate_element
from tachylite.measured import Measured
from tachylite.physics.chemical_systems import chemistry_of
from tachylite.schemas import State
from tachylite.schemas.check import CheckSummary
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.screen import CompositionRow
from tachylite.schemas.steps.relax import RelaxResult
from tachylite.stores import find_materials, open_store

WIDE_GAP = (
    *("LiF", "MgF2", "AlF3", "CaF2", "Li2O", "MgO", "CaO", "Al2O3", "SiO2", "B2O3", "GeO2"),
    *("LiCl", "MgCl2", "CaCl2", "AlCl3", "LiBr", "MgBr2", "CaBr2", "AlBr3"),
    *("Li3N", "AlN", "Mg3N2", "Ca3N2", "Si3N4", "BN", "SiC", "Al4C3"),
    *("Li3As", "AlAs", "Mg3As2", "Ca3As2", "Li2Te", "MgTe", "CaTe", "Al2Te3", "Li3Sb", "AlSb", "Mg3Sb2"),
)
NARROW_GAP = (
    *("Li2C", "CaC2", "GeTe", "MgB2", "AlB2", "LiB", "CaB6", "CaSb", "Mg2Ge", "LiGe", "CaGe", "AlGe"),
    *("LiSi", "Li3Si", "Mg2Si", "CaSi", "AlSi", "Mg3Al2", "LiAl", "LiMg", "CaMg2", "CaAl2"),
    *("Al2O", "MgF", "Li4N", "CaCl", "MgO2"),
)
"""Compositions, the last ones far from any compound as most of a grid are."""

KSPACING = {True: 0.6, False: 0.3}
"""Largest distance of k-points in 1/A for cells of wide gaps (True) and narrow ones or none."""

RELAXED = ("Li2O", "LiF", "SiO2", "AlN", "MgCl2", "Li3N")
"""Cells that pw.x relaxes too."""

N_ATOMS = 16
NO_FORCE_IS_TOO_LARGE_EV_A = 1e6
"""Which makes a single calculation of a relaxation."""

NEQUIX = f"nequix:{data_folder()}/models/nequix/nequix-oam-1.pt"
CELLS, ELEMENTS = RESULTS / "screen_beside_dft_cells.json", RESULTS / "screen_beside_dft_elements.json"
RELAXED_TITLE = "What relaxation by the method itself adds, meV/atom"
TITLE = "Formation energies of amorphous cells, {} beside PBE"


type References = dict[str, dict[str, float]]
"""Energies of elements in eV/atom, by symbol and method."""


class Cell(BaseModel):
    """A glass, and its energies in eV/atom by method."""

    formula: str
    state: State
    crystalline: bool | None
    energies: dict[str, float | None] = {}
    """None where they could not be computed."""
    relaxed: dict[str, float | None] = {}
    """After each method has relaxed the cell."""

    @property
    def fractions(self) -> dict[str, float]:
        """Atomic, by element."""
        symbols = self.state.atoms.get_chemical_symbols()
        return {symbol: symbols.count(symbol) / len(symbols) for symbol in sorted(set(symbols))}

    def above_elements(self, energies: Mapping[str, float | None], method: str, references: References) -> float | None:
        """Formation energy in eV/atom; None where something of it is not known."""
        energy = energies.get(method)
        if energy is None or any(method not in references[symbol] for symbol in self.fractions):
            return None
        return energy - sum(x * references[symbol][method] for symbol, x in self.fractions.items())


def main() -> None:
    """Compute what is missing, and publish the tables of all that is there."""
    folder = Path(sys.argv[1])
    cells = glasses(folder / "screen")
    elements = sorted({symbol for cell in cells for symbol in cell.state.elements})
    references = element_energies(elements, folder)
    for name, engine in (("chgnet", get_engine("chgnet")), ("nequix", get_engine(NEQUIX))):
        missing = [cell for cell in cells if name not in cell.energies]
        for cell, energy in zip(missing, energies(engine, missing, folder), strict=True):
            cell.energies[name] = energy
        keep(cells)
    for cell in cells:
        if "pbe" not in cell.energies:
            (cell.energies["pbe"],) = energies(espresso(cell.formula), [cell], folder)
            keep(cells)
            print(cell.formula, cell.energies, flush=True)
    for cell in cells if "relax" in sys.argv[2:] else []:
        if cell.formula in RELAXED and not cell.relaxed:
            cell.relaxed = {name: relaxed_energy(name, cell, folder) for name in ("pbe", "chgnet", "nequix")}
            keep(cells)
            print(cell.formula, cell.relaxed, flush=True)
    for method, name in (("chgnet", "CHGNet 0.3.0"), ("nequix", "Nequix OAM")):
        title = TITLE.format(name)
        if (summary := summarise([row(cell, method, references) for cell in cells])) is not None:
            publish("screen_beside_dft", {title: differences(summary)}, {title: summary.model_dump()})
    relaxed = relaxations(cells, references)
    publish(
        "screen_beside_dft", {RELAXED_TITLE: table(["", "", "as it is", "relaxed"], relaxed)}, {RELAXED_TITLE: relaxed}
    )


def glasses(folder: Path) -> list[Cell]:
    """Every composition quenched with CHGNet and relaxed."""
    if CELLS.exists():
        return TypeAdapter(list[Cell]).validate_json(CELLS.read_bytes())
    screen = make_screen(
        Compositions(systems=[], formulas=[*WIDE_GAP, *NARROW_GAP]),
        protocol=load_protocol("aykol2023").with_atoms(N_ATOMS),
        engine=get_engine("chgnet"),
        seed=0,
        samples=1,
        crystals=None,
        cohort=100,
    )
    store = open_store(folder / "store")
    run_screen(screen, store, folder / "work", report=print)
    cells = []
    for material in find_materials(store):
        result = material.results[-1]
        assert isinstance(result, RelaxResult)
        if (state := result.shown_state) is not None and material.start is not None:
            crystalline = None if result.order is None else result.order.crystalline
            state = state.model_copy(update={"velocities": None})
            cells.append(Cell(formula=material.start.title, state=state, crystalline=crystalline))
    keep(cells)
    return cells


def keep(cells: Sequence[Cell]) -> None:
    """Write the cells where the next call finds them."""
    CELLS.write_bytes(TypeAdapter(list[Cell]).dump_json(list(cells), indent=1))


def element_energies(symbols: Iterable[str], folder: Path) -> References:
    """Energies of the elements in eV/atom by method, crystals relaxed and molecules as they are."""
    known: References = json.loads(ELEMENTS.read_bytes()) if ELEMENTS.exists() else {}
    engines = {"chgnet": get_engine("chgnet"), "nequix": get_engine(NEQUIX), "pbe": get_engine("espresso")}
    for symbol in symbols:
        candidate = candidate_element(symbol)
        for name, engine in engines.items():
            if name in known.setdefault(symbol, {}):
                continue
            (answer,) = engine.relax(
                [candidate.state], folder, relax_cell=not candidate.is_molecule, labels=[candidate.source]
            )
            print(symbol, name, answer.energy_ev_per_atom, answer.reason, flush=True)
            if answer.status == "converged":
                known[symbol][name] = answer.energy_ev_per_atom
                ELEMENTS.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return known


def espresso(formula: str) -> Engine:
    """The package's default level, for energies alone: a pressure may be corrected by any amount."""
    return get_engine("espresso", members_at_once=1, max_pulay_gpa=100.0, kspacing=KSPACING[formula in WIDE_GAP])


def energies(engine: Engine, cells: Sequence[Cell], folder: Path) -> list[float | None]:
    """Energies in eV/atom of cells as they are; None, with the reason printed, where there is none."""
    states = [cell.state for cell in cells]
    labels = [cell.formula for cell in cells]
    answers = engine.relax(states, folder, relax_cell=False, labels=labels, max_force_ev_a=NO_FORCE_IS_TOO_LARGE_EV_A)
    return [_energy(answer) for answer in answers]


def relaxed_energy(method: str, cell: Cell, folder: Path) -> float | None:
    """Energy in eV/atom after the method has relaxed a cell."""
    engine = {"pbe": espresso(cell.formula), "chgnet": get_engine("chgnet"), "nequix": get_engine(NEQUIX)}[method]
    (answer,) = engine.relax([cell.state], folder, relax_cell=True, labels=[cell.formula])
    return _energy(answer)


def _energy(answer: Relaxation) -> float | None:
    if answer.status != "converged":
        print(answer.label, answer.reason, flush=True)
        return None
    return answer.energy_ev_per_atom


def row(cell: Cell, method: str, references: References) -> CompositionRow:
    """As a screen's table has it, with PBE as the second engine."""
    fractions = cell.fractions
    own, pbe = (cell.above_elements(cell.energies, m, references) for m in (method, "pbe"))
    return CompositionRow(
        formula=cell.formula,
        sample=0,
        system="-".join(fractions),
        chemistry=chemistry_of(fractions),
        fractions=fractions,
        material_id=cell.formula,
        status="crystallised" if cell.crystalline else "completed",
        energy_ev_per_atom=cell.energies.get(method),
        formation_energy_ev_per_atom=own,
        check_engine="espresso",
        check_formation_energy_ev_per_atom=None if own is None else pbe,
    )


def differences(summary: CheckSummary) -> str:
    """A line for every kind of compound, in meV/atom."""
    header = ["", "cells", "mean absolute difference, meV/atom", "mean", "after the affine correction"]
    rows = [
        [d.chemistry, d.count, *(_mev(m) for m in (d.mae_ev_per_atom, d.mean_ev_per_atom, d.mae_corrected_ev_per_atom))]
        for d in summary.differences
    ]
    return table(header, rows)


def _mev(energy: Measured | None) -> str:
    return "" if energy is None else f"{1000 * energy.value:.0f} ± {1000 * energy.error:.0f}"


def relaxations(cells: Sequence[Cell], references: References) -> list[list[str]]:
    """Formation energies of cells as they are, and after each method has relaxed them."""
    methods = {"pbe": "PBE", "chgnet": "CHGNet 0.3.0", "nequix": "Nequix OAM"}
    rows = []
    for cell in cells:
        for method, name in methods.items() if cell.relaxed else ():
            before, after = (cell.above_elements(e, method, references) for e in (cell.energies, cell.relaxed))
            if before is not None and after is not None:
                rows.append([cell.formula, name, f"{1000 * before:.0f}", f"{1000 * (after - before):+.0f}"])
    return rows


if __name__ == "__main__":
    main()
