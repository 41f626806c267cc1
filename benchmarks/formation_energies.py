"""Formation energies of binary crystals beside published ones: python -m benchmarks.formation_energies FOLDER [ENGINE].

Of every kind of compound as many crystals, the first in an order by hash; each is relaxed with its cell, and so are all
crystals of its elements, of which the lowest counts (molecules for gases). What is relaxed is kept in FOLDER. The
published energies are the Materials Project's of 2019, as matbench has them (DOI 10.1038/s41524-020-00406-3). CHGNet
has learned energies with the corrections of 2021 (DOI 10.1038/s41598-021-94550-5), which move more anions.
"""

import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from benchmarks.common import publish, table

from tachylite.analysis.phases import Hulls
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.jobs.phases import candidate_element
from tachylite.physics.chemical_systems import METALS, NONMETALS, chemistry_of
from tachylite.physics.elements import gas_molecule
from tachylite.readers.crystals import read_crystals
from tachylite.schemas.phases import CandidatePhase, RelaxedPhase

AT_MOST, LARGEST = 60, 20
"""Compounds of a kind, and atoms of a cell."""

CORRECTED = {"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N", "H", "Si", "Sb"}
"""Anions whose compounds the corrections of 2021 move."""

COLLECTION = "mp_crystals/mp_structures_aykol_elements_binaries.jsonl.gz"
PUBLISHED = "mp_crystals/mp_binary_formation_energies.csv"


@dataclass(frozen=True)
class Compound:
    """Formation energies in eV/atom."""

    formula: str
    counts: Mapping[str, float]
    energy: float
    published: float

    @property
    def is_corrected(self) -> bool:
        """Whether the corrections of 2021 move it."""
        return bool(CORRECTED & set(self.counts))


def main() -> None:
    """Relax, compare, and publish the table."""
    folder, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "chgnet"
    published = read_published()
    candidates = chosen_candidates(published)
    phases = relaxed(name, candidates, folder)
    hulls = Hulls(phases)
    rows: dict[str, list[Compound]] = {}
    for phase in phases:
        if phase.source not in published or phase.status == "failed":
            continue
        counts = phase.phase.counts
        energy = hulls.of(counts).formation_energy(counts, phase.relaxation.energy_ev_per_atom)
        row = Compound(phase.phase.formula, counts, energy, published[phase.source])
        rows.setdefault(chemistry_of(counts), []).append(row)
    everything = [row for own in rows.values() for row in own]
    failed = sum(phase.status == "failed" for phase in phases)
    lines = [summary(kind, own) for kind, own in sorted(rows.items())]
    lines += [
        summary("all", everything),
        summary("with anions that are corrected", [row for row in everything if row.is_corrected]),
        summary("without", [row for row in everything if not row.is_corrected]),
        summary("all, less an energy of each element", without_elements(everything)),
    ]
    title = f"Formation energies of binary crystals, {get_engine(name).provenance().model}"
    header = ["", "crystals", "mean absolute difference, meV/atom", "mean", "root mean square", "correlation"]
    compounds = [f"{c.formula} {c.energy:.3f} {c.published:.3f}" for c in everything]
    publish("formation_energies", {title: table(header, lines)}, {title: {"compounds": compounds, "failed": failed}})


def read_published() -> dict[str, float]:
    """Formation energies in eV/atom by mp-id, of binaries."""
    with (data_folder() / PUBLISHED).open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["mp_id"]]
    return {row["mp_id"]: float(row["e_form_lowest_eV_per_atom"]) for row in rows}


def chosen_candidates(published: dict[str, float]) -> list[CandidatePhase]:
    """The compounds, and all crystals of their elements."""
    elements = [*METALS, *NONMETALS]
    crystals = read_crystals(data_folder() / COLLECTION, [elements])
    crystals = [c for c in crystals if len(c.state.numbers) <= LARGEST]
    binaries = [c for c in crystals if c.source in published and len(c.state.elements) == 2]
    kinds: dict[str, list[CandidatePhase]] = {}
    for crystal in sorted(binaries, key=lambda c: hashlib.sha256(c.source.encode()).digest()):
        kinds.setdefault(chemistry_of(crystal.state.elements), []).append(crystal)
    compounds = [crystal for own in kinds.values() for crystal in own[:AT_MOST]]
    wanted = {element for crystal in compounds for element in crystal.state.elements}
    pure = [c for c in crystals if len(c.state.elements) == 1 and c.state.elements[0] in wanted]
    solid = [c for c in pure if gas_molecule(c.state.elements[0]) is None]
    return [*compounds, *solid, *(candidate_element(element) for element in sorted(wanted))]


def relaxed(name: str, candidates: Sequence[CandidatePhase], folder: Path) -> list[RelaxedPhase]:
    """Crystals with their cells, molecules without."""
    engine = get_engine(name)
    phases = []
    for is_molecule in (False, True):
        own = [c for c in candidates if c.is_molecule == is_molecule]
        states, labels = [c.state for c in own], [c.source for c in own]
        answers = engine.relax(states, folder, relax_cell=not is_molecule, labels=labels)
        phases += [RelaxedPhase.of(*pair) for pair in zip(own, answers, strict=True)]
    return phases


def without_elements(compounds: Sequence[Compound]) -> list[Compound]:
    """Less an energy for each element, fitted to the differences of the other nine tenths of the compounds."""
    elements = sorted({element for compound in compounds for element in compound.counts})
    shares = np.array([[c.counts.get(e, 0) / sum(c.counts.values()) for e in elements] for c in compounds])
    differences = np.array([c.energy - c.published for c in compounds])
    part = np.arange(len(compounds)) % 10
    predicted = np.zeros(len(compounds))
    for number in range(10):
        fitted = np.linalg.lstsq(shares[part != number], differences[part != number], rcond=None)[0]
        predicted[part == number] = shares[part == number] @ fitted
    return [replace(c, energy=c.energy - float(p)) for c, p in zip(compounds, predicted, strict=True)]


def summary(kind: str, rows: Sequence[Compound]) -> list[object]:
    """A row of the table; the error of a mean is that of independent compounds."""
    ours, published = np.array([(row.energy, row.published) for row in rows]).T * 1000
    differences = ours - published
    error = np.abs(differences).std(ddof=1) / len(rows) ** 0.5
    return [
        kind,
        len(rows),
        f"{np.abs(differences).mean():.0f} ± {error:.0f}",
        f"{differences.mean():+.0f}",
        f"{np.sqrt((differences**2).mean()):.0f}",
        f"{np.corrcoef(ours, published)[0, 1]:.3f}",
    ]


if __name__ == "__main__":
    main()
