"""The first structures: as many atoms as the protocol says, in the volume that it says, the same in any company."""

from inspect import unwrap

import numpy as np
import pytest

from tachylite.engines.materials_project import starting_volume
from tachylite.jobs.packing import pack_formula, pack_structures
from tachylite.physics.composition import parse_formula
from tachylite.schemas import Protocol, State


def protocol(n_atoms: int = 16, volume_factor: float = 1.3) -> Protocol:
    steps = [{"kind": "hold", "name": "melt", "temperature_k": 3000}]
    packing = {"n_atoms": n_atoms, "volume_factor": volume_factor}
    return Protocol.model_validate({"name": "test", "packing": packing, "steps": steps})


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tachylite.engines.materials_project.materials_project_key", lambda: None)


def shortest_distance(state: State) -> float:
    distances = state.atoms.get_all_distances(mic=True)
    return float(distances[np.triu_indices(len(distances), k=1)].min())


@pytest.mark.parametrize(("formula", "n_atoms", "counts"), [("Li3PO4", 15, (6, 2, 8)), ("Ar", 15, (15,))])
def test_whole_formula_units_nearest_to_the_number_of_atoms(
    formula: str, n_atoms: int, counts: tuple[int, ...]
) -> None:
    state = pack_formula(formula, protocol(n_atoms), seed=1)
    symbols = state.atoms.get_chemical_symbols()
    assert tuple(symbols.count(symbol) for symbol in dict.fromkeys(parse_formula(formula).unit)) == counts
    assert state.velocities is None
    assert shortest_distance(state) > 1.5


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_the_volume_is_that_of_the_dense_phase_times_the_factor(factor: float) -> None:
    state = pack_formula("Li3PO4", protocol(volume_factor=factor), seed=1)
    dense = starting_volume(parse_formula("Li3PO4")).volume_a3_per_atom
    assert state.volume_a3 == pytest.approx(16 * dense * factor)


def test_a_formula_starts_from_the_same_structure_in_whatever_company() -> None:
    alone = unwrap(pack_structures)(["Li3PO4"], protocol(), 5)
    together = unwrap(pack_structures)(["Ar", "Li3PO4"], protocol(), 5)
    assert together[1] == alone[0]
    assert pack_formula("Li3PO4", protocol(), seed=6) != alone[0]
