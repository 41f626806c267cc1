"""References of energies: which structures are relaxed, and energies above them against numbers by hand."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure
from tests.flows.fake_engine import FakeEngine, fresh_engine, start_state

from tachylite.engines.workdir import use_workdir
from tachylite.jobs.references import (
    above_crystal,
    formation_energy_of,
    reference_energies,
    relax_references,
)
from tachylite.schemas import State
from tachylite.schemas.relaxation import References, Relaxation

ARGON, ALLOY = ["Ar"] * 4, ["Cu", "Cu", "Zr"]
FCC = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.3), ["Ar"], [[0, 0, 0]])


def relaxed(engine: FakeEngine, folder: Path, crystals: list[Structure | None]) -> References:
    """References of argon and an alloy."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    starts = [start_state(ARGON, "argon").structure, start_state(ALLOY, "alloy")]
    job = relax_references(engine, starts, crystals)
    with use_workdir(folder):
        run_locally(job, store=store, log=False, raise_immediately=True)
    references: References = job.output.resolve(store)
    return references


def relaxation(symbols: list[str], energy_ev_per_atom: float, **changes: Any) -> Relaxation:
    state: State = start_state(symbols, "start")
    (found,) = FakeEngine().relax([state], Path(), relax_cell=True, labels=["glass"])
    return found.model_copy(update={"energy_ev_per_atom": energy_ev_per_atom, **changes})


def test_elements_of_another_level_of_theory_are_no_references(tmp_path: Path) -> None:
    references = relaxed(fresh_engine(), tmp_path, [None, None])
    glass = relaxation(ALLOY, -3.0)
    assert formation_energy_of(glass, references) is not None
    for changes in ({"engine": "espresso"}, {"model_sha256": "other"}, {"options": {"ecutwfc": 60}}):
        other = glass.model_copy(update={"provenance": glass.provenance.model_copy(update=changes)})
        assert formation_energy_of(other, references) is None, changes
    own = glass.provenance.model_copy(update={"options": glass.provenance.options | {"k_mesh": [2, 2, 2]}})
    assert formation_energy_of(glass.model_copy(update={"provenance": own}), references) is not None


@pytest.mark.parametrize("batches", [True, False])
def test_every_element_once_and_the_crystals_in_the_order_of_the_cohort(tmp_path: Path, batches: bool) -> None:
    engine = fresh_engine(batches=batches)
    references = relaxed(engine, tmp_path, [None, FCC])
    assert sorted(label for label, _, _ in engine.relaxed) == [
        "crystal Ar 0",
        "element Ar",
        "element Cu",
        "element Zr",
    ]
    assert all(relax_cell for _, _, relax_cell in engine.relaxed)
    assert list(references.elements) == ["Ar", "Cu", "Zr"]
    assert {symbol: element.formula for symbol, element in references.elements.items()} == {
        "Ar": "Ar",
        "Cu": "Cu",
        "Zr": "Zr",
    }
    none, crystal = references.crystals
    assert none is None
    assert crystal is not None
    assert crystal.energy_ev_per_atom == pytest.approx(-0.08 - 0.05)


def test_a_formation_energy_is_that_above_the_elements_in_their_amounts() -> None:
    engine = fresh_engine()
    labels = [f"element {symbol}" for symbol in ("Cu", "Zr")]
    states = [start_state([symbol], symbol) for symbol in ("Cu", "Zr")]
    copper, zirconium = engine.relax(states, Path(), relax_cell=True, labels=labels)
    references = References(elements={"Cu": copper, "Zr": zirconium}, crystals=[])
    assert reference_energies(references) == pytest.approx({"Cu": -3.7, "Zr": -8.5})
    # (2 x -3.7 + -8.5) / 3 = -5.3 eV per atom
    assert formation_energy_of(relaxation(ALLOY, -5.25), references) == pytest.approx(0.05)
    assert formation_energy_of(relaxation(["Zr"], -8.5), references) == pytest.approx(0)


def test_without_a_reference_of_every_element_there_is_no_formation_energy() -> None:
    element = relaxation(["Cu"], -3.7)
    lost = relaxation(["Zr"], -8.5, status="failed", reason="it never settled")
    for elements in ({}, {"Cu": element}, {"Cu": element, "Zr": lost}):
        assert formation_energy_of(relaxation(ALLOY, -5), References(elements=elements, crystals=[])) is None
    assert formation_energy_of(relaxation(ALLOY, -5), None) is None
    failed = relaxation(["Cu"], -3.6, status="failed")
    assert formation_energy_of(failed, References(elements={"Cu": element}, crystals=[])) is None
    assert reference_energies(None) == {}
    assert reference_energies(References(elements={"Cu": element, "Zr": lost}, crystals=[])) == {"Cu": -3.7}


def test_the_crystal_is_that_of_the_member() -> None:
    lost = relaxation(["Cu"], -3.8, status="failed")
    crystals = [relaxation(["Cu"], -3.7), None, lost, relaxation(["Cu"], -3.75)]
    references = References(elements={}, crystals=crystals)
    assert above_crystal(-3.5, references, 0) == pytest.approx(0.2)
    assert above_crystal(-3.5, references, 3) == pytest.approx(0.25)
    assert above_crystal(-3.5, references, 1) is None
    assert above_crystal(-3.5, references, 2) is None
    assert above_crystal(-3.5, None, 0) is None


def test_an_element_that_does_not_settle_leaves_the_others(tmp_path: Path) -> None:
    references = relaxed(fresh_engine(fails=["Cu: element"]), tmp_path, [None, None])
    assert {symbol: element.status for symbol, element in references.elements.items()} == {
        "Ar": "converged",
        "Cu": "failed",
        "Zr": "converged",
    }
    assert references.crystals == [None, None]
